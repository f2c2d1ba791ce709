import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { DEVICES } from '../../../acs/device/device.js';
import { type Device, UPGRADES, type Upgrade } from '../../../acs/index.js';
import type { CpeId, ResultId, RuleId } from '../../../common/index.js';
import { type Reply, ruleBody, startNbi, type TestNbi, VIEWER } from '../support.js';
import { startWithTwo } from '../two-organizations.js';

const RULES = '/v1/dyn/FirmwareStorage';
const DONE = '{"code":204,"message":"response from FirmwareStorage","details":""}';

const textOf = ({ body }: Reply) => JSON.stringify(body);
const problemOf = ({ status, body }: Reply) => {
  const { details } = body as { readonly details: unknown };
  const [{ field = null } = {}] = (Array.isArray(details) ? details : []) as { readonly field?: string }[];
  return [status, field];
};

async function idsIn(nbi: Pick<TestNbi, 'call'>, as?: string): Promise<readonly string[]> {
  const { body } = await nbi.call(`${RULES}/.*`, as === undefined ? {} : { as });
  const { details } = body as { readonly details: readonly { readonly id: string }[] | '' };
  return details === '' ? [] : details.map(({ id }) => id).sort();
}

async function startWithRules(t: ExecutionContext, count = 12) {
  const nbi = await startNbi(t);
  const json = Array.from({ length: count }, (_, n) =>
    ruleBody(`R${n}`, { priority: n, enabled: n % 2 === 0, author: `a${n % 3}` }),
  );
  await nbi.call(`${RULES}/.*`, { method: 'POST', json });
  const post = (way: string, json: unknown, as?: string) =>
    nbi.call(`${RULES}/${way}`, { method: 'POST', json, ...(as !== undefined && { as }) });
  return { nbi, post };
}

test('delete_objects deletes what a list has that is asked for by the same fields', async (t) => {
  const { nbi, post } = await startWithRules(t);
  const gone = await post('delete_objects', { enabled: false, 'priority<': 6 });
  t.is(gone.status, 200);
  t.is(textOf(gone), DONE);
  t.deepEqual(await idsIn(nbi), ['R0', 'R10', 'R11', 'R2', 'R4', 'R6', 'R7', 'R8', 'R9']);
  t.is(textOf(await post('delete_objects', { author: ['a0', 'a1'], 'priority>=': 9 })), DONE);
  t.deepEqual(await idsIn(nbi), ['R0', 'R11', 'R2', 'R4', 'R6', 'R7', 'R8']);
  t.is(
    textOf(await post('delete_objects', { id: ['R0', 'none'], 'condition.cpeid': '00A1B2-HGW-R0' })),
    DONE,
  );
  t.is(textOf(await post('delete_objects', { campaignid: 'R2' })), DONE);
  t.is(textOf(await post('delete_objects', { cpeid: '00A1B2-HGW-R4' })), DONE);
  t.deepEqual(await idsIn(nbi), ['R11', 'R6', 'R7', 'R8']);
  const nothing = await post('delete_objects', { author: 'nobody' });
  t.deepEqual(
    [nothing.status, nothing.body],
    [404, { code: 404, message: 'response from FirmwareStorage', details: '' }],
  );
});

test('what is asked for as an object is what a query asks for, whatever the fields', async (t) => {
  const { nbi, post } = await startWithRules(t);
  const criteria = fc.record(
    {
      enabled: fc.boolean(),
      author: fc.constantFrom('a0', 'a1', 'a2', 'a3'),
      'priority<': fc.integer({ min: 0, max: 12 }),
      'priority>=': fc.integer({ min: 0, max: 12 }),
      id: fc.constantFrom('R1', 'R2', 'R99'),
      executions: fc.constantFrom(1, 2),
    },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(criteria, async (asked) => {
      if (Object.keys(asked).length === 0) return;
      const query = Object.entries(asked)
        .map(([name, value]) => `${name}${/[<>]$/.test(name) || name.endsWith('=') ? '' : '='}${value}`)
        .join('&');
      const listed = await nbi.call(`${RULES}/.*?${query}`);
      const counts = await nbi.call(`${RULES}/count.*?${query}`);
      const before = await idsIn(nbi);
      const answer = await post('delete_objects', asked);
      t.is(answer.status, listed.status, query);
      const ids =
        listed.status === 404
          ? []
          : (listed.body as { details: { id: string }[] }).details.map(({ id }) => id);
      t.is((counts.body as { details: number }).details, ids.length, query);
      t.deepEqual(
        await idsIn(nbi),
        before.filter((id) => !ids.includes(id)),
        query,
      );
      if (ids.length > 0 && listed.status === 200)
        await nbi.call(`${RULES}/.*`, {
          method: 'POST',
          json: (listed.body as { details: unknown[] }).details,
        });
    }),
    { numRuns: 40 },
  );
});

