import test from 'ava';
import { DEVICES, PARAMETERS, type ParameterDocument } from '../../acs/device/device.js';
import type { CpeId, ResultId, RuleId } from '../../common/index.js';
import { SECOND_MS } from '../../common/index.js';
import { startNbi, type TestNbi, VIEWER } from './support.js';

const BASE = '/v1/dyn/DeviceStorage';
const RUNNING = 'cd3627cd-1908-4ff8-8fe3-f7078723a684' as ResultId;
const DAY = Date.UTC(2026, 0, 1);

async function known(nbi: TestNbi): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const { document } of nbi.store.collection(DEVICES).scan({})) ids.push(document.id.slice(-1));
  return ids;
}

/** CPEs 1 to 5: heard of last on the first to the fifth of January, registered as many days before. */
async function withFive(t: Parameters<typeof startNbi>[0]): Promise<TestNbi> {
  const nbi = await startNbi(t);
  for (let n = 1; n <= 5; n++) {
    await nbi.putDevice({
      serialNumber: String(n),
      lastInformMs: DAY + (n - 1) * 86_400 * SECOND_MS,
      registeredMs: DAY - n * 86_400 * SECOND_MS,
      ip: n % 2 === 0 ? '192.0.2.2' : '192.0.2.1',
    });
  }
  return nbi;
}

const remove = (nbi: TestNbi, path: string) => nbi.call(BASE + path, { method: 'DELETE' });

test('CPEs are deleted by id, pattern, field and time, and no others', async (t) => {
  const nbi = await withFive(t);
  const deletions: readonly (readonly [string, readonly string[]])[] = [
    ['/00A1B2-HGW-3', ['1', '2', '4', '5']],
    ['/.*?lastInform<2026-01-02T00:00:00Z', ['2', '4', '5']],
    ['/.*?ip=192.0.2.2&registered>=2025-12-29T00:00:00Z', ['4', '5']],
    ['/.*?lastInform%3E%3D1767571200', ['4']],
    ['/.*HGW.*?registered>1&registered<9999999999', []],
  ];
  for (const [path, left] of deletions) {
    const { status, body } = await remove(nbi, path);
    t.is(status, 200, path);
    t.deepEqual(body, { code: 204, message: 'response from DeviceStorage', details: '' });
    t.deepEqual(await known(nbi), left, path);
  }
});

test('everything is deleted only where that is said, and what is not there is a 404', async (t) => {
  const nbi = await withFive(t);
  for (const path of ['/.*', '/.*?dryRun=true', '/.*?dryRun=false', '/.*?all=false']) {
    const { status, body } = await remove(nbi, path);
    t.is(status, 400, path);
    t.like(body, { details: [{ field: 'all' }] });
  }
  for (const path of ['/00A1B2-HGW-9', '/.*?ip=192.0.2.9', '/.*?ip=192.0.2.9&dryRun=true']) {
    t.is((await remove(nbi, path)).status, 404, path);
  }
  for (const path of ['/.*?ip<5', '/.*?lastInform<yesterday', '/.*?dryRun=1', '/.*?nope=1', '/(']) {
    t.is((await remove(nbi, path)).status, 400, path);
  }
  t.is((await known(nbi)).length, 5);
  t.is((await remove(nbi, '/.*?all=true')).status, 200);
  t.is((await known(nbi)).length, 0);
});

test('a dry run counts what would be deleted and what would refuse it, and deletes nothing', async (t) => {
  const nbi = await withFive(t);
  await nbi.putDevice({ serialNumber: '6', ip: '192.0.2.2', inFlight: RUNNING });
  const count = async (path: string) => {
    const { status, body } = await remove(nbi, path);
    t.is(status, 200, path);
    return body;
  };
  const message = 'response from DeviceStorage';
  const counted = (devices: number, upgrading: number) => ({
    code: 200,
    message,
    details: { devices, upgrading },
  });
  t.deepEqual(await count('/.*?ip=192.0.2.2&dryRun=true'), counted(3, 1));
  t.deepEqual(await count('/00A1B2-HGW-1?dryRun=true'), counted(1, 0));
  t.deepEqual(await count('/.*?all=true&dryRun=true'), counted(6, 1));
  t.is((await known(nbi)).length, 6);
});

test('where a CPE has an upgrade under way none is deleted, and it is named; upgrade=null leaves it out', async (t) => {
  const nbi = await withFive(t);
  const busy = await nbi.putDevice({ serialNumber: '6', inFlight: RUNNING });
  const { status, body } = await remove(nbi, '/.*?all=true');
  t.is(status, 409);
  t.like(body, { code: 409, details: [{ field: 'upgrade', code: 'upgrading', ids: [busy.id] }] });
  t.is((await known(nbi)).length, 6);
  t.is((await remove(nbi, `/${busy.id}`)).status, 409);
  t.is((await remove(nbi, '/.*?upgrade=null')).status, 200);
  t.deepEqual(await known(nbi), ['6']);
});

test('with a CPE goes its data model, and its results stay', async (t) => {
  const nbi = await withFive(t);
  const cpeid = '00A1B2-HGW-1' as CpeId;
  const parameters = nbi.store.collection<ParameterDocument>(PARAMETERS);
  await parameters.put({ id: `${cpeid}/Device.DeviceInfo`, values: { 'Device.DeviceInfo.X': 1 } });
  const { id } = await nbi.putUpgrade({ campaignid: 'R' as RuleId, cpeid, startedAtMs: Date.now() });
  t.is((await remove(nbi, `/${cpeid}`)).status, 200);
  t.is(await parameters.count(), 0);
  t.is((await nbi.call(`/v1/dyn/FirmwareResultStorage/${id}`)).status, 200);
  t.is((await nbi.call(`${BASE}/${cpeid}`)).status, 404);
  t.regex(await nbi.metrics.metrics(), /^ferry_cpes_deleted_total\{why="asked"\} 1$/m);
});

test('a viewer deletes no CPE, and counts none by way of deleting', async (t) => {
  const nbi = await withFive(t);
  for (const path of ['/00A1B2-HGW-1', '/00A1B2-HGW-1?dryRun=true']) {
    t.is((await nbi.call(BASE + path, { method: 'DELETE', as: VIEWER })).status, 403);
  }
  t.is((await known(nbi)).length, 5);
});

test('thousands are deleted in one call', async (t) => {
  const nbi = await startNbi(t);
  await Promise.all(Array.from({ length: 2_500 }, (_, n) => nbi.putDevice({ serialNumber: String(n) })));
  t.is(await nbi.store.collection(DEVICES).count(), 2_500);
  t.is((await remove(nbi, '/.*?lastInform>0')).status, 200);
  t.is(await nbi.store.collection(DEVICES).count(), 0);
});
