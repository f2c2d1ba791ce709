import { Ajv2020 } from 'ajv/dist/2020.js';
import test from 'ava';
import type { CountKey, ResultId, RuleId } from '../../common/index.js';
import { byCommand } from '../../events/index.js';
import { openApiDocument } from './declared.js';
import { ruleBody, startNbi, type TestNbi, VIEWER } from './support.js';

const CPE = '00A1B2-HGW-1';
const FILE = { file: 'http://files.example.net/hgw-2.0.0.bin', target: { softwareVersion: '2.0.0' } };

const call = (nbi: TestNbi, name: string, json: unknown, as?: string) =>
  nbi.call(`/v1/method/${name}`, { method: 'POST', json, ...(as === undefined ? {} : { as }) });

const post = (nbi: TestNbi, ...bodies: readonly Record<string, unknown>[]) =>
  nbi.rules.put(bodies, { by: byCommand('api'), onlyNew: false });

const fleetRule = (id: string, more: Record<string, unknown> = {}) =>
  ruleBody(id, { condition: { productClass: 'HGW' }, ...FILE, ...more });

function asSchema(schema: string) {
  const ajv = new Ajv2020({ strict: false });
  ajv.addSchema({ $id: 'document', ...openApiDocument });
  return ajv.compile({
    properties: { details: { $ref: `document#/components/schemas/${schema}` } },
    required: ['details'],
  });
}

test('ExplainRules tells a known CPE what became of each rule, with the value found', async (t) => {
  const nbi = await startNbi(t);
  await nbi.putDevice({ serialNumber: '1' });
  await post(
    nbi,
    fleetRule('low'),
    fleetRule('high', { priority: 5 }),
    ruleBody('stb', { condition: { productClass: 'STB' } }),
  );
  const { status, body } = await call(nbi, 'ExplainRules', { cpe_id: CPE }, VIEWER);
  t.is(status, 200);
  t.like(body, {
    result: { code: 200, message: 'OK' },
    details: {
      cpeid: CPE,
      softwareVersion: '1.0.0',
      kind: 'upgrade',
      winner: 'high',
      reason: '"high" goes before "low": priority 5 > 1.',
      upgrade: null,
      omitted: 0,
      rules: [
        { id: 'high', verdict: 'chosen', priority: 5 },
        { id: 'low', verdict: 'lower-priority', priority: 1 },
        { id: 'stb', verdict: 'condition-false', detail: 'productClass is "HGW", not "STB"' },
      ],
    },
  });
  const { details } = body as { details: { rules: { conjuncts: { outcome: string; found: unknown }[] }[] } };
  t.like(details.rules[2]?.conjuncts[0], {
    outcome: 'false',
    found: [{ path: 'productClass', value: 'HGW' }],
  });
  const validate = asSchema('Explanation');
  t.true(validate(body), JSON.stringify(validate.errors));
});

test('ExplainRules takes a described CPE with parameters, at another time, as if SendCNR had asked', async (t) => {
  const nbi = await startNbi(t);
  await post(
    nbi,
    fleetRule('night', {
      condition: { productClass: 'HGW', 'parameters.Device.X.Y': 1 },
      automatic: false,
      window: { cron: '0 2 * * *', durationMinutes: 60 },
    }),
  );
  const cpe = { productClass: 'HGW', parameters: { 'Device.X.Y': 1 } };
  const explain = async (more: object) =>
    (await call(nbi, 'ExplainRules', { cpe, ...more })).body as { details: { rules: { verdict: string }[] } };
  const verdict = async (more: object) => (await explain(more)).details.rules[0]?.verdict;
  const [requested, now] = [true, '2026-01-31T02:30:00Z'];
  t.is(await verdict({}), 'not-automatic');
  t.is(await verdict({ requested, now: '2026-01-31T12:30:00Z' }), 'window-closed');
  t.is(await verdict({ requested, now }), 'chosen');
  t.is(await verdict({ requested, now, cpe: { productClass: 'HGW' } }), 'condition-false');
});

