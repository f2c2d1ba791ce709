import test, { type ExecutionContext } from 'ava';
import { type CpeId, type RuleId, silentLogger, systemClock } from '../../common/index.js';
import { isObject } from '../../nbi/http/index.js';
import { openRules, type RuleOwner } from '../../rules/index.js';
import { openTables } from '../../rules/storage/index.js';
import { inputOf } from '../rules/setup.js';
import { testSecrets } from '../support/secrets.js';
import { type Reply, ruleBody, startNbi, type TestNbi } from './support.js';

const BASE = '/v1/dyn/FirmwareStorage';
const DONE = { code: 204, message: 'response from FirmwareStorage', details: '' };
const NOTHING = { code: 404, message: 'response from FirmwareStorage', details: '' };

const post = (nbi: TestNbi, json: unknown, headers: Record<string, string> = {}) =>
  nbi.call(`${BASE}/.*`, { method: 'POST', json, headers });

function idsOf({ body }: Reply): unknown[] {
  const details = isObject(body) ? body['details'] : null;
  return Array.isArray(details) ? details.map((entry) => (isObject(entry) ? entry['id'] : entry)) : [];
}

async function revisionsOf(nbi: TestNbi, ids: readonly string[]): Promise<unknown[]> {
  return Promise.all(ids.map(async (id) => (await nbi.rules.get(id as RuleId))?.revision));
}

function fieldsOf({ status, body }: Reply): unknown {
  const details = isObject(body) ? body['details'] : null;
  return [
    status,
    Array.isArray(details) ? details.map((each) => (isObject(each) ? each['field'] : each)) : details,
  ];
}

test('what GET shows can be posted again as it is, and changes nothing', async (t) => {
  const nbi = await startNbi(t);
  await post(nbi, [
    ruleBody('r1', {
      condition: 'softwareVersion != "2.0.0"',
      window: { cron: '0 2 * * *', durationMinutes: 60, timezone: 'Europe/Berlin' },
      limits: { concurrent: 5 },
    }),
    ruleBody('r2'),
  ]);
  const before = await nbi.call(`${BASE}/.*`);
  const revisions = await revisionsOf(nbi, ['r1', 'r2']);
  const details = isObject(before.body) ? before.body['details'] : null;
  t.deepEqual((await post(nbi, details)).body, DONE);
  t.deepEqual((await nbi.call(`${BASE}/.*`)).body, before.body);
  t.deepEqual(await revisionsOf(nbi, ['r1', 'r2']), revisions);
});

/** A rule for one CPE, which a batch has made. */
async function ownRule(t: ExecutionContext, { store }: TestNbi, organization?: string): Promise<void> {
  const engine = await openRules({
    store,
    clock: systemClock,
    logger: silentLogger,
    secrets: testSecrets,
    resolveFile: async () => ({}),
  });
  const whom = { cpeid: '00A1B2-HGW-1' as CpeId };
  const rule = { id: OWNED, whom, file: 'hgw-2.0.0.bin', description: '', priority: 0, executions: 1 };
  const options = { owner: OWNER, author: 'admin', along: [], ...(organization && { organization }) };
  t.true((await engine.owned.put([rule], options)).committed);
  await engine.close();
}

const OWNER: RuleOwner = { kind: 'batch', id: '33333333-3333-4333-8333-333333333333' };
const OWNED = `batch:${OWNER.id}:00A1B2-HGW-1`;

test('a rule of a batch is shown with its owner, can be asked for by it, and is found by its CPE', async (t) => {
  const nbi = await startNbi(t);
  await post(nbi, ruleBody('r1'));
  await ownRule(t, nbi);
  for (const query of [
    '.*?owner.kind=batch',
    `.*?owner.id=${OWNER.id}`,
    '.*?cpeid=00A1B2-HGW-1',
    'batch:.*',
    OWNED,
  ]) {
    t.deepEqual(idsOf(await nbi.call(`${BASE}/${query}`)), [OWNED], query);
  }
  const [shown] = ((await nbi.call(`${BASE}/${OWNED}`)).body as { details: object[] }).details;
  t.like(shown, { owner: OWNER, enabled: true, automatic: true, author: 'admin' });
  t.false(shown === undefined || 'pin' in shown);
});

