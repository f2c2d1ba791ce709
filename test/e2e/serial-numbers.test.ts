import test, { type ExecutionContext } from 'ava';
import { startTestFerry, type TestFerry, until } from '../support/ferry.js';
import {
  createCpe,
  introduce,
  NEW_VERSION,
  outcomes,
  postRule,
  SUCCESS,
  startListener,
  uploadImage,
} from './simulated.js';

const RULE = { id: 'r', file: 'hgw-2.0.0.bin', condition: { cpeid: 'S1' } };
const OTHER_VENDOR = { manufacturer: 'Other', oui: '00C3D4', productClass: 'HGW', serialNumber: 'S1' };

async function devicesOf({ nbi }: TestFerry): Promise<readonly string[]> {
  const { status, body } = await nbi('GET', '/v1/dyn/DeviceStorage/.*');
  return status === 200 ? (body as { details: { id: string }[] }).details.map(({ id }) => id) : [];
}

async function secondOuis(t: ExecutionContext, { nbi }: TestFerry): Promise<number> {
  const { status, body } = await nbi('GET', '/metrics');
  t.is(status, 200);
  return Number(/^ferry_cpe_second_oui_total (\d+)$/m.exec(String(body))?.[1]);
}

test('a rule for a serial number of nobody upgrades the CPE that comes with it', async (t) => {
  const { nbi, urls } = await startTestFerry(t);
  await uploadImage(t, nbi);
  await postRule(t, nbi, RULE);
  createCpe(t, urls.cwmp, 'S1').start();
  await until('it is upgraded', async () => (await outcomes(nbi, 'S1')).includes(`200 ${SUCCESS}`));
});

test('where two CPEs have a serial number neither is upgraded, and the log says why, until one is gone', async (t) => {
  const { nbi, urls, events } = await startTestFerry(t);
  await uploadImage(t, nbi);
  const listener = await startListener(t);
  const cpe = createCpe(t, urls.cwmp, 'S1', { listener });
  const twin = createCpe(t, urls.cwmp, 'S1', { listener: await startListener(t), identity: OTHER_VENDOR });
  await introduce(nbi, cpe);
  twin.start();
  const ids = ['00A1B2-HGW-S1', '00C3D4-HGW-S1'];
  await until('both are known', async () => {
    const { body } = await nbi('GET', '/v1/dyn/DeviceStorage/.*?serialNumber=S1&provisioning=done');
    return JSON.stringify(body).includes(ids[1] ?? '') && !twin.inSession;
  });
  await postRule(t, nbi, RULE);
  const ask = (cpe_id: string) => nbi('POST', '/v1/method/SendCNR', { search_options: { cpe_id } });
  t.is((await ask('S1')).status, 409);
  for (const id of ids) t.is((await ask(id)).status, 200);
  await until('the log says so', () => events.some(({ event }) => event === 'rules.ambiguous-serial'));
  const { body } = await nbi('POST', '/v1/method/MatchDevices', { rule_id: 'r' });
  t.like((body as { details: unknown }).details, { verdicts: { 'ambiguous-serial': 2 } });
  t.deepEqual(await outcomes(nbi, 'S1'), []);
  await twin.stop();
  t.is((await nbi('DELETE', '/v1/dyn/DeviceStorage/00C3D4-HGW-S1')).status, 200);
  t.is((await ask('S1')).status, 200);
  await until('it is upgraded', async () => (await outcomes(nbi, 'S1')).includes(`200 ${SUCCESS}`));
});

test('where the serial number is the identity it is a CPE’s id, and a second OUI is refused and alarmed', async (t) => {
  const ferry = await startTestFerry(t, { config: { cpeid: 'serial' } });
  const { nbi, urls, events } = ferry;
  await uploadImage(t, nbi);
  await postRule(t, nbi, { ...RULE, condition: { cpeid: 'S*' } });
  const cpe = createCpe(t, urls.cwmp, 'S1');
  cpe.start();
  await until('it is upgraded', async () => (await outcomes(nbi, 'S1')).includes(`200 ${SUCCESS}`));
  t.deepEqual(await devicesOf(ferry), ['S1']);
  const twin = createCpe(t, urls.cwmp, 'S1', { identity: OTHER_VENDOR });
  twin.start();
  await until('it is alarmed', () => events.some(({ event }) => event === 'cpe.second-oui'));
  await twin.stop();
  const alarm = events.find(({ event }) => event === 'cpe.second-oui');
  t.deepEqual(alarm?.fields, { cpeid: 'S1', oui: '00C3D4', known: '00A1B2', ip: '127.0.0.1' });
  t.true((await secondOuis(t, ferry)) >= 1);
  const { body } = await nbi('GET', '/v1/dyn/DeviceStorage/S1');
  t.like((body as { details: unknown[] }).details[0], { oui: '00A1B2', softwareVersion: NEW_VERSION });
  t.is((await nbi('POST', '/v1/method/ApproveDevices', { cpe_id: ['S1', 'S~2D7'] })).status, 200);
});

test('what tells CPEs apart is fixed at the first start', async (t) => {
  const { dataDir, close } = await startTestFerry(t, { config: { cpeid: 'serial' } });
  await close();
  await t.throwsAsync(startTestFerry(t, { dataDir }), {
    message:
      'The CPEs of this installation are told apart by their serial numbers alone, which cannot be changed any more: start it with --cpeid serial',
  });
  await (await startTestFerry(t, { dataDir, config: { cpeid: 'serial' } })).close();
  const other = await startTestFerry(t);
  await other.close();
  await t.throwsAsync(startTestFerry(t, { dataDir: other.dataDir, config: { cpeid: 'serial' } }), {
    message: /start it with --cpeid oui$/,
  });
});
