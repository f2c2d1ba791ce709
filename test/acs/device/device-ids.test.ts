import test, { type ExecutionContext } from 'ava';
import { DEVICES, type Device } from '../../../acs/device/device.js';
import { deviceIdsBy, StoredDeviceIds } from '../../../acs/device/device-ids.js';
import { DeviceStore } from '../../../acs/device/device-store.js';
import { PURGES, type PurgeDocument } from '../../../acs/device/once-over-all.js';
import { serialLabelOf } from '../../../acs/device/serial-label.js';
import {
  type CpeId,
  createSecrets,
  type Logger,
  monotonicClock,
  systemClock,
} from '../../../common/index.js';
import { openMongoStore, type Store } from '../../../store/index.js';
import { recordingLogger, until } from '../../support/ferry.js';
import { cpeidOf, deviceOf } from '../../support/installation.js';
import { mongodbUrl, testDatabase } from '../../support/mongodb.js';
import { testSecrets } from '../../support/secrets.js';
import { storeOf } from '../../support/store.js';

/** More than two pages. */
const CPES = 250;
const idOf = deviceIdsBy(testSecrets);

/** Devices as an earlier version has left them. */
function populate(store: Store): Promise<void> {
  return store.load(
    DEVICES,
    Array.from({ length: CPES }, (_, index) => deviceOf(cpeidOf(index), null)),
  );
}

/** What a process has that starts on the store. */
function start(t: ExecutionContext, store: Store, logger: Logger = recordingLogger().logger) {
  const parts = { store, clock: systemClock, monotonic: monotonicClock, logger };
  const devices = new DeviceStore({ ...parts, uuidOf: idOf });
  const ids = new StoredDeviceIds({ ...parts, devices, idOf });
  t.teardown(async () => {
    await ids.close();
    await devices.close();
  });
  return { devices, ids };
}

async function isDone(store: Store): Promise<boolean> {
  const stored = await store.collection<PurgeDocument>(PURGES).get('device-ids-2');
  return stored?.document.isDone === true;
}

async function idsWith(ids: StoredDeviceIds, label: string): Promise<readonly CpeId[]> {
  const found = await ids.withSerialLabel(label, { isWanted: () => true, limit: 11 });
  return found.map(({ id }) => id);
}

function finds(engine: string, open: (t: ExecutionContext) => Promise<Store>): void {
  test(`a device of an earlier version is found by its id from the first question on (${engine})`, async (t) => {
    t.timeout(120_000);
    const store = await open(t);
    await populate(store);
    const { ids } = start(t, store);
    const asked = Array.from({ length: CPES }, (_, index) => cpeidOf(index));
    const found = await Promise.all(asked.map((cpeid) => ids.cpeidOf(ids.idOf(cpeid))));
    t.deepEqual(found, asked);
    t.is(await ids.cpeidOf(ids.idOf('not-known-1' as CpeId)), null);
  });

  test(`devices of an earlier version are found by the labels of their serial numbers from the first question on (${engine})`, async (t) => {
    t.timeout(120_000);
    const store = await open(t);
    await populate(store);
    const twin = { ...deviceOf(cpeidOf(7), null), id: 'other-CPE-7' as CpeId };
    await store.collection<Device>(DEVICES).put(twin);
    const { ids } = start(t, store);
    const labelOf = (index: number) => deviceOf(cpeidOf(index), null).serialNumber.toLowerCase();
    const labels = Array.from({ length: CPES }, (_, index) => labelOf(index));
    const found = await Promise.all(labels.map((label) => idsWith(ids, label)));
    t.deepEqual(
      found,
      labels.map((_, index) => (index === 7 ? [cpeidOf(7), twin.id] : [cpeidOf(index)])),
    );
    t.deepEqual(await idsWith(ids, 'none'), []);
  });

  test(`whoever is given an id by an earlier pass is given the label of his serial number by this one (${engine})`, async (t) => {
    t.timeout(120_000);
    const store = await open(t);
    await store.collection<PurgeDocument>(PURGES).put({
      id: 'device-ids-1',
      after: null,
      count: 1,
      isDone: true,
    });
    const [cpeid, odd] = [cpeidOf(1), cpeidOf(2)];
    const devices = store.collection<Device>(DEVICES);
    await devices.put({ ...deviceOf(cpeid, null), serialNumber: 'AbC-1', uuid: idOf(cpeid) });
    await devices.put({ ...deviceOf(odd, null), serialNumber: 'a_1', uuid: idOf(odd) });
    const { ids } = start(t, store);
    await until('it has its label', async () => {
      return (await devices.count({ index: 'serialLabel', equals: ['abc-1'] })) === 1;
    });
    t.deepEqual(await idsWith(ids, 'ABC-1'), [cpeid]);
    t.is((await devices.get(odd))?.document.serialLabel, undefined);
  });

  test(`older devices are given their ids once, and are found by the index from then on (${engine})`, async (t) => {
    t.timeout(120_000);
    const store = await open(t);
    await populate(store);
    const { logger, events } = recordingLogger();
    const { ids } = start(t, store, logger);
    const told = () => events.filter(({ event }) => event.startsWith('devices.'));
    // It is stored, and then told.
    await until('all have their ids', async () => (await isDone(store)) && told().length > 0);
    t.deepEqual(told(), [{ event: 'devices.ids-given', fields: { count: CPES } }]);
    t.is(await store.collection<Device>(DEVICES).count({ index: 'uuid' }), CPES);
    t.is(await ids.cpeidOf(idOf(cpeidOf(7)).toUpperCase()), cpeidOf(7));
    t.is(await ids.cpeidOf(idOf('not-known-1' as CpeId)), null);
  });
}

