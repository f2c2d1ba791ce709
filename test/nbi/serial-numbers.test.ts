import test from 'ava';
import type { CpeId, RuleId } from '../../common/index.js';
import { isObject } from '../../nbi/http/index.js';
import { RULES, type StoredRule } from '../../rules/index.js';
import { startNbi, type TestNbi } from './support.js';

const ONE = '00A1B2-HGW-S1' as CpeId;
const TWIN = '00A1B2-HGW-S2' as CpeId;
const OTHER_TWIN = '00C3D4-STB-S2' as CpeId;
const RULE = { id: 'r', file: 'http://files.example.net/hgw.bin', automatic: true };

async function startKnowing(t: Parameters<typeof startNbi>[0]): Promise<TestNbi> {
  const nbi = await startNbi(t);
  await nbi.putDevice({ serialNumber: 'S1' });
  await nbi.putDevice({ serialNumber: 'S2' });
  await nbi.putDevice({ id: OTHER_TWIN, serialNumber: 'S2', oui: '00C3D4', productClass: 'STB' });
  return nbi;
}

function detailsOf(body: unknown): unknown {
  return isObject(body) ? body['details'] : body;
}

function idsOf(body: unknown): unknown {
  const details = detailsOf(body);
  return Array.isArray(details)
    ? details.map((entry: unknown) => (isObject(entry) ? entry['id'] : entry))
    : details;
}

const post = (nbi: TestNbi, body: unknown) =>
  nbi.call('/v1/dyn/FirmwareStorage/.*', { method: 'POST', json: body });
const method = (nbi: TestNbi, name: string, body: unknown) =>
  nbi.call(`/v1/method/${name}`, { method: 'POST', json: body });

const SEVERAL = {
  field: 'cpeid',
  code: 'ambiguous-serial',
  expected: 'one CPE: name it by its cpeid',
  found: '"S2"',
  ids: [TWIN, OTHER_TWIN],
};

test('a rule for a serial number is stored, with a warning where it is of nobody yet, or of several', async (t) => {
  const nbi = await startKnowing(t);
  const answer = { code: 204, message: 'response from FirmwareStorage', details: '' };
  t.deepEqual((await post(nbi, { ...RULE, condition: { cpeid: 'S1' } })).body, answer);
  t.deepEqual((await post(nbi, { ...RULE, condition: { cpeid: ONE } })).body, answer);
  t.deepEqual((await post(nbi, { ...RULE, condition: { cpeid: ['S1', 'S9', 'S2'] } })).body, {
    ...answer,
    warnings: [
      { id: 'r', code: 'unknown-serial', message: 'no CPE has the cpeid or serial number "S9" yet' },
      {
        id: 'r',
        code: 'ambiguous-serial',
        message: `several devices have the serial number S2: ${TWIN}, ${OTHER_TWIN}; none of them is upgraded`,
      },
    ],
  });
  const lines = await nbi.call('/v1/dyn/FirmwareStorage/.*', {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-ndjson' },
    body: `${JSON.stringify({ ...RULE, id: 'n', condition: { cpeid: 'S9' } })}\n`,
  });
  const [line = ''] = String(lines.body).split('\n');
  t.deepEqual(JSON.parse(line), {
    lines: [1, 1],
    code: 204,
    written: 1,
    unchanged: 0,
    warnings: [
      { id: 'n', code: 'unknown-serial', message: 'no CPE has the cpeid or serial number "S9" yet' },
    ],
  });
  const shown = await nbi.call('/v1/dyn/FirmwareStorage/.*?cpeid=S9');
  t.deepEqual(idsOf(shown.body), ['n']);
});

test('a rule that comes to be read with patterns says how many CPEs more it hits', async (t) => {
  const nbi = await startKnowing(t);
  const rule = { ...RULE, condition: { serialNumber: ['S*', 'S1'] } };
  await post(nbi, rule);
  const stored = await nbi.rules.get('r' as RuleId);
  if (stored === null) return t.fail();
  const { patterns: _, ...older } = stored.rule;
  await nbi.store.collection<StoredRule>(RULES).put(older);
  const { body } = await post(nbi, rule);
  t.deepEqual(isObject(body) && body['warnings'], [
    {
      id: 'r',
      code: 'patterns',
      message: 'its condition was read by equality alone before: now it hits 2 CPEs more',
    },
  ]);
  t.deepEqual((await post(nbi, rule)).body, {
    code: 204,
    message: 'response from FirmwareStorage',
    details: '',
  });
});

test('a condition that is changed is warned of as one that is posted, and no other change is', async (t) => {
  const nbi = await startKnowing(t);
  await post(nbi, { ...RULE, condition: { cpeid: 'S9' } });
  const put = (json: unknown) => nbi.call('/v1/dyn/FirmwareStorage/r', { method: 'PUT', json });
  const answer = { code: 204, message: 'response from FirmwareStorage', details: '' };
  t.deepEqual((await put({ enabled: false })).body, answer);
  t.deepEqual((await put({ condition: { cpeid: 'S8' } })).body, {
    ...answer,
    warnings: [
      { id: 'r', code: 'unknown-serial', message: 'no CPE has the cpeid or serial number "S8" yet' },
    ],
  });
});