test('over HTTP nobody changes a rule of a batch but its switch: 409 names the batch', async (t) => {
  const nbi = await startNbi(t);
  await ownRule(t, nbi);
  const path = `${BASE}/${OWNED}`;
  const refused = [
    await post(nbi, ruleBody(OWNED)),
    await nbi.call(path, { method: 'PUT', json: { priority: 7 } }),
    await nbi.call(path, { method: 'DELETE' }),
    await nbi.call(`${BASE}/.*?all=true`, { method: 'DELETE' }),
    await nbi.call('/v1/method/RestartRule', { method: 'POST', json: { id: OWNED } }),
  ];
  for (const { status, body } of refused) {
    t.is(status, 409);
    const text = JSON.stringify(body);
    t.true(text.includes('"code":"owned"') && text.includes(`batch ${OWNER.id}`), text);
  }
  t.is((await nbi.call(path, { method: 'PUT', json: { enabled: false } })).status, 200);
  t.false((await nbi.rules.get(OWNED as RuleId))?.rule.enabled);
  const events = [];
  for await (const event of nbi.events.scan({})) events.push(event);
  t.is(events.filter(({ subjectId }) => subjectId === OWNED).length, 1);
});

test('an author’s id may not begin as a batch’s', async (t) => {
  const nbi = await startNbi(t);
  t.deepEqual(fieldsOf(await post(nbi, ruleBody('batch:mine'))), [400, ['id']]);
});

test('when a rule may run is a time with its zone, and ends after it begins', async (t) => {
  const nbi = await startNbi(t);
  const times = { notBefore: '2027-03-01T02:00:00+01:00', notAfter: '2027-03-01T01:00:00.001Z' };
  t.deepEqual((await post(nbi, ruleBody('r1', times))).body, DONE);
  const [shown] = ((await nbi.call(`${BASE}/r1`)).body as { details: object[] }).details;
  t.like(shown, times);
  t.deepEqual(idsOf(await nbi.call(`${BASE}/.*?notBefore=${encodeURIComponent(times.notBefore)}`)), ['r1']);
  const bad: readonly (readonly [Record<string, unknown>, string])[] = [
    [{ notBefore: '2027-03-01' }, 'notBefore'],
    [{ notBefore: '2027-03-01T02:00:00' }, 'notBefore'],
    [{ notBefore: '2027-02-29T02:00:00Z' }, 'notBefore'],
    [{ notBefore: ' 2027-03-01T02:00:00Z' }, 'notBefore'],
    [{ notAfter: 'tomorrow' }, 'notAfter'],
    [{ notAfter: 1_800_000_000 }, 'notAfter'],
    [{ notBefore: '2027-03-01T02:00:00+01:00', notAfter: '2027-03-01T01:00:00Z' }, 'notAfter'],
  ];
  for (const [fields, field] of bad) {
    t.deepEqual(fieldsOf(await post(nbi, ruleBody('r2', fields))), [400, [field]], JSON.stringify(fields));
  }
});