test('delete_objects_by_id deletes the entries of these ids, whole and no patterns, and passes over others', async (t) => {
  const { nbi, post } = await startWithRules(t);
  t.is(textOf(await post('delete_objects_by_id', ['R1', 'R3', 'none', 'R3', ''])), DONE);
  t.deepEqual(await idsIn(nbi), ['R0', 'R10', 'R11', 'R2', 'R4', 'R5', 'R6', 'R7', 'R8', 'R9']);
  for (const ids of [['R.*'], ['.*'], ['none'], ['r4'], [`R4${'x'.repeat(5_000)}`]])
    t.is((await post('delete_objects_by_id', ids)).status, 404, ids[0]?.slice(0, 20));
  t.is((await idsIn(nbi)).length, 10);
});

test('ten thousand ids go in one request and one more is refused, with nothing deleted', async (t) => {
  const { nbi, post } = await startWithRules(t);
  const many = Array.from({ length: 10_001 }, (_, n) => `R${n}`);
  const refused = await post('delete_objects_by_id', many);
  t.deepEqual(refused.body, {
    code: 413,
    message: 'response from FirmwareStorage',
    details: [
      {
        field: '',
        expected: 'a JSON array of at most 10000 ids: send it in several requests',
        found: 'an array of 10001',
      },
    ],
  });
  t.is((await idsIn(nbi)).length, 12);
  t.is(textOf(await post('delete_objects_by_id', many.slice(1))), DONE);
  t.deepEqual(await idsIn(nbi), ['R0']);
});

test('nothing that is empty, unknown or malformed deletes anything', async (t) => {
  const { nbi, post } = await startWithRules(t);
  const before = await idsIn(nbi);
  const cases: readonly (readonly [string, unknown, string])[] = [
    ['delete_objects', {}, 'all'],
    ['delete_objects', { nope: 1 }, 'nope'],
    ['delete_objects', { all: true }, 'all'],
    ['delete_objects', { enabled: true, nope: 1 }, 'nope'],
    ['delete_objects', { revision: 'all' }, 'revision'],
    ['delete_objects', { organization: 'north' }, 'organization'],
    ['delete_objects', { id: [] }, 'id'],
    ['delete_objects', { id: null }, 'id'],
    ['delete_objects', { id: { $ne: 'R1' } }, 'id'],
    ['delete_objects', { author: [] }, 'author'],
    ['delete_objects', { author: { $gt: '' } }, 'author'],
    ['delete_objects', { author: null }, 'author'],
    ['delete_objects', { enabled: 'true' }, 'enabled'],
    ['delete_objects', { priority: '1' }, 'priority'],
    ['delete_objects', { 'priority<': '5' }, 'priority<'],
    ['delete_objects', { 'priority<': [5] }, 'priority<'],
    ['delete_objects', { 'author<': 5 }, 'author<'],
    ['delete_objects', { '<': 5 }, '<'],
    ['delete_objects', { condition: { cpeid: 'R1' } }, 'condition'],
    ['delete_objects', { toString: 1 }, 'toString'],
    ['delete_objects', { constructor: 1 }, 'constructor'],
    ['delete_objects', { id: Array.from({ length: 1_001 }, (_, n) => `R${n}`) }, 'id'],
    ['delete_objects', [], ''],
    ['delete_objects', ['R1'], ''],
    ['delete_objects', 'R1', ''],
    ['delete_objects', null, ''],
    ['delete_objects_by_id', [], 'all'],
    ['delete_objects_by_id', {}, ''],
    ['delete_objects_by_id', { id: ['R1'] }, ''],
    ['delete_objects_by_id', 'R1', ''],
    ['delete_objects_by_id', ['R1', 2], ''],
    ['delete_objects_by_id', ['R1', null], ''],
    ['delete_objects_by_id', [['R1']], ''],
    ['delete_objects?all=false', {}, 'all'],
    ['delete_objects?all=1', {}, 'all'],
    ['delete_objects?id=R1', {}, 'id'],
    ['delete_objects_by_id?id=R1', ['R1'], 'id'],
    ['delete_objects_by_id?limit=1', ['R1'], 'limit'],
  ];
  for (const [way, json, field] of cases)
    t.deepEqual(
      problemOf(await post(way, json)),
      [400, field],
      `${way} ${JSON.stringify(json)?.slice(0, 80)}`,
    );
  const raw = (body: string, headers: Record<string, string> = { 'Content-Type': 'application/json' }) =>
    nbi.call(`${RULES}/delete_objects`, { method: 'POST', body, headers });
  t.is((await raw('{"__proto__": {"enabled": true}}')).status, 400);
  t.is((await raw('{"id": "R1", "id": "R2"}')).status, 400);
  t.is((await raw('{"id": "R1"')).status, 400);
  t.is((await raw('')).status, 400);
  t.is((await raw('{"id": "R1"}', { 'Content-Type': 'text/plain' })).status, 415);
  t.deepEqual(await idsIn(nbi), before);
});