test('while an upgrade is under way nothing is decided, and ExplainRules says so', async (t) => {
  const nbi = await startNbi(t);
  const inFlight = '6b0c1f0e-6d0f-4d5e-9f5c-1d2e3f4a5b6c' as ResultId;
  await nbi.putDevice({ serialNumber: '1', inFlight });
  await post(nbi, fleetRule('r'));
  const { body } = await call(nbi, 'ExplainRules', { cpe_id: CPE });
  t.like(body, { details: { kind: 'nothing', winner: null, upgrade: inFlight } });
  t.regex(
    (body as { details: { reason: string } }).details.reason,
    /under way.* Without it: "r" is the only rule/,
  );
});

test('what a known CPE has behind it counts, and parameters it was not asked for are named', async (t) => {
  const nbi = await startNbi(t);
  await post(
    nbi,
    fleetRule('r', { priority: 5 }),
    fleetRule('p', { condition: '$exists(parameters.Device.X.Y)' }),
  );
  const { rule } = (await nbi.rules.get('r' as RuleId)) ?? t.fail();
  const count = { started: 1, failures: 0, verified: false, givenBack: 0 };
  await nbi.putDevice({ serialNumber: '1', counts: { [nbi.rules.countKey(rule) as CountKey]: count } });
  const { body } = await call(nbi, 'ExplainRules', { cpe_id: CPE });
  t.like(body, { details: { kind: 'read', winner: null, reads: ['Device.X.Y'] } });
  t.like(body, {
    details: { rules: [{ id: 'r', verdict: 'executions-used-up', detail: '1 of 1' }, { id: 'p' }] },
  });
});

test('a viewer may ask about stored rules, and only an operator about a draft', async (t) => {
  const nbi = await startNbi(t);
  await nbi.putDevice({ serialNumber: '1' });
  await post(nbi, fleetRule('r'));
  const rule = fleetRule('draft', { priority: 9 });
  t.is((await call(nbi, 'ExplainRules', { cpe_id: CPE, rule }, VIEWER)).status, 403);
  t.is((await call(nbi, 'MatchDevices', { rule }, VIEWER)).status, 403);
  t.is((await call(nbi, 'MatchDevices', { condition: 'true' }, VIEWER)).status, 403);
  t.is((await call(nbi, 'MatchDevices', { rule_id: 'r' }, VIEWER)).status, 200);
  const { body } = await call(nbi, 'ExplainRules', { cpe_id: CPE, rule, rules: ['draft'] });
  t.like(body, { details: { winner: 'draft', rules: [{ id: 'draft' }] } });
  t.is(await nbi.rules.get('draft' as RuleId), null);
});

const HUGE = Object.fromEntries(Array.from({ length: 10_001 }, (_, index) => [`Device.X.P${index}`, 1]));