test('GET shows what a condition failed with; posted again that is taken no notice of', async (t) => {
  const nbi = await startNbi(t);
  await post(nbi, [ruleBody('r1', { condition: 'softwareVersion < 2' }), ruleBody('r2', { enabled: false })]);
  const { store } = nbi;
  const clock = () => 1_795_417_325_678;
  const engine = await openRules({
    store,
    clock,
    logger: silentLogger,
    secrets: testSecrets,
    resolveFile: async () => ({}),
  });
  await engine.decide(inputOf());
  await engine.close();
  const shown = await nbi.call(`${BASE}/.*`);
  const details = isObject(shown.body) ? shown.body['details'] : null;
  const [first, second] = Array.isArray(details) ? details.toSorted((a, b) => (a.id < b.id ? -1 : 1)) : [];
  t.like(first?.lastError, { at: 1_795_417_325, cpeid: '00A1B2-HGW-1', code: 'T2009' });
  t.false('lastError' in second || 'suspended' in second);
  t.deepEqual(idsOf(await nbi.call(`${BASE}/.*?lastError.code=T2009`)), ['r1']);

  const revisions = await revisionsOf(nbi, ['r1', 'r2']);
  t.deepEqual((await post(nbi, details)).body, DONE);
  t.deepEqual(await revisionsOf(nbi, ['r1', 'r2']), revisions);
  const copied = { ...first, id: 'r3', suspended: { at: 1, message: 'x' } };
  t.deepEqual((await post(nbi, copied)).body, DONE);
  const [copy] = ((await nbi.call(`${BASE}/r3`)).body as { details: object[] }).details;
  t.false(copy === undefined || 'lastError' in copy || 'suspended' in copy);
});

test('POST takes one rule or an array, all or none, and names each wrong field of each item', async (t) => {
  const nbi = await startNbi(t);
  const bad = await post(nbi, [ruleBody('good'), ruleBody('bad', { priority: 'high', enabld: true })]);
  t.is(bad.status, 400);
  t.like(bad.body, { code: 400, message: 'response from FirmwareStorage' });
  t.deepEqual(fieldsOf(bad), [400, ['enabld', 'priority']]);
  t.deepEqual((await nbi.call(`${BASE}/.*`)).body, NOTHING);
  t.deepEqual((await post(nbi, [ruleBody('a'), ruleBody('b')])).body, DONE);
  t.deepEqual(idsOf(await nbi.call(`${BASE}/.*`)).toSorted(), ['a', 'b']);
});

test('POST refuses an id that its path does not match, no items, and too many', async (t) => {
  const nbi = await startNbi(t, { limits: { itemsMax: 2 } });
  const elsewhere = await nbi.call(`${BASE}/UPGRADE_.*`, {
    method: 'POST',
    json: [ruleBody('UPGRADE_1'), ruleBody('x')],
  });
  t.deepEqual(elsewhere.body, {
    code: 400,
    message: 'response from FirmwareStorage',
    details: [
      {
        field: 'id',
        expected: 'an id that matches the pattern in the path; .* takes every id',
        found: '"x"',
        item: 1,
      },
    ],
  });
  t.is((await post(nbi, [])).status, 400);
  t.is(
    (
      await post(
        nbi,
        ['a', 'b', 'c'].map((id) => ruleBody(id)),
      )
    ).status,
    413,
  );
  t.is((await post(nbi, 'rule')).status, 400);
  t.is((await nbi.call(`${BASE}/.*?id=a`, { method: 'POST', json: ruleBody('a') })).status, 400);
});

test('If-None-Match: * makes POST of a rule that exists a conflict', async (t) => {
  const nbi = await startNbi(t);
  const onlyNew = { 'If-None-Match': '*' };
  t.deepEqual((await post(nbi, ruleBody('a'), onlyNew)).body, DONE);
  const again = await post(nbi, ruleBody('a', { priority: 2 }), onlyNew);
  t.is(again.status, 409);
  t.like(again.body, {
    code: 409,
    message: 'response from FirmwareStorage',
    details: [{ field: 'id', code: 'exists' }],
  });
  t.is((await post(nbi, ruleBody('a'), { 'If-None-Match': '"tag"' })).status, 400);
});