test('everything is deleted only where all=true says so', async (t) => {
  for (const [way, json] of [
    ['delete_objects', {}],
    ['delete_objects_by_id', []],
  ] as const) {
    const { nbi, post } = await startWithRules(t, 3);
    t.is(textOf(await post(`${way}?all=true`, json)), DONE);
    t.deepEqual(await idsIn(nbi), []);
    t.is((await post(`${way}?all=true`, json)).status, 404);
  }
});

test('with all=true what is named is deleted and nothing else', async (t) => {
  const { nbi, post } = await startWithRules(t, 4);
  t.is(textOf(await post('delete_objects_by_id?all=true', ['R1'])), DONE);
  t.is(textOf(await post('delete_objects?all=true', { id: 'R2' })), DONE);
  t.deepEqual(await idsIn(nbi), ['R0', 'R3']);
});

test('these names are of POST alone: by GET, PUT and DELETE they are ids, and a rule of that name can be posted elsewhere', async (t) => {
  const nbi = await startNbi(t);
  const rule = ruleBody('delete_objects', { condition: { cpeid: 'x' } });
  t.is((await nbi.call(`${RULES}/.*`, { method: 'POST', json: rule })).status, 200);
  t.is((await nbi.call(`${RULES}/delete_objects`)).status, 200);
  t.is((await nbi.call(`${RULES}/delete_objects`, { method: 'PUT', json: { priority: 2 } })).status, 200);
  const posted = await nbi.call(`${RULES}/delete_objects`, { method: 'POST', json: rule });
  t.is(posted.status, 400);
  t.is((await nbi.call(`${RULES}/delete_objects`, { method: 'DELETE' })).status, 200);
  t.deepEqual(await idsIn(nbi), []);
});

test('viewers are refused, and of an organization its own alone is deleted', async (t) => {
  const nbi = await startWithTwo(t);
  const { as } = nbi;
  for (const [who, id] of [
    [as.north.operator, 'A'],
    [as.south.operator, 'A'],
    [as.installation.operator, 'A'],
  ] as const)
    await nbi.call(`${RULES}/.*`, { method: 'POST', json: ruleBody(id), as: who });
  const post = (way: string, json: unknown, who: string) =>
    nbi.call(`${RULES}/${way}`, { method: 'POST', json, as: who });
  for (const [way, json] of [
    ['delete_objects', { id: 'A' }],
    ['delete_objects_by_id', ['A']],
  ] as const) {
    t.is((await post(way, json, as.north.viewer)).status, 403);
    t.is((await post(`${way}?organization=south`, json, as.north.operator)).status, 404);
  }
  t.is((await post('delete_objects_by_id', ['A'], as.north.operator)).status, 200);
  t.deepEqual(await idsIn(nbi, as.north.viewer), []);
  t.deepEqual(await idsIn(nbi, as.south.viewer), ['A']);
  t.is((await post('delete_objects?organization=south', { id: 'A' }, as.installation.operator)).status, 200);
  t.deepEqual(await idsIn(nbi, as.installation.viewer), ['A']);
  t.is((await post('delete_objects?all=true', {}, as.north.operator)).status, 404);
  t.deepEqual(await idsIn(nbi, as.installation.viewer), ['A']);
  await nbi.putDeviceOf(nbi.south, { serialNumber: '2' });
  const south = '00A1B2-HGW-2';
  const devices = (way: string, json: unknown) =>
    nbi.call(`/v1/dyn/DeviceStorage/${way}`, { method: 'POST', json, as: as.north.operator });
  const [unknown, another] = [
    await devices('delete_objects_by_id', ['00A1B2-HGW-9']),
    await devices('delete_objects_by_id', [south]),
  ];
  t.deepEqual([another.status, another.body], [unknown.status, unknown.body]);
  t.is((await devices('delete_objects', { organization: 'south' })).status, 404);
  t.truthy(await nbi.store.collection<Device>(DEVICES).get(south));
});