const REFUSED: readonly (readonly [method: string, body: unknown, status: number, field: string])[] = [
  ['ExplainRules', {}, 400, 'cpe_id'],
  ['ExplainRules', { cpe_id: CPE, cpe: {} }, 400, 'cpe'],
  ['ExplainRules', { cpe_id: 'nobody' }, 404, 'cpe_id'],
  ['ExplainRules', { cpe_id: 7 }, 400, 'cpe_id'],
  ['ExplainRules', { cpe_id: 'x'.repeat(600) }, 400, 'cpe_id'],
  ['ExplainRules', { cpe: [] }, 400, 'cpe'],
  ['ExplainRules', { cpe: { softwareversion: '1' } }, 400, 'cpe.softwareversion'],
  ['ExplainRules', { cpe: { tags: 'lab' } }, 400, 'cpe.tags'],
  ['ExplainRules', { cpe: { parameters: { 'Device.': 1 } } }, 400, 'cpe.parameters.Device.'],
  ['ExplainRules', { cpe: { parameters: { 'Device.X': { Y: [] } } } }, 400, 'cpe.parameters.Device.X.Y'],
  ['ExplainRules', { cpe: { parameters: { 'X.Y': 1 } } }, 400, 'cpe.parameters.X.Y'],
  ['ExplainRules', { cpe: { cpeid: 'nobody' } }, 400, 'cpe.cpeid'],
  ['ExplainRules', { cpe: { cpeid: CPE, serialNumber: '2' } }, 400, 'cpe.cpeid'],
  ['ExplainRules', { cpe: { oui: '' } }, 400, 'cpe.oui'],
  ['ExplainRules', { cpe: { lastInform: 1_795_417_325_000 } }, 400, 'cpe.lastInform'],
  ['ExplainRules', { cpe: { registered: '2026-02-31T00:00:00Z' } }, 400, 'cpe.registered'],
  ['ExplainRules', { cpe: { parameters: HUGE } }, 400, 'cpe.parameters'],
  ['ExplainRules', { cpe: {}, rules: [] }, 400, 'rules'],
  ['ExplainRules', { cpe: {}, rules: ['none'] }, 404, 'id'],
  ['ExplainRules', { cpe: {}, rules: [7] }, 400, 'rules'],
  ['ExplainRules', { cpe: {}, rule: { id: 'd' } }, 400, 'rule.file'],
  ['ExplainRules', { cpe: {}, rule: fleetRule('d', { condition: 'a =' }) }, 400, 'rule.condition'],
  ['ExplainRules', { cpe: {}, now: 'tomorrow' }, 400, 'now'],
  ['ExplainRules', { cpe: {}, now: '2026-13-01T00:00:00Z' }, 400, 'now'],
  ['ExplainRules', { cpe: {}, requested: 'yes' }, 400, 'requested'],
  ['ExplainRules', { cpe: {}, limit: 0 }, 400, 'limit'],
  ['ExplainRules', { cpe: {}, cpeid: 'x' }, 400, 'cpeid'],
  ['MatchDevices', {}, 400, 'rule_id'],
  ['MatchDevices', { rule_id: 'none' }, 404, 'id'],
  ['MatchDevices', { rule_id: 'a', condition: 'true' }, 400, 'condition'],
  ['MatchDevices', { condition: '$eval("1")' }, 400, 'condition'],
  ['MatchDevices', { condition: { tags: [] } }, 400, 'condition.tags'],
  ['MatchDevices', { rule: 7 }, 400, 'rule'],
  ['MatchDevices', { condition: 'true', limit: 1_001 }, 400, 'limit'],
  ['MatchDevices', { condition: 'true', timeout: 31 }, 400, 'timeout'],
  ['MatchDevices', { condition: 'true', after: '' }, 400, 'after'],
  ['MatchDevices', { condition: 'true', rules: [] }, 400, 'rules'],
];

test('what cannot be understood is refused, and the field named with its remedy', async (t) => {
  const nbi = await startNbi(t);
  for (const [method, json, status, field] of REFUSED) {
    const reply = await call(nbi, method, json);
    const what = JSON.stringify(json).slice(0, 100);
    t.is(reply.status, status, what);
    const { details, result } = reply.body as {
      details?: { field: string; expected: string }[];
      result: unknown;
    };
    t.like(result, { code: status }, what);
    t.is(details?.[0]?.field, field, what);
    t.truthy(details?.[0]?.expected, what);
  }
});

/** `count` CPEs, every tenth of them an STB, every hundredth in the lab. */
async function fleetOf(nbi: TestNbi, count: number): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, (_, number) =>
      nbi.putDevice({
        serialNumber: String(number).padStart(5, '0'),
        productClass: number % 10 === 0 ? 'STB' : 'HGW',
        tags: number % 100 === 0 ? ['lab'] : [],
        softwareVersion: number % 2 === 0 ? '1.0.0' : '2.0.0',
      }),
    ),
  );
}