test('the pattern matches the whole id, and a query narrows by any field', async (t) => {
  const nbi = await startNbi(t);
  await post(nbi, [
    ruleBody('UPGRADE_1', { priority: 1 }),
    ruleBody('UPGRADE_2', { priority: 2, enabled: false }),
    ruleBody('OTHER', { priority: 2, condition: { tags: ['x', 'y'] } }),
  ]);
  const queries: readonly (readonly [string, readonly string[]])[] = [
    ['/.*', ['OTHER', 'UPGRADE_1', 'UPGRADE_2']],
    ['/UPGRADE_1', ['UPGRADE_1']],
    ['/UPGRADE_', []],
    ['/UPGRADE_.*', ['UPGRADE_1', 'UPGRADE_2']],
    ['/UPGRADE_1%7COTHER', ['OTHER', 'UPGRADE_1']],
    ['/.*[12]', ['UPGRADE_1', 'UPGRADE_2']],
    ['/.*?id=UPGRADE_1&id=OTHER', ['OTHER', 'UPGRADE_1']],
    ['/.*?campaignid=UPGRADE_1', ['UPGRADE_1']],
    ['/UPGRADE_.*?id=OTHER', []],
    ['/.*?id=UPGRADE_1&campaignid=OTHER', []],
    ['/.*?enabled=true', ['OTHER', 'UPGRADE_1']],
    ['/.*?priority=2&enabled=true', ['OTHER']],
    ['/.*?priority=1&priority=2', ['OTHER', 'UPGRADE_1', 'UPGRADE_2']],
    ['/.*?condition.cpeid=00A1B2-HGW-2', ['UPGRADE_2']],
    ['/.*?condition.tags=y', ['OTHER']],
    ['/.*?cpeid=00A1B2-HGW-2', ['UPGRADE_2']],
    ['/.*?cpeid=00A1B2-HGW-1&cpeid=00A1B2-HGW-2', ['UPGRADE_1', 'UPGRADE_2']],
  ];
  for (const [query, ids] of queries) {
    const reply = await nbi.call(BASE + query);
    t.is(reply.status, ids.length === 0 ? 404 : 200, query);
    t.deepEqual(idsOf(reply).toSorted(), ids, query);
  }
});

test('a query that names no field, or a value that is none of its type, is a 400 that names it', async (t) => {
  const nbi = await startNbi(t);
  const wrong = [
    'prio=1',
    'enabled=yes',
    'limit=0',
    'limit=10001',
    'limit=x',
    'offset=1000001',
    'offset=-1',
    'sort=nope',
    'sort=limits.total',
    'after=x',
  ];
  for (const query of [
    ...wrong,
    'all=true',
    'revision=all',
    'limit=1&limit=2',
    'toString=1',
    '__proto__=1',
  ]) {
    const reply = await nbi.call(`${BASE}/.*?${query}`);
    t.deepEqual(fieldsOf(reply), [400, [query.split('=')[0]]], query);
  }
});

test('PUT merges into every match; an id in its body narrows and never renames', async (t) => {
  const nbi = await startNbi(t);
  await post(nbi, [ruleBody('a'), ruleBody('b'), ruleBody('c')]);
  const put = (path: string, json: unknown) => nbi.call(BASE + path, { method: 'PUT', json });
  t.deepEqual((await put('/a%7Cb', { enabled: false })).body, DONE);
  t.deepEqual(idsOf(await nbi.call(`${BASE}/.*?enabled=false`)).toSorted(), ['a', 'b']);
  t.deepEqual((await put('/.*', { id: 'c', priority: 9 })).body, DONE);
  t.deepEqual(idsOf(await nbi.call(`${BASE}/.*?priority=9`)), ['c']);
  t.deepEqual((await put('/a', { id: 'c', priority: 1 })).body, NOTHING);
  t.deepEqual((await put('/.*?id=nope', { enabled: true })).body, NOTHING);
  t.deepEqual(fieldsOf(await put('/a', { priority: 'high' })), [400, ['priority']]);
  t.deepEqual(fieldsOf(await put('/a', { id: 'a' })), [400, ['']]);
  t.deepEqual(fieldsOf(await put('/a', { id: 7, enabled: true })), [400, ['id']]);
  t.deepEqual(fieldsOf(await put('/a', [{ enabled: true }])), [400, ['']]);
});

