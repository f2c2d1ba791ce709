import test from 'ava';
import type { CountKey, CpeId, ResultId, RuleId } from '../../common/index.js';
import { isObject } from '../../nbi/http/index.js';
import { type Reply, ruleBody, startNbi, type TestNbi } from './support.js';

const BASE = '/v1/dyn/FirmwareResultStorage';
const DONE = { code: 204, message: 'response from FirmwareResultStorage', details: '' };
const NOTHING = { code: 404, message: 'response from FirmwareResultStorage', details: '' };

const uuid = (last: number) => `cd3627cd-1908-4ff8-8fe3-${String(last).padStart(12, '0')}` as ResultId;

function numbersOf({ body }: Reply): unknown[] {
  const details = isObject(body) ? body['details'] : null;
  return Array.isArray(details)
    ? details.map((entry) => (isObject(entry) ? Number(String(entry['id']).slice(-3)) : entry))
    : [];
}

/** Rule r has results 1 (an earlier file), 2 and 3; rule s has 4 and the running 5; 6 is of a rule that is gone. */
async function startWithResults(t: Parameters<typeof startNbi>[0]): Promise<TestNbi> {
  const nbi = await startNbi(t);
  const json = [ruleBody('r'), ruleBody('s')];
  await nbi.call('/v1/dyn/FirmwareStorage/.*', { method: 'POST', json });
  const put = async (last: number, rule: string, more: Record<string, unknown> = {}) => {
    const stored = await nbi.rules.get(rule as RuleId);
    await nbi.putUpgrade({
      id: uuid(last),
      campaignid: rule as RuleId,
      countKey: stored === null ? ('gone' as CountKey) : nbi.rules.countKey(stored.rule),
      cpeid: `cpe-${last % 2}` as CpeId,
      startedAtMs: 1_743_412_500_000 + last * 1_000,
      updatedAtMs: 1_743_412_500_000 + last * 1_000,
      ...more,
    });
  };
  await put(1, 'r', { countKey: 'earlier' });
  await put(2, 'r');
  await put(3, 'r', { state: 'failed', result: { code: 500, message: 'x' } });
  await put(4, 's');
  await put(5, 's', { state: 'sent', status: false, result: { code: 202, message: 'running' } });
  await put(6, 'gone');
  return nbi;
}

test('results are newest first, and those of an earlier file or target only on revision=all or by their own id', async (t) => {
  const nbi = await startWithResults(t);
  const queries: readonly (readonly [string, readonly number[]])[] = [
    ['/.*', [6, 5, 4, 3, 2]],
    ['/.*?revision=current', [6, 5, 4, 3, 2]],
    ['/.*?revision=all', [6, 5, 4, 3, 2, 1]],
    ['/.*?id=r', [3, 2]],
    ['/.*?id=r&revision=all', [3, 2, 1]],
    ['/.*?campaignid=r', [3, 2]],
    ['/.*?campaignid=r&campaignid=s', [5, 4, 3, 2]],
    ['/.*?id=gone', [6]],
    [`/${uuid(1)}`, [1]],
    [`/.*?id=${uuid(1)}`, [1]],
    [`/.*?id=${uuid(4)}&id=r`, [4, 3, 2]],
    [`/.*?id=${uuid(3)}&id=r`, [3, 2]],
    [`/${uuid(2)}?id=r`, [2]],
    [`/${uuid(2)}?id=s`, []],
    ['/.*?cpeid=cpe-1', [5, 3]],
    ['/.*?cpeid=cpe-0&cpeid=cpe-1&status=true', [6, 4, 3, 2]],
    ['/.*?status=false', [5]],
    ['/.*?result.code=500', [3]],
    ['/.*?ts=1743412502', [2]],
    ['/.*3', [3]],
    ['/r', [3, 2]],
    ['/r?revision=all', [3, 2, 1]],
    ['/gon.', [6]],
    [`/${uuid(4)}|r`, [4, 3, 2]],
    ['/r?id=s', []],
    ['/q', []],
  ];
  for (const [query, numbers] of queries) {
    const reply = await nbi.call(BASE + query);
    t.is(reply.status, numbers.length === 0 ? 404 : 200, query);
    t.deepEqual(numbersOf(reply), numbers, query);
  }
});

test('after its rule got another file, a result is of an earlier revision', async (t) => {
  const nbi = await startWithResults(t);
  const json = ruleBody('r', { file: 'http://files.example.net/hgw-3.0.0.bin' });
  await nbi.call('/v1/dyn/FirmwareStorage/.*', { method: 'POST', json });
  t.deepEqual((await nbi.call(`${BASE}/.*?id=r`)).body, NOTHING);
  t.deepEqual(numbersOf(await nbi.call(`${BASE}/.*?id=r&revision=all`)), [3, 2, 1]);
});

test('pages of results join without gap or repetition', async (t) => {
  const nbi = await startWithResults(t);
  const first = await nbi.call(`${BASE}/.*?limit=3&revision=all`);
  const after = first.headers.get('X-Next-After');
  const second = await nbi.call(`${BASE}/.*?limit=3&revision=all&after=${after}`);
  t.deepEqual([...numbersOf(first), ...numbersOf(second)], [6, 5, 4, 3, 2, 1]);
  t.is(second.headers.get('Link'), null);
});

test('DELETE removes what GET shows', async (t) => {
  const nbi = await startWithResults(t);
  const remove = (query: string) => nbi.call(BASE + query, { method: 'DELETE' });
  t.deepEqual((await remove('/.*?id=r')).body, DONE);
  t.deepEqual(numbersOf(await nbi.call(`${BASE}/.*?revision=all`)), [6, 5, 4, 1]);
  t.deepEqual((await remove('/.*?id=r')).body, NOTHING);
  t.deepEqual((await remove('/.*?id=r&revision=all')).body, DONE);
  t.is((await remove('/.*')).status, 400);
});

test('DELETE of a running upgrade is refused, names it, and deletes nothing', async (t) => {
  const nbi = await startWithResults(t);
  const refused = await nbi.call(`${BASE}/.*?id=s`, { method: 'DELETE' });
  t.is(refused.status, 409);
  t.deepEqual(refused.body, {
    code: 409,
    message: 'response from FirmwareResultStorage',
    details: [
      {
        field: 'status',
        code: 'running',
        expected:
          'true: these upgrades still run; delete their results once they have ended, or add status=true',
        ids: [uuid(5)],
      },
    ],
  });
  t.deepEqual(numbersOf(await nbi.call(`${BASE}/.*?id=s`)), [5, 4]);
  t.deepEqual((await nbi.call(`${BASE}/.*?id=s&status=true`, { method: 'DELETE' })).body, DONE);
  t.deepEqual(numbersOf(await nbi.call(`${BASE}/.*?id=s`)), [5]);
});

test('results cannot be written', async (t) => {
  const nbi = await startWithResults(t);
  for (const method of ['POST', 'PUT']) {
    const { status, headers, body } = await nbi.call(`${BASE}/.*`, { method, json: {} });
    t.is(status, 405);
    t.is(headers.get('Allow'), 'GET, DELETE');
    t.like(body, { code: 405, message: 'response from FirmwareResultStorage' });
  }
});