test('CPEs with an upgrade under way keep all of a selection, in the words of DELETE', async (t) => {
  const nbi = await startNbi(t);
  for (const n of [1, 2, 3])
    await nbi.putDevice({ serialNumber: String(n), ...(n === 2 && { inFlight: 'up' as ResultId }) });
  for (const storage of ['DeviceStorage', 'CpeDbService']) {
    const base = `/v1/dyn/${storage}`;
    const byDelete = await nbi.call(`${base}/.*?productClass=HGW`, { method: 'DELETE' });
    t.is(byDelete.status, 409);
    for (const [way, json] of [
      ['delete_objects', { productClass: 'HGW' }],
      ['delete_objects_by_id', [1, 2, 3].map((n) => `00A1B2-HGW-${n}`)],
    ] as const) {
      const refused = await nbi.call(`${base}/${way}`, { method: 'POST', json });
      t.deepEqual([refused.status, refused.body], [409, byDelete.body], way);
      const dry = await nbi.call(`${base}/${way}?dryRun=true`, { method: 'POST', json });
      t.deepEqual(dry.body, {
        code: 200,
        message: `response from ${storage}`,
        details: { devices: 3, upgrading: 1 },
      });
    }
  }
  const left = await nbi.call('/v1/dyn/CpeDbService/delete_objects', {
    method: 'POST',
    json: { upgrade: null, 'lastInform<=': '2026-01-01T00:00:00Z' },
  });
  t.is(textOf(left), '{"code":204,"message":"response from CpeDbService","details":""}');
  const { body } = await nbi.call('/v1/dyn/DeviceStorage/.*');
  t.deepEqual(
    (body as { details: { id: string }[] }).details.map(({ id }) => id),
    ['00A1B2-HGW-2'],
  );
});

test('results go by their own ids and not by their rules’, by fields with those of earlier files where revision says so, and never while they run', async (t) => {
  const nbi = await startNbi(t);
  const [campaignid, cpeid] = ['r' as RuleId, 'cpe' as CpeId];
  const ids: string[] = [];
  for (let n = 0; n < 4; n++) ids.push((await nbi.putUpgrade({ campaignid, cpeid })).id);
  await nbi.call(`${RULES}/.*`, { method: 'POST', json: ruleBody('r') });
  const running = await nbi.putUpgrade({ campaignid: 's' as RuleId, cpeid, state: 'sent', status: false });
  const base = '/v1/dyn/FirmwareResultStorage';
  const post = (way: string, json: unknown) => nbi.call(`${base}/${way}`, { method: 'POST', json });
  const left = async () => {
    const found: string[] = [];
    for await (const { document } of nbi.store.collection<Upgrade>(UPGRADES).scan({}))
      found.push(document.id);
    return found.length;
  };
  t.is((await post('delete_objects_by_id', ['r'])).status, 404);
  t.is((await post('delete_objects_by_id', [ids[0]])).status, 200);
  t.is(await left(), 4);
  const refused = await post('delete_objects_by_id', [ids[1], running.id]);
  t.is(refused.status, 409);
  t.deepEqual((refused.body as { details: { ids: string[] }[] }).details[0]?.ids, [running.id]);
  t.is(await left(), 4);
  // They are of an earlier file.
  t.is((await post('delete_objects', { id: 'r' })).status, 404);
  t.deepEqual(problemOf(await post('delete_objects', { id: 'r', revision: 'some' })), [400, 'revision']);
  t.is((await post('delete_objects', { revision: 'all' })).status, 400);
  t.is((await post('delete_objects', { id: 'r', revision: 'all', 'ts<': 1 })).status, 404);
  t.is((await post('delete_objects?revision=all', { id: 'r', result: 1 })).status, 400);
  t.is((await post('delete_objects', { campaignid: 'r', revision: 'all', 'result.code': 200 })).status, 200);
  t.is(await left(), 1);
});

test('of two who delete the same at once each is answered, and nothing is left or lost', async (t) => {
  const { nbi, post } = await startWithRules(t, 2_500);
  const ids = Array.from({ length: 2_400 }, (_, n) => `R${n}`);
  const answers = await Promise.all([
    post('delete_objects_by_id', ids),
    post('delete_objects', { 'priority<': 2_400 }),
    post('delete_objects_by_id', ids),
  ]);
  for (const { status } of answers) t.true(status === 200 || status === 404, String(status));
  t.true(answers.some(({ status }) => status === 200));
  t.is((await idsIn(nbi)).length, 100);
});

test('the audit is deleted by nobody, by whatever way', async (t) => {
  const nbi = await startNbi(t);
  await nbi.users.add({ name: 'root', password: 'a test password', role: 'admin' });
  for (const [path, method] of [
    ['.*?all=true', 'DELETE'],
    ['delete_objects?all=true', 'POST'],
    ['delete_objects_by_id?all=true', 'POST'],
  ] as const) {
    const reply = await nbi.call(`/v1/dyn/AuditStorage/${path}`, {
      method,
      as: 'root:a test password',
      ...(method === 'POST' && { json: {} }),
    });
    t.deepEqual([reply.status, reply.headers.get('Allow')], [405, 'GET'], path);
  }
  t.is((await nbi.call(`${RULES}/delete_objects`, { method: 'POST', json: {}, as: null })).status, 401);
  t.is((await nbi.call(`${RULES}/delete_objects`, { method: 'POST', json: {}, as: VIEWER })).status, 403);
});