test('PUT and DELETE of everything need all=true', async (t) => {
  const nbi = await startNbi(t);
  await post(nbi, [ruleBody('a'), ruleBody('b')]);
  const json = { enabled: false };
  t.deepEqual(fieldsOf(await nbi.call(`${BASE}/.*`, { method: 'PUT', json })), [400, ['all']]);
  t.deepEqual((await nbi.call(`${BASE}/.*?all=true`, { method: 'PUT', json })).body, DONE);
  t.is(idsOf(await nbi.call(`${BASE}/.*?enabled=false`)).length, 2);
  t.deepEqual(fieldsOf(await nbi.call(`${BASE}/.*`, { method: 'DELETE' })), [400, ['all']]);
  t.deepEqual((await nbi.call(`${BASE}/a`, { method: 'DELETE' })).body, DONE);
  t.deepEqual((await nbi.call(`${BASE}/a`, { method: 'DELETE' })).body, NOTHING);
  t.deepEqual((await nbi.call(`${BASE}/.*?all=true`, { method: 'DELETE' })).body, DONE);
  t.deepEqual((await nbi.call(`${BASE}/.*`)).body, NOTHING);
});

test('lists are newest first, or sorted by a field, and pages join without gap or repetition', async (t) => {
  let nowMs = 1_743_400_000_000;
  const nbi = await startNbi(t, { clock: () => nowMs });
  for (const [index, id] of ['a', 'b', 'c', 'd', 'e'].entries()) {
    nowMs += 1_000 * (index % 2);
    await post(nbi, ruleBody(id, { priority: index % 3 }));
  }
  const walk = async (query: string): Promise<unknown[]> => {
    const ids: unknown[] = [];
    for (let path: string | null = `${BASE}/.*?limit=2${query}`; path !== null; ) {
      const reply: Reply = await nbi.call(path);
      ids.push(...idsOf(reply));
      path = /<(.*)>; rel="next"/.exec(reply.headers.get('Link') ?? '')?.[1] ?? null;
      t.is(path === null, reply.headers.get('X-Next-After') === null);
    }
    return ids;
  };
  t.deepEqual(await walk(''), ['e', 'd', 'c', 'b', 'a']);
  t.deepEqual(await walk('&sort=priority'), ['a', 'd', 'b', 'e', 'c']);
  t.deepEqual(await walk('&sort=-priority'), ['c', 'e', 'b', 'd', 'a']);
  t.deepEqual(await walk('&sort=id&enabled=true'), ['a', 'b', 'c', 'd', 'e']);
  t.deepEqual(idsOf(await nbi.call(`${BASE}/.*?sort=-id`)), ['e', 'd', 'c', 'b', 'a']);
});

test('a sort without limit of more entries than bounded is a 400 with the remedy', async (t) => {
  const nbi = await startNbi(t, { limits: { sortedItemsMax: 2 } });
  await post(
    nbi,
    ['a', 'b', 'c'].map((id) => ruleBody(id)),
  );
  t.deepEqual(fieldsOf(await nbi.call(`${BASE}/.*?sort=id`)), [400, ['sort']]);
  t.deepEqual(idsOf(await nbi.call(`${BASE}/.*?sort=id&limit=3`)), ['a', 'b', 'c']);
});

test('10,000 rules go in by one POST, and 20,000 come out as one stream', async (t) => {
  const nbi = await startNbi(t);
  for (const half of ['a', 'b']) {
    const rules = Array.from({ length: 10_000 }, (_, index) => ruleBody(`${half}${index}`));
    t.deepEqual((await post(nbi, rules)).body, DONE);
  }
  const response = await fetch(`${nbi.url}${BASE}/.*`, {
    headers: { Authorization: `Basic ${Buffer.from('api:correct horse').toString('base64')}` },
  });
  t.is(response.headers.get('Content-Length'), null);
  const body: unknown = await response.json();
  const ids = idsOf({ status: 200, headers: response.headers, body });
  t.is(ids.length, 20_000);
  t.is(new Set(ids).size, 20_000);
});