test('MatchDevices counts and lists who would be upgraded, before the rule is enabled', async (t) => {
  const nbi = await startNbi(t);
  await fleetOf(nbi, 300);
  await post(nbi, fleetRule('r', { enabled: false, limits: { total: 10 } }));
  const { status, body } = await call(nbi, 'MatchDevices', { rule_id: 'r', limit: 2 });
  t.is(status, 200);
  t.like(body, {
    details: {
      id: 'r',
      as_though_enabled: true,
      limits: { total: 10 },
      known: 300,
      looked_at: 300,
      matching: 270,
      would_upgrade_now: 120,
      verdicts: { chosen: 120, 'at-target': 150, 'condition-false': 30 },
      next: null,
    },
  });
  const { cpes } = (body as { details: { cpes: { cpeid: string; verdict: string }[] } }).details;
  t.deepEqual(
    cpes.map(({ cpeid, verdict }) => [cpeid, verdict]),
    [
      ['00A1B2-HGW-00001', 'at-target'],
      ['00A1B2-HGW-00002', 'chosen'],
    ],
  );
  const validate = asSchema('MatchReport');
  t.true(validate(body), JSON.stringify(validate.errors));
  const later = await call(nbi, 'MatchDevices', { rule_id: 'r', limit: 1, after: '00A1B2-HGW-00298' });
  t.like(later.body, { details: { looked_at: 1, cpes: [{ cpeid: '00A1B2-HGW-00299' }] } });
});

test('MatchDevices looks only where an index says that CPEs can match', async (t) => {
  const nbi = await startNbi(t);
  await fleetOf(nbi, 300);
  const lookedAt = async (condition: unknown, more: object = {}) => {
    const { body } = await call(nbi, 'MatchDevices', { condition, ...more });
    const { looked_at, matching } = (body as { details: Record<string, unknown> }).details;
    return [looked_at, matching];
  };
  t.deepEqual(await lookedAt({ cpeid: '00A1B2-HGW-00007' }), [1, 1]);
  t.deepEqual(await lookedAt({ cpeid: ['00A1B2-HGW-00007', 'nobody', 7] }), [1, 1]);
  t.deepEqual(await lookedAt({ serialNumber: ['00007', '00003', '\ud7ff'] }), [2, 2]);
  t.deepEqual(await lookedAt({ serialNumber: ['00007', '00003'] }, { after: '00A1B2-HGW-00003' }), [1, 1]);
  t.deepEqual(await lookedAt({ tags: 'lab' }), [3, 3]);
  t.deepEqual(await lookedAt({ tags: 'lab' }, { after: '00A1B2-HGW-00099' }), [200, 2]);
  t.deepEqual(await lookedAt({ cpeid: '00A1B2-HGW-00007', productClass: 'STB' }), [1, 0]);
});

test('MatchDevices stops when its time is over, says where, and goes on from there to the same sums', async (t) => {
  let nowMs = Date.UTC(2026, 0, 1);
  // Each look at the clock takes a millisecond: no matter how fast the machine is.
  const nbi = await startNbi(t, { clock: () => nowMs++ });
  await fleetOf(nbi, 3_000);
  let [matching, lookedAt, rounds] = [0, 0, 0];
  let after: string | undefined;
  do {
    const { body } = await call(nbi, 'MatchDevices', {
      condition: { productClass: 'STB' },
      timeout: 1,
      after,
    });
    const { details } = body as { details: { matching: number; looked_at: number; next: string | null } };
    t.true(details.looked_at <= 1_001);
    matching += details.matching;
    lookedAt += details.looked_at;
    after = details.next ?? undefined;
    rounds += 1;
  } while (after !== undefined);
  t.deepEqual([matching, lookedAt], [300, 3_000]);
  t.true(rounds >= 3);
});

test('conditions that fail are counted, and the first of them shown', async (t) => {
  const nbi = await startNbi(t);
  await fleetOf(nbi, 20);
  const { body } = await call(nbi, 'MatchDevices', { condition: 'softwareVersion < 2' });
  t.like(body, { details: { matching: 0, verdicts: { 'condition-error': 20 }, cpes: [] } });
  t.is((body as { details: { errors: unknown[] } }).details.errors.length, 10);
});

test('where too much is under way MatchDevices and ExplainRules tell when to come again', async (t) => {
  const nbi = await startNbi(t, { limits: { searchesAtATime: 0, explanationsAtATime: 0 } });
  const search = await call(nbi, 'MatchDevices', { condition: 'true' });
  t.deepEqual([search.status, search.headers.get('Retry-After')], [503, '10']);
  const explanation = await call(nbi, 'ExplainRules', { cpe: {} });
  t.is(explanation.status, 429);
});
