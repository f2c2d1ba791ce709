import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { DEVICES, type Device, PARAMETERS, type ParameterDocument } from '../../../acs/device/device.js';
import { DeviceStore } from '../../../acs/device/device-store.js';
import { PURGES, type PurgeDocument } from '../../../acs/device/once-over-all.js';
import { bytesOfAll } from '../../../acs/device/parameter-bound.js';
import { SecretPurge } from '../../../acs/device/secret-purge.js';
import { type CpeId, monotonicClock, silentLogger, systemClock } from '../../../common/index.js';
import { openLmdbStore, openMongoStore, type Store } from '../../../store/index.js';
import { recordingLogger, startTestFerry } from '../../support/ferry.js';
import { FerryProcess, freePorts } from '../../support/ferry-process.js';
import { cpeidOf, deviceOf } from '../../support/installation.js';
import { mongodbUrl, testDatabase } from '../../support/mongodb.js';
import { storeOf } from '../../support/store.js';

const PURGE_ID = 'secrets-1';
const SECRET = 'hunter2';
/** More than a page. */
const CPES = 40;

/** What an earlier version left behind of one CPE: two secrets, in two subtrees, beside what is none. */
function leftBehind(cpeid: CpeId): readonly ParameterDocument[] {
  return [
    {
      id: `${cpeid}/Device.PPP`,
      atMs: 1,
      values: {
        'Device.PPP.Interface.1.Password': SECRET,
        'Device.PPP.Interface.1.Username': 'me',
        'Device.PPP.Interface.2.Password': '',
      },
    },
    {
      id: `${cpeid}/Device.WiFi`,
      values: {
        'Device.WiFi.AccessPoint.1.WPS.DevicePassword': 12345670,
        'Device.WiFi.X_ACME_ShowPassword': true,
      },
    },
    { id: `${cpeid}/Device.DeviceInfo`, values: { 'Device.DeviceInfo.SoftwareVersion': '1.0' } },
  ];
}

function bytesLeftBehind(cpeid: CpeId): number {
  return leftBehind(cpeid).reduce((sum, { values }) => sum + bytesOfAll(values), 0);
}

async function populate(store: Store, cpes = CPES): Promise<void> {
  const cpeids = Array.from({ length: cpes }, (_, index) => cpeidOf(index));
  await store.load(PARAMETERS, cpeids.flatMap(leftBehind));
  // The device of the first is gone.
  const devices = cpeids.slice(1).map((cpeid) => ({
    ...deviceOf(cpeid, null),
    informDigest: 'a.b',
    parametersBytes: bytesLeftBehind(cpeid),
  }));
  await store.load(DEVICES, devices);
}

/** Purges as a process that starts on the store. */
function startPurge(t: ExecutionContext, store: Store) {
  const { logger, events } = recordingLogger();
  const devices = new DeviceStore({ store, clock: systemClock, logger: silentLogger });
  const purge = new SecretPurge({ store, devices, clock: systemClock, monotonic: monotonicClock, logger });
  t.teardown(async () => {
    await purge.close();
    await devices.close();
  });
  return { purge, devices, events };
}

async function marker(store: Store): Promise<PurgeDocument | null> {
  return (await store.collection<PurgeDocument>(PURGES).get(PURGE_ID))?.document ?? null;
}