const FLAWED = 'productClass = "HGW" and (softwareVersion = "0.1" or "0.2")';

for (const [condition, code] of [
  [FLAWED, 'constant-operand'],
  ['productClass = "A" or "B"', 'constant-operand'],
  ['productClass = "HGW" and true', 'constant-operand'],
  ['softwareVersion != "A" or softwareVersion != "B"', 'always-true'],
  ['$bucket(cpeid, "s") < 200', 'always-true'],
] as const) {
  test(`a condition that more CPEs match than can be meant is refused wherever it comes in: ${condition}`, async (t) => {
    const nbi = await startNbi(t);
    await post(nbi, ruleBody('r1'));
    const draft = { ...ruleBody('r2'), condition };
    for (const [field, reply] of [
      ['condition', await post(nbi, draft)],
      ['condition', await nbi.call(`${BASE}/r1`, { method: 'PUT', json: { condition } })],
      ['condition', await nbi.call('/v1/method/MatchDevices', { method: 'POST', json: { condition } })],
      [
        'rule.condition',
        await nbi.call('/v1/method/MatchDevices', { method: 'POST', json: { rule: draft } }),
      ],
    ] as const) {
      t.is(reply.status, 400);
      const [problem] =
        isObject(reply.body) && Array.isArray(reply.body['details']) ? reply.body['details'] : [];
      t.like(problem, { field, code });
      t.regex(problem.expected, /rules out what it is not for: .*\(column \d+\)/);
      t.true(JSON.stringify(condition).startsWith(problem.found.slice(0, 70)));
    }
    t.deepEqual(idsOf(await nbi.call(`${BASE}/.*`)), ['r1']);
  });
}

test('every bucket is the last step of a canary: taken, and nothing is said of it', async (t) => {
  const nbi = await startNbi(t);
  t.is((await post(nbi, ruleBody('r1', { condition: '$bucket(cpeid, "s") < 100' }))).status, 200);
  t.false(JSON.stringify((await nbi.call(`${BASE}/.*`)).body).includes('warning'));
});

test('a rule that was stored when such conditions were taken runs on, is flagged, can be switched off and posted again', async (t) => {
  const nbi = await startNbi(t);
  await post(nbi, [ruleBody('old'), ruleBody('good')]);
  const { store } = nbi;
  const { rules } = openTables(store, systemClock);
  const before = await rules.get('old');
  t.truthy(before && (await rules.replace({ ...before.document, condition: FLAWED }, before.revision)));

  const shown = await nbi.call(`${BASE}/.*?warning.code=constant-operand`);
  t.deepEqual(idsOf(shown), ['old']);
  const details = isObject(shown.body) ? shown.body['details'] : null;
  const [rule] = Array.isArray(details) ? details : [];
  t.regex(rule.warning.message, /"0\.2" is always true.*\(column 54\)/);
  const explained = await nbi.call('/v1/method/ExplainRules', {
    method: 'POST',
    json: { cpe: { productClass: 'HGW', softwareVersion: '9' }, rules: ['old'] },
  });
  t.true(JSON.stringify(explained.body).includes('"warning":{"code":"constant-operand"'));

  t.deepEqual((await post(nbi, rule)).body, DONE);
  t.is((await nbi.call(`${BASE}/old`, { method: 'PUT', json: rule })).status, 200);
  t.is((await nbi.call(`${BASE}/old`, { method: 'PUT', json: { enabled: false } })).status, 200);
  // The same condition in another rule is a new mistake.
  t.is((await post(nbi, { ...rule, id: 'copy' })).status, 400);
  t.is((await nbi.call(`${BASE}/good`, { method: 'PUT', json: { condition: FLAWED } })).status, 400);
});