finds('LMDB', storeOf);
const url = mongodbUrl();
if (url !== null)
  finds('MongoDB', async (t) => {
    const store = await openMongoStore({ url, database: testDatabase(t, url), timeoutMs: 60_000 });
    t.teardown(() => store.close());
    return store;
  });

test('a CPE has its id from its first commit, and none once it is removed', async (t) => {
  const { devices, ids } = start(t, await storeOf(t));
  const cpeid = cpeidOf(1);
  await devices.change(cpeid, () => ({ device: deviceOf(cpeid, null) }));
  t.is((await devices.get(cpeid))?.uuid, idOf(cpeid));
  t.is(await ids.cpeidOf(idOf(cpeid)), cpeid);
  await devices.remove([cpeid], { why: 'not-heard' });
  t.is(await ids.cpeidOf(idOf(cpeid)), null);
});

test('a device that a node of an earlier version has made known has its id once its sighting is written', async (t) => {
  const store = await storeOf(t);
  const { devices, ids } = start(t, store);
  await until('all have their ids', () => isDone(store));
  const cpeid = cpeidOf(1);
  await store.collection<Device>(DEVICES).put(deviceOf(cpeid, null));
  devices.sighted(cpeid, { lastInformMs: systemClock(), ip: '192.0.2.1', lastEvents: ['2 PERIODIC'] });
  await devices.flush();
  t.is(await ids.cpeidOf(idOf(cpeid)), cpeid);
});

test('ids are UUIDs of version 5 that go by the master key and the cpeid alone', (t) => {
  const [one, two] = [cpeidOf(1), cpeidOf(2)];
  t.regex(idOf(one), /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  t.is(deviceIdsBy(testSecrets)(one), idOf(one));
  t.not(idOf(two), idOf(one));
  t.not(deviceIdsBy(createSecrets(Buffer.alloc(32, 8)))(one), idOf(one));
});

test('a label stands for the CPEs that are wanted, and no more are given than asked for', async (t) => {
  const store = await storeOf(t);
  const { devices, ids } = start(t, store);
  for (const index of [1, 2, 3, 4]) {
    const device = { ...deviceOf(cpeidOf(index), null), serialNumber: index === 4 ? 's' : 'S' };
    await devices.change(device.id, () => ({ device }));
  }
  const wanted = (limit: number, isWanted = (_: Device) => true) =>
    ids.withSerialLabel('s', { isWanted, limit });
  const idsOf = (found: readonly Device[]) => found.map(({ id }) => id);
  t.deepEqual(idsOf(await wanted(11)), [1, 2, 3, 4].map(cpeidOf));
  t.is((await wanted(2)).length, 2);
  t.deepEqual(idsOf(await wanted(1, ({ id }) => id === cpeidOf(4))), [cpeidOf(4)]);
});

test('the label of a serial number has letters, digits and hyphens of ASCII alone, and no more than 63', (t) => {
  t.is(serialLabelOf('AbC-019'), 'abc-019');
  t.is(serialLabelOf('a'.repeat(63)), 'a'.repeat(63));
  // The last is a Kelvin sign, which is a k in lower case.
  for (const serial of ['', 'a'.repeat(64), 'a_b', 'a.b', 'a b', 'ä', 'a\n', '\u212a'])
    t.is(serialLabelOf(serial), null, serial);
});

test('what is no UUID is no device', async (t) => {
  const { ids } = start(t, await storeOf(t));
  for (const id of ['', 'x', `${idOf(cpeidOf(1))}0`, 'ä'.repeat(36)]) t.is(await ids.cpeidOf(id), null);
});

test('a serial number stands for none, one or several CPEs, and no more are looked at than asked for', async (t) => {
  const store = await storeOf(t);
  const { devices } = start(t, store);
  const stored = [1, 2, 3].map((index) => ({ ...deviceOf(cpeidOf(index), null), serialNumber: 'S' }));
  await store.load(DEVICES, [...stored, deviceOf(cpeidOf(4), null)]);
  const idsOf = async (serial: string, limit: number) =>
    (await devices.withSerialNumber(serial, limit)).map(({ id }) => id);
  t.deepEqual(await idsOf('S', 2), [cpeidOf(1), cpeidOf(2)]);
  t.deepEqual(await idsOf('0000004', 2), [cpeidOf(4)]);
  t.deepEqual(await idsOf('none', 2), []);
});