async function untilDone(store: Store): Promise<PurgeDocument> {
  for (;;) {
    const found = await marker(store);
    if (found?.isDone === true) return found;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function secretsIn(store: Store): Promise<number> {
  let count = 0;
  for await (const { document } of store.collection<ParameterDocument>(PARAMETERS).scan({})) {
    for (const value of Object.values(document.values)) if (value === SECRET || value === 12345670) count++;
  }
  return count;
}

function purges(engine: string, open: (t: ExecutionContext) => Promise<Store>): void {
  test(`what is stored of secrets is purged once, counted, with the digests that they are in (${engine})`, async (t) => {
    t.timeout(120_000);
    const store = await open(t);
    await populate(store);
    const { events } = startPurge(t, store);
    t.like(await untilDone(store), { count: 2 * CPES, after: null });
    const cpeid = cpeidOf(1);
    const kept = await store.collection<ParameterDocument>(PARAMETERS).get(`${cpeid}/Device.PPP`);
    t.deepEqual(kept?.document, {
      id: `${cpeid}/Device.PPP`,
      atMs: 1,
      values: {
        'Device.PPP.Interface.1.Password': 'set',
        'Device.PPP.Interface.1.Username': 'me',
        'Device.PPP.Interface.2.Password': '',
      },
    });
    const wifi = await store.collection<ParameterDocument>(PARAMETERS).get(`${cpeid}/Device.WiFi`);
    t.is(wifi?.document.values['Device.WiFi.X_ACME_ShowPassword'], true);
    t.is(await secretsIn(store), 0);
    for (let index = 1; index < CPES; index++) {
      const device = (await store.collection<Device>(DEVICES).get(cpeidOf(index)))?.document;
      t.is(device?.informDigest, '');
      t.is(
        device?.parametersBytes,
        bytesLeftBehind(cpeidOf(index)) - 'hunter2'.length - '12345670'.length + 6,
      );
    }
    t.deepEqual(events, [{ event: 'parameters.secrets-purged', fields: { count: 2 * CPES } }]);

    // Later starts do not walk through everything again.
    await store
      .collection<ParameterDocument>(PARAMETERS)
      .put({ id: 'later/Device.PPP', values: { 'Device.PPP.Password': SECRET } });
    const later = startPurge(t, store);
    await later.purge.close();
    t.is(await secretsIn(store), 1);
    t.deepEqual(later.events, []);
  });

  test(`several processes purge each value once, and what sessions change meanwhile stays changed (${engine})`, async (t) => {
    t.timeout(120_000);
    const store = await open(t);
    await populate(store);
    const started = [startPurge(t, store), startPurge(t, store)];
    const [{ devices }] = started as [ReturnType<typeof startPurge>];
    for (let index = 1; index < CPES; index += 10) {
      await devices.change(cpeidOf(index), (stored) =>
        stored === null ? null : { device: { ...stored.document, tags: ['changed'] } },
      );
    }
    t.is((await untilDone(store)).count, 2 * CPES);
    t.is(await secretsIn(store), 0);
    for (let index = 1; index < CPES; index += 10) {
      t.like((await devices.get(cpeidOf(index))) ?? {}, { tags: ['changed'], informDigest: '' });
    }
    t.is(started.flatMap(({ events }) => events).length, 1);
  });
}

purges('LMDB', storeOf);
const url = mongodbUrl();
if (url !== null)
  purges('MongoDB', async (t) => {
    const store = await openMongoStore({ url, database: testDatabase(t, url), timeoutMs: 60_000 });
    t.teardown(() => store.close());
    return store;
  });

test('of an installation that has nothing yet nothing is told, and nothing is purged later', async (t) => {
  const store = await storeOf(t);
  const { events } = startPurge(t, store);
  t.like(await untilDone(store), { count: 0 });
  t.deepEqual(events, []);
});

test('a server that is stopped or killed in the midst of it goes on where it was; nobody is shown a secret meanwhile', async (t) => {
  t.timeout(240_000);
  const cpes = 200;
  const dataDir = await mkdtemp(join(tmpdir(), 'ferry-purge-'));
  t.teardown(() => rm(dataDir, { recursive: true, force: true }));
  const directory = join(dataDir, 'store');
  const store = await openLmdbStore({ directory });
  await populate(store, cpes);
  // As a process that was stopped at once leaves it.
  await startPurge(t, store).purge.close();
  await store.close();
  const killed = await FerryProcess.start(dataDir, await freePorts());
  await killed.kill();

  const ferry = await startTestFerry(t, { dataDir });
  const id = cpeidOf(cpes - 1);
  const { body } = await ferry.nbi('GET', `/v1/dyn/DeviceStorage/${id}?parameters=true`);
  t.like(body, {
    details: [
      { parameters: { 'Device.PPP.Interface.1.Password': 'set', 'Device.PPP.Interface.1.Username': 'me' } },
    ],
  });
  await ferry.close();
  const after = await openLmdbStore({ directory });
  t.teardown(() => after.close());
  startPurge(t, after);
  const { count } = await untilDone(after);
  t.is(await secretsIn(after), 0);
  // What a page had done when it was killed is not counted.
  t.true(count <= 2 * cpes && count >= 2 * cpes - 100, String(count));
});