test('a serial number may look like a cpeid, and one that waits to be enrolled has no part in whom it stands for', async (t) => {
  const nbi = await startKnowing(t);
  const dashed = '00A1B2-HGW-SN~2D1' as CpeId;
  await nbi.putDevice({ id: dashed, serialNumber: 'SN-1' });
  await nbi.putDevice({
    id: '00C3D4-HGW-S1' as CpeId,
    oui: '00C3D4',
    serialNumber: 'S1',
    enrolment: 'waiting',
  });
  const list = async (path: string) => idsOf((await nbi.call(`/v1/dyn/${path}`)).body);
  t.deepEqual(await list('DeviceStorage/.*?cpeid=SN-1'), [dashed]);
  t.is((await method(nbi, 'SendCNR', { search_options: { cpe_id: 'SN-1' } })).status, 502);
  t.like(detailsOf((await method(nbi, 'ExplainRules', { cpe_id: 'S1' })).body), { cpeid: ONE });
  t.deepEqual((await post(nbi, { ...RULE, condition: { cpeid: 'S1' }, priority: 2 })).body, {
    code: 204,
    message: 'response from FirmwareStorage',
    details: '',
  });
});

test('what many CPEs share is looked up once however often it is named, and each page of a sorted list is of the same', async (t) => {
  const nbi = await startKnowing(t);
  const names = [...Array(300).fill('S2'), 'S1'].map((name: string) => `id=${name}`).join('&');
  t.deepEqual(idsOf((await nbi.call(`/v1/dyn/DeviceStorage/.*?${names}&sort=id`)).body), [
    ONE,
    TWIN,
    OTHER_TWIN,
  ]);
});

test('CPEs and results are found by serial numbers, and none is changed whose number several have', async (t) => {
  const nbi = await startKnowing(t);
  for (const cpeid of [ONE, TWIN, OTHER_TWIN]) await nbi.putUpgrade({ campaignid: 'r' as RuleId, cpeid });
  const list = async (path: string) => idsOf((await nbi.call(`/v1/dyn/${path}`)).body);
  for (const name of ['id', 'cpeid', 'cpe_id']) t.deepEqual(await list(`DeviceStorage/.*?${name}=S1`), [ONE]);
  t.deepEqual(await list('DeviceStorage/.*?cpeid=S2'), [TWIN, OTHER_TWIN]);
  t.deepEqual(await list(`DeviceStorage/.*?cpeid=S1&cpeid=${TWIN}`), [ONE, TWIN]);
  t.is(await list('DeviceStorage/.*?cpeid=S9'), '');
  const results = async (query: string) => {
    const details = detailsOf((await nbi.call(`/v1/dyn/FirmwareResultStorage/.*?${query}`)).body);
    return Array.isArray(details)
      ? details.map((each: unknown) => isObject(each) && each['cpeid']).sort()
      : details;
  };
  t.deepEqual(await results('cpeid=S1'), [ONE]);
  t.deepEqual(await results('cpeid=S2'), [TWIN, OTHER_TWIN]);
  for (const path of ['DeviceStorage/.*?cpeid=S2', 'FirmwareResultStorage/.*?cpeid=S2']) {
    const { status, body } = await nbi.call(`/v1/dyn/${path}`, { method: 'DELETE' });
    t.is(status, 409);
    t.deepEqual(detailsOf(body), [SEVERAL]);
  }
  t.is((await nbi.call('/v1/dyn/DeviceStorage/.*?cpeid=S1', { method: 'DELETE' })).status, 200);
  t.deepEqual(await list('DeviceStorage/.*'), [TWIN, OTHER_TWIN]);
});

test('methods take a serial number for the CPE that alone has it, and name those that share one', async (t) => {
  const nbi = await startKnowing(t);
  await post(nbi, { ...RULE, condition: { cpeid: ['S1', 'S2'] } });
  const explained = detailsOf((await method(nbi, 'ExplainRules', { cpe_id: 'S1' })).body);
  t.like(explained, { cpeid: ONE, kind: 'upgrade', winner: 'r' });
  const twin = detailsOf((await method(nbi, 'ExplainRules', { cpe_id: TWIN })).body);
  const rules = isObject(twin) && Array.isArray(twin['rules']) ? twin['rules'] : [];
  t.like(rules[0], { id: 'r', verdict: 'ambiguous-serial' });
  t.like(detailsOf((await method(nbi, 'MatchDevices', { rule_id: 'r' })).body), {
    looked_at: 3,
    matching: 1,
    verdicts: { chosen: 1, 'ambiguous-serial': 2 },
    errors: [TWIN, OTHER_TWIN].map((cpeid) => ({ cpeid, verdict: 'ambiguous-serial' })),
  });
  // None of them has told where it can be called.
  t.is((await method(nbi, 'SendCNR', { search_options: { cpe_id: 'S1' } })).status, 502);
  for (const [name, body] of [
    ['SendCNR', { search_options: { cpe_id: 'S2' } }],
    ['ExplainRules', { cpe_id: 'S2' }],
    ['ReadmitDevice', { cpe_id: 'S2' }],
    ['ApproveDevices', { cpe_id: 'S2' }],
  ] as const) {
    const { status, body: refused } = await method(nbi, name, body);
    t.deepEqual([name, status, detailsOf(refused)], [name, 409, [SEVERAL]]);
  }
  t.deepEqual(detailsOf((await method(nbi, 'ApproveDevices', { cpe_id: ['S1', TWIN] })).body), {
    approved: 0,
    named: 0,
    enrolled: 2,
  });
  t.is((await method(nbi, 'ApproveDevices', { cpe_id: 'S9' })).status, 400);
});
