import test, { type ExecutionContext } from 'ava';
import { DEVICES, type Device } from '../../../acs/device/device.js';
import { DeviceStore } from '../../../acs/device/device-store.js';
import { Retention } from '../../../acs/device/retention.js';
import { DAY_MS, HOUR_MS } from '../../../common/index.js';
import { DutyRecords } from '../../../store/index.js';
import { recordingLogger, startTestFerry, until } from '../../support/ferry.js';
import { cpeidOf, deviceOf, openTestInstallation, upgradeOf } from '../../support/installation.js';
import { storeOf } from '../../support/store.js';

const NOW_MS = Date.UTC(2026, 0, 1);

/** CPEs that were heard of so many days ago, by number. */
async function open(t: ExecutionContext, agesDays: readonly number[]) {
  const store = await storeOf(t);
  const clock = { nowMs: NOW_MS };
  const { logger, events } = recordingLogger();
  const parts = { store, clock: () => clock.nowMs, monotonic: () => clock.nowMs, logger };
  const devices = new DeviceStore(parts);
  const duties = new DutyRecords({ ...parts, by: 'test' });
  const retention = new Retention({ ...parts, devices, duties, deviceDays: 30 });
  t.teardown(async () => {
    await retention.close();
    await duties.close();
    await devices.close();
  });
  const documents = store.collection<Device>(DEVICES);
  for (const [number, days] of agesDays.entries()) {
    await documents.put({ ...deviceOf(cpeidOf(number), null), lastInformMs: NOW_MS - days * DAY_MS });
  }
  const left = async () => {
    const numbers: number[] = [];
    for await (const { document } of documents.scan({})) numbers.push(Number(document.serialNumber));
    return numbers;
  };
  return { retention, devices, documents, clock, events, left };
}

test('a CPE that has not been heard of for longer is forgotten, and no other', async (t) => {
  const at = await open(t, [0, 29, 31, 400]);
  t.is(await at.retention.forget(), 2);
  t.deepEqual(await at.left(), [0, 1]);
  t.is(await at.retention.forget(), 0);
});

test('one that has just been heard of, and is not stored so yet, stays; so does one with an upgrade under way', async (t) => {
  const at = await open(t, [31, 31, 31]);
  at.devices.sighted(cpeidOf(0), { lastInformMs: NOW_MS, ip: '192.0.2.1', lastEvents: ['2 PERIODIC'] });
  await at.documents.put({ ...deviceOf(cpeidOf(1), upgradeOf(cpeidOf(1), 10)), lastInformMs: 1 });
  t.is(await at.retention.forget(), 1);
  t.deepEqual(await at.left(), [0, 1]);
});

test('where most of the CPEs would be forgotten, as a clock that was set ahead has it, none is', async (t) => {
  const at = await open(t, Array(40).fill(1));
  at.clock.nowMs += 400 * DAY_MS;
  t.is(await at.retention.forget(), 0);
  t.is((await at.left()).length, 40);
  t.deepEqual(
    at.events.filter(({ event }) => event === 'devices.retention-refused').map(({ fields }) => fields),
    [{ known: 40, old: 40, deviceDays: 30 }],
  );
});

test('a server forgets by itself where --device-days says so, counts them, and health names who looks for them', async (t) => {
  const dataDir = (await startTestFerry(t)).dataDir;
  const other = await openTestInstallation(dataDir);
  t.teardown(() => other.close());
  const documents = other.store.collection<Device>(DEVICES);
  await documents.put({ ...deviceOf(cpeidOf(0), null), lastInformMs: Date.now() - 40 * DAY_MS });
  await documents.put({ ...deviceOf(cpeidOf(1), null), lastInformMs: Date.now() - HOUR_MS });
  const ferry = await startTestFerry(t, { dataDir, config: { deviceDays: 30 } });
  const counted = async () => String((await ferry.nbi('GET', '/metrics')).body);
  const first = await until('the CPEs are counted', async () => {
    const text = await counted();
    return /^ferry_cpes_known [12]$/m.test(text) && text;
  });
  t.regex(first, /^ferry_store_bytes [1-9]\d+$/m);
  await until('the old one is gone', async () => (await documents.count()) === 1);
  const figures = await until('it is counted', async () => {
    const { body } = await ferry.nbi('GET', '/metrics');
    return String(body).includes('ferry_cpes_deleted_total{why="not-heard"} 1') && String(body);
  });
  t.regex(figures, /^ferry_duty_age_seconds\{duty="deviceRetention"\}/m);
  t.like((await ferry.nbi('GET', '/healthz')).body, { parts: { deviceRetention: 'ok' } });
});
