import test, { type ExecutionContext } from 'ava';
import { DEVICES, type Device, PARAMETERS, type ParameterDocument } from '../../../acs/device/device.js';
import { DeviceStore } from '../../../acs/device/device-store.js';
import { type CpeId, SECOND_MS, silentLogger } from '../../../common/index.js';
import { byCommand } from '../../../events/index.js';
import { openMongoStore, type Store } from '../../../store/index.js';
import { BY } from '../../support/actor.js';
import { recordingLogger } from '../../support/ferry.js';
import { cpeidOf, deviceOf, upgradeOf } from '../../support/installation.js';
import { mongodbUrl, testDatabase } from '../../support/mongodb.js';
import { storeOf } from '../../support/store.js';

const NOW_MS = Date.UTC(2026, 0, 1);
const SUBTREES = ['Device.DeviceInfo', 'Device.ManagementServer', 'Device.WiFi'];

const mongo = mongodbUrl();
define('the embedded store', storeOf);
if (mongo !== null) {
  define('MongoDB', async (t) => {
    const store = await openMongoStore({ url: mongo, database: testDatabase(t, mongo), timeoutMs: 60_000 });
    t.teardown(() => store.close());
    return store;
  });
}

/** CPEs with these numbers, each with a data model of three subtrees. */
async function open(t: ExecutionContext, store: Store, numbers: readonly number[]) {
  const { logger, events } = recordingLogger();
  const removedWhy: string[] = [];
  const parts = { store, clock: () => NOW_MS };
  const devices = new DeviceStore({ ...parts, logger, onRemoved: (why) => removedWhy.push(why) });
  /** As another process has it. */
  const beside = new DeviceStore({ ...parts, logger: silentLogger });
  t.teardown(async () => {
    await devices.close();
    await beside.close();
  });
  const documents = store.collection<Device>(DEVICES);
  const parameters = store.collection<ParameterDocument>(PARAMETERS);
  for (const cpeid of numbers.map(cpeidOf)) {
    await documents.put({ ...deviceOf(cpeid, null), lastInformMs: NOW_MS - SECOND_MS });
    for (const subtree of SUBTREES) {
      await parameters.put({ id: `${cpeid}/${subtree}`, values: { [`${subtree}.Name`]: 'x' } });
    }
  }
  const left = async () => {
    const ids: string[] = [];
    for await (const { document } of documents.scan({})) ids.push(document.id);
    return { ids, subtrees: await parameters.count() };
  };
  return { devices, beside, documents, parameters, left, events, removedWhy };
}

function define(engine: string, storeFor: (t: ExecutionContext) => Promise<Store>): void {
  test(`a CPE goes with its whole data model, and no other's, on ${engine}`, async (t) => {
    const at = await open(t, await storeFor(t), [1, 2, 3]);
    // Its id begins like that of a neighbour.
    const neighbour = `${cpeidOf(1)}0` as CpeId;
    await at.documents.put(deviceOf(neighbour, null));
    await at.parameters.put({ id: `${neighbour}/Device.DeviceInfo`, values: {} });
    const unknown = cpeidOf(9);
    const asked = [cpeidOf(1), cpeidOf(3), unknown, cpeidOf(3)];
    t.deepEqual(await at.devices.remove(asked, { why: 'asked', by: byCommand('op') }), {
      removed: 2,
      upgrading: [],
    });
    t.deepEqual(await at.left(), { ids: [neighbour, cpeidOf(2)].sort(), subtrees: SUBTREES.length + 1 });
    t.deepEqual(at.removedWhy, ['asked', 'asked']);
    const told = at.events.filter(({ event }) => event === 'cpe.deleted').map(({ fields }) => fields);
    t.deepEqual(
      told.sort((left, right) => (String(left['cpeid']) < String(right['cpeid']) ? -1 : 1)),
      [cpeidOf(1), cpeidOf(3)].map((cpeid) => ({ cpeid, why: 'asked', by: 'op' })),
    );
  });

  test(`what was seen of a CPE before it was removed does not bring it back, on ${engine}`, async (t) => {
    const at = await open(t, await storeFor(t), [1, 2]);
    for (const cpeid of [cpeidOf(1), cpeidOf(2)]) {
      const sighting = { lastInformMs: NOW_MS, ip: '192.0.2.9', lastEvents: ['2 PERIODIC'] };
      at.devices.sighted(cpeid, sighting);
      at.beside.sighted(cpeid, sighting);
    }
    await at.devices.remove([cpeidOf(1)], { why: 'asked', by: BY });
    await at.devices.flush();
    await at.beside.flush();
    t.deepEqual((await at.left()).ids, [cpeidOf(2)]);
    t.is(await at.beside.get(cpeidOf(1)), null);
    t.is((await at.documents.get(cpeidOf(2)))?.document.ip, '192.0.2.9');
  });

  test(`a CPE with an upgrade under way stays, and is named, on ${engine}`, async (t) => {
    const at = await open(t, await storeFor(t), [1]);
    const cpeid = cpeidOf(10);
    await at.documents.put(deviceOf(cpeid, upgradeOf(cpeid, 10)));
    const removal = await at.devices.remove([cpeid, cpeidOf(1)], { why: 'asked', by: BY });
    t.deepEqual(removal, { removed: 1, upgrading: [cpeid] });
    t.deepEqual((await at.left()).ids, [cpeid]);
  });

  test(`an upgrade that is reserved while its CPE is removed is never lost with it, on ${engine}`, async (t) => {
    const at = await open(
      t,
      await storeFor(t),
      Array.from({ length: 20 }, (_, index) => index),
    );
    const cpeids = Array.from({ length: 20 }, (_, index) => cpeidOf(index));
    const { id } = upgradeOf(cpeidOf(10), 10);
    const reserving = new Map<CpeId, Promise<unknown>>();
    // `only` is asked between reading and committing: there, once for each, a session reserves.
    const only = (device: Device) => {
      const reserve = () =>
        at.beside.change(device.id, (stored) =>
          stored === null ? null : { device: { ...stored.document, inFlight: id } },
        );
      if (!reserving.has(device.id)) reserving.set(device.id, reserve());
      return true;
    };
    const { removed, upgrading } = await at.devices.remove(cpeids, { why: 'asked', by: BY, only });
    const reserved = (await Promise.all(reserving.values())).filter((change) => change !== null);
    t.is(removed + upgrading.length, cpeids.length);
    t.deepEqual([upgrading.length, (await at.left()).ids], [reserved.length, [...upgrading].sort()]);
  });

  test(`whom the condition leaves out by then is not removed, on ${engine}`, async (t) => {
    const at = await open(t, await storeFor(t), [1, 2]);
    // Heard of here, and not written yet.
    at.devices.sighted(cpeidOf(1), { lastInformMs: NOW_MS, ip: '192.0.2.9', lastEvents: ['2 PERIODIC'] });
    const only = ({ lastInformMs }: Device) => lastInformMs < NOW_MS;
    const removal = await at.devices.remove([cpeidOf(1), cpeidOf(2)], { why: 'not-heard', only });
    t.deepEqual(removal, { removed: 1, upgrading: [] });
    t.deepEqual((await at.left()).ids, [cpeidOf(1)]);
  });
}
