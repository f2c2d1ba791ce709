import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import type { RuleId } from '../../../common/index.js';
import { byCommand } from '../../../events/index.js';
import {
  type CompiledCondition,
  type Conjunct,
  createConditionCompiler,
  loadGuards,
} from '../../../rules/condition/index.js';
import { beginEvaluation } from '../../../rules/decision/evaluation.js';
import { findingsOf } from '../../../rules/decision/explain-condition.js';
import {
  type DecisionExplanation,
  type DecisionInput,
  InvalidRuleError,
  type Rules,
  UnknownRuleError,
} from '../../../rules/index.js';
import { BY } from '../../support/actor.js';
import { CPE, contextOf, evaluationMeans, inputOf, openTestRules, post, ruleBody } from '../setup.js';

const PINNED = { condition: { cpeid: CPE } };
const ELSEWHERE = { condition: { cpeid: '00A1B2-HGW-2' } };

const verdicts = ({ rules }: DecisionExplanation) =>
  Object.fromEntries(rules.map(({ ruleId, verdict }) => [ruleId, verdict]));

const CONDITIONS: readonly unknown[] = [
  { cpeid: CPE },
  { productClass: 'HGW' },
  { productClass: 'STB' },
  { productClass: 'HGW', softwareVersion: ['1.0.0', '1.1.0'] },
  { tags: 'lab' },
  { 'parameters.Device.X.Y': 1 },
  'softwareVersion < 2',
  'productClass = "HGW" and $not("lab" in tags)',
  '$exists(parameters.Device.X.Y)',
];

const ruleArbitrary = fc.record({
  enabled: fc.boolean(),
  automatic: fc.boolean(),
  condition: fc.constantFrom(...CONDITIONS),
  priority: fc.integer({ min: 0, max: 2 }),
  executions: fc.constantFrom(-1, 0, 1),
  file: fc.constantFrom('hgw-2.0.0.bin', 'https://example.net/a.bin', 'gone.bin'),
  window: fc.constantFrom(
    undefined,
    { cron: '0 2 * * *', durationMinutes: 60 },
    { cron: '0 9 * * *', durationMinutes: 60 },
  ),
  force: fc.boolean(),
});

const inputArbitrary = fc.record({
  productClass: fc.constantFrom('HGW', 'STB'),
  softwareVersion: fc.constantFrom('1.0.0', '2.0.0', undefined),
  tags: fc.constantFrom([], ['lab']),
  parameters: fc.constantFrom({}, { Device: { X: { Y: 1 } } }),
  unread: fc.boolean(),
  requested: fc.boolean(),
});

interface Given {
  readonly productClass: string;
  readonly softwareVersion: string | undefined;
  readonly tags: readonly string[];
  readonly parameters: { Device?: { X: { Y: number } } };
  readonly unread: boolean;
  readonly requested: boolean;
}

function inputFor(given: Given): DecisionInput {
  const { softwareVersion: _, ...context } = contextOf();
  const { productClass, softwareVersion, tags, parameters, unread, requested } = given;
  return {
    ...inputOf({}, { requested }),
    context: {
      ...context,
      productClass,
      tags,
      ...(softwareVersion === undefined ? {} : { softwareVersion }),
    },
    readParameters: async () => ({ ...parameters }),
    unread: async (paths) => (unread ? paths : []),
  };
}

/** A rule that is matched "now" is the one that is decided on. */
async function agreesWithMatch(
  t: ExecutionContext,
  rules: Rules,
  bodies: readonly { readonly enabled: boolean }[],
  given: Given,
): Promise<void> {
  const input = inputFor({ ...given, unread: false });
  const decision = await rules.decide(input);
  // After one that is at its target the session decides again.
  if (decision.kind === 'at-target' || decision.kind === 'frozen') return;
  for (const [index, { enabled }] of bodies.entries()) {
    if (!enabled) continue;
    const id = `p${index}` as RuleId;
    const { verdict } = await (await rules.match({ ruleId: id })).judge(input);
    t.is(verdict === 'chosen', decision.kind === 'upgrade' && decision.rule.id === id, `${id}: ${verdict}`);
  }
}

test('what is explained is what is decided: kind, winner, and every verdict up to the winner', async (t) => {
  const { rules } = await openTestRules(t);
  await fc.assert(
    fc.asyncProperty(
      fc.array(ruleArbitrary, { minLength: 1, maxLength: 8 }),
      fc.array(inputArbitrary, { minLength: 1, maxLength: 6 }),
      fc.boolean(),
      async (bodies, givens, frozen) => {
        await rules.remove(
          Array.from({ length: 8 }, (_, index) => `p${index}` as RuleId),
          BY,
        );
        await rules.freeze({ frozen, by: byCommand('x') });
        await post(
          rules,
          ...bodies.map((body, index) => JSON.parse(JSON.stringify({ id: `p${index}`, ...body }))),
        );
        for (const given of givens) {
          const decision = await rules.decide(inputFor(given));
          const explained = await rules.explain(inputFor(given));
          t.is(explained.kind, decision.kind);
          t.is(explained.winner, 'rule' in decision ? decision.rule.id : undefined);
          t.deepEqual(
            explained.reads?.toSorted(),
            decision.kind === 'read' ? decision.names.toSorted() : undefined,
          );
          t.true(explained.reason.length > 0);
          await agreesWithMatch(t, rules, bodies, given);
          if (!('considered' in decision)) continue;
          const decisive = decision.considered.slice(
            0,
            1 + decision.considered.findIndex(({ ruleId }) => ruleId === explained.winner),
          );
          const shown = decisive.length === 0 ? decision.considered : decisive;
          // A decision need not look at a rule to know that it is nothing; the explanation does.
          const ids = new Set(shown.map(({ ruleId }) => ruleId));
          t.deepEqual(
            explained.rules
              .filter(({ ruleId }) => ids.has(ruleId))
              .map(({ ruleId, verdict }) => ({ ruleId, verdict })),
            shown.map(({ ruleId, verdict }) => ({ ruleId, verdict })),
          );
        }
      },
    ),
    { numRuns: 150 },
  );
});

test('explaining changes nothing in the store, also where rules fail or would be recorded as done', async (t) => {
  const { rules, store } = await openTestRules(t);
  await post(
    rules,
    ruleBody({ id: 'bad', condition: 'softwareVersion < 2' }),
    ruleBody({ id: 'done', ...PINNED }),
    ruleBody({ id: 'limited', limits: { total: 1 } }),
  );
  const collections = ['campaigns', 'settings', 'rule-generations', 'rule-restarts'].map((name) =>
    store.collection({ name, indexes: {} }),
  );
  const state = async () => {
    const stored: unknown[] = [];
    for await (const rule of rules.scan({})) stored.push(rule);
    for (const collection of collections) for await (const each of collection.scan({})) stored.push(each);
    return stored;
  };
  const before = await state();
  t.is((await rules.explain(inputOf({ softwareVersion: '2.0.0' }))).kind, 'at-target');
  t.is((await rules.explain(inputOf())).kind, 'upgrade');
  const match = await rules.match({ draft: ruleBody({ id: 'draft' }) });
  t.true((await match.judge(inputOf())).matches);
  t.deepEqual(await state(), before);
});

test('the winner goes by priority, then by age, then by id; each of the beaten says which', async (t) => {
  const { rules, clock } = await openTestRules(t);
  await post(rules, ruleBody({ id: 'b', priority: 1 }), ruleBody({ id: 'a', priority: 1 }));
  clock.nowMs += 1_000;
  await post(rules, ruleBody({ id: 'young', priority: 1 }));
  const byId = await rules.explain(inputOf());
  t.is(
    byId.reason,
    '"a" goes before "b", and before 1 more: the same priority and age, but its id sorts first.',
  );
  await rules.remove(['b' as RuleId], BY);
  const byAge = await rules.explain(inputOf());
  t.regex(byAge.reason, /^"a" goes before "young": the same priority, but older \(2026-01-31T02:30:00\.000Z/);
  await post(rules, ruleBody({ id: 'first', priority: 5 }));
  const byPriority = await rules.explain(inputOf());
  t.is(byPriority.reason, '"first" goes before "a", and before 1 more: priority 5 > 1.');
  t.deepEqual(verdicts(byPriority), { first: 'chosen', a: 'lower-priority', young: 'lower-priority' });
  t.is(byPriority.rules[1]?.detail, '"first" goes before it: priority 5 > 1');
});

test('rules behind the winner are looked at too, and say what would stop them', async (t) => {
  const { rules } = await openTestRules(t);
  await post(
    rules,
    ruleBody({ id: 'winner', priority: 9 }),
    ruleBody({ id: 'other', condition: { productClass: 'STB' } }),
    ruleBody({ id: 'shut', window: { cron: '0 9 * * *', durationMinutes: 60 } }),
    ruleBody({ id: 'off', enabled: false }),
  );
  t.deepEqual(verdicts(await rules.explain(inputOf())), {
    winner: 'chosen',
    other: 'condition-false',
    shut: 'window-closed',
    off: 'disabled',
  });
});

test('where nothing wins it says what stopped the first rule whose condition holds', async (t) => {
  const { rules } = await openTestRules(t);
  t.regex((await rules.explain(inputOf())).reason, /^No rule .* has a condition that holds/);
  await post(rules, ruleBody({ id: 'shut', window: { cron: '0 9 * * *', durationMinutes: 60 } }));
  const { kind, reason } = await rules.explain(inputOf());
  t.is(kind, 'nothing');
  t.is(
    reason,
    'No rule may upgrade it now. The condition of "shut" holds, but it is stopped: window-closed (0 9 * * * UTC for 60 min).',
  );
});

test('under the emergency brake it says who pulled it, and which rule it holds back', async (t) => {
  const { rules } = await openTestRules(t);
  await post(rules, ruleBody());
  await rules.freeze({ frozen: true, by: byCommand('eve'), reason: 'smoke' });
  const { kind, winner, reason } = await rules.explain(inputOf());
  t.is(kind, 'frozen');
  t.is(winner, undefined);
  t.is(
    reason,
    'Upgrades are frozen since 2026-01-31T02:30:00.000Z by eve (smoke); else "r1" would upgrade it.',
  );
});

test('parameters that the CPE was not asked for are named, and do not keep the rest from being explained', async (t) => {
  const { rules } = await openTestRules(t);
  await post(rules, ruleBody({ id: 'reads', condition: { 'parameters.Device.X.Y': 1 } }), ruleBody());
  const explained = await rules.explain(inputOf({}, { unread: async (paths) => paths }));
  t.is(explained.kind, 'read');
  t.deepEqual(explained.reads, ['Device.X.Y']);
  t.regex(explained.reason, /first be asked for Device\.X\.Y, .* now: "r1" is the only rule/);
  t.deepEqual(verdicts(explained), { reads: 'condition-false', r1: 'chosen' });
});

test('asked for some rules it lists those, also of other CPEs, and still names the winner of all', async (t) => {
  const { rules } = await openTestRules(t);
  await post(rules, ruleBody(), ruleBody({ id: 'elsewhere', ...ELSEWHERE }));
  const ids = ['elsewhere' as RuleId];
  const explained = await rules.explain(inputOf(), { ids });
  t.is(explained.winner, 'r1' as RuleId);
  t.deepEqual(verdicts(explained), { elsewhere: 'condition-false' });
  t.is(explained.rules[0]?.detail, 'cpeid is "00A1B2-HGW-1", not "00A1B2-HGW-2"');
  t.deepEqual(explained.rules[0]?.conjuncts[0]?.found, [
    { path: 'cpeid', value: CPE },
    { path: 'serialNumber', value: '1' },
  ]);
  const error = await t.throwsAsync(rules.explain(inputOf(), { ids: [...ids, 'none' as RuleId] }), {
    instanceOf: UnknownRuleError,
  });
  t.deepEqual(error?.ids, ['none']);
});

test('a draft is considered as if it were stored, in place of the rule of its name, and is not stored', async (t) => {
  const { rules } = await openTestRules(t);
  await post(rules, ruleBody({ priority: 1 }));
  const draft = ruleBody({ id: 'draft', priority: 2 });
  t.is((await rules.explain(inputOf(), { draft })).winner, 'draft' as RuleId);
  t.is(await rules.get('draft' as RuleId), null);
  const instead = await rules.explain(inputOf(), { draft: ruleBody({ condition: { productClass: 'STB' } }) });
  t.is(instead.kind, 'nothing');
  t.deepEqual(verdicts(instead), { r1: 'condition-false' });
  const pinnedElsewhere = await rules.explain(inputOf(), { draft: { ...ruleBody(), ...ELSEWHERE } });
  t.deepEqual(verdicts(pinnedElsewhere), {});
  const named = await rules.explain(inputOf(), { draft, ids: ['draft' as RuleId] });
  t.deepEqual(verdicts(named), { draft: 'chosen' });
  await t.throwsAsync(rules.explain(inputOf(), { draft: ruleBody({ condition: 'a =' }) }), {
    instanceOf: InvalidRuleError,
  });
});

test('of too many rules the telling ones are listed, the winner always, and the others counted', async (t) => {
  const { rules } = await openTestRules(t);
  const dull = Array.from({ length: 30 }, (_, index) =>
    ruleBody({ id: `dull${index}`, condition: { productClass: 'STB' }, priority: 9 }),
  );
  const shut = Array.from({ length: 5 }, (_, index) =>
    ruleBody({ id: `shut${index}`, window: { cron: '0 9 * * *', durationMinutes: 60 }, priority: 5 }),
  );
  await post(rules, ...dull, ...shut, ruleBody({ id: 'winner', priority: 1 }));
  const { rules: listed, omitted } = await rules.explain(inputOf(), { limit: 3 });
  t.deepEqual(
    listed.map(({ ruleId }) => ruleId as string),
    ['shut0', 'shut1', 'winner'],
  );
  t.is(omitted, 33);
  const roomy = await rules.explain(inputOf(), { limit: 10 });
  t.is(roomy.rules.length, 10);
  t.is(roomy.omitted, 26);
});

test('a rule whose condition fails costs an explanation no more than a budget, and names the error', async (t) => {
  const { rules } = await openTestRules(t);
  const endless = '($f := function($n) { $f($n + 1) }; $f(1))';
  await post(
    rules,
    ...Array.from({ length: 20 }, (_, index) => ruleBody({ id: `e${index}`, condition: endless })),
    ruleBody(),
  );
  const explained = await rules.explain(inputOf());
  t.is(explained.rules.filter(({ verdict }) => verdict === 'condition-error').length, 20);
  t.is(explained.rules[0]?.conjuncts[0]?.outcome, 'error');
  t.truthy(explained.rules[0]?.conjuncts[0]?.message);
});

test('lists are shown as lists, and what a call that is compared comes to', async (t) => {
  const given = await meansOf(t, inputOf());
  const text = '"0 BOOTSTRAP" in events and $length(productClass) > 5 and $length(modelName) > 5';
  const findings = await findingsOf(text, given.compiler.compile(text), given);
  t.deepEqual(
    findings.map(({ found }) => found),
    [
      [{ path: 'events', value: ['2 PERIODIC'] }],
      [
        { path: 'productClass', value: 'HGW' },
        { path: '$length(productClass)', value: 3 },
      ],
      [{ path: 'modelName' }],
    ],
  );
});

const CONJUNCT = { column: 1, paths: ['softwareVersion', 'modelName', 'parameters.Device.X.Y'] } as const;

/** The same condition, made of just these. */
function withConjuncts(
  {
    pin,
    name,
    isBySerialNumber,
    requirements,
    closure,
    source,
    readsParameters,
    parameterPaths,
    parameterSubtrees,
  }: CompiledCondition,
  conjuncts: readonly Conjunct[],
): CompiledCondition {
  return {
    pin,
    name,
    isBySerialNumber,
    requirements,
    closure,
    source,
    readsParameters,
    parameterPaths,
    parameterSubtrees,
    conjuncts,
  };
}

async function meansOf(t: ExecutionContext, input: DecisionInput) {
  const compiler = createConditionCompiler(await loadGuards());
  const { means, close } = evaluationMeans();
  t.teardown(close);
  const evaluation = beginEvaluation(input, means);
  const context = async () => ({ ...input.context, parameters: await input.readParameters() });
  return { compiler, evaluation, context };
}

test('each conjunct is told apart, with what the CPE has at its paths, and nothing where it has nothing', async (t) => {
  const input = inputOf({}, { readParameters: async () => ({ Device: { X: { Y: 7 } } }) });
  const given = await meansOf(t, input);
  const text =
    'softwareVersion = "1.0.0" and $lowercase(modelName) = "x" and tags and $uppercase(productClass) = "HGW"';
  const condition = given.compiler.compile(text);
  const context = (name: string) => (seen: object) => (seen as Record<string, unknown>)[name];
  const findings = await findingsOf(
    text,
    withConjuncts(condition, [
      {
        text: 'softwareVersion = "1.0.0"',
        closure: (seen) => context('softwareVersion')(seen) === '1.0.0',
        ...CONJUNCT,
      },
      { text: '$uppercase(productClass) = "HGW"', closure: null, column: 40, paths: ['productClass'] },
      // JSONata's `and` takes an array with something in it for true.
      { text: 'events', closure: context('events'), column: 50, paths: ['events'] },
      { text: 'tags', closure: context('tags'), column: 60, paths: ['tags'] },
      { text: '$uppercase(productClass) = "STB"', closure: null, column: 70, paths: [] },
    ]),
    given,
  );
  t.deepEqual(
    findings.map(({ outcome }) => outcome),
    ['true', 'true', 'true', 'false', 'not-evaluated'],
  );
  t.deepEqual(findings[0], {
    text: 'softwareVersion = "1.0.0"',
    column: 1,
    outcome: 'true',
    found: [
      { path: 'softwareVersion', value: '1.0.0' },
      { path: 'modelName' },
      { path: 'parameters.Device.X.Y', value: 7 },
    ],
  });
});

test('a condition that does not compile is one finding that says why; what a CPE holds is shown cut', async (t) => {
  const given = await meansOf(t, inputOf({ softwareVersion: 'v'.repeat(5_000) }));
  t.deepEqual(await findingsOf('a =', 'not JSONata', given), [
    { text: 'a =', outcome: 'error', found: [], message: 'not JSONata' },
  ]);
  const written = { softwareVersion: '1' };
  const [finding] = await findingsOf(written, withConjuncts(given.compiler.compile(written), []), given);
  t.is(finding?.text, '{"softwareVersion":"1"}');
  t.is(finding?.outcome, 'false');
  t.is(String(finding?.found[0]?.value).length, 1_000);
});

test('rules that a decision passes over use up nothing of what its explanation has for the others', async (t) => {
  const { rules } = await openTestRules(t);
  // None of these is compiled, and all differ; no decision evaluates them for this CPE.
  const heavy = Array.from({ length: 200 }, (_, index) =>
    ruleBody({
      id: `heavy${index}`,
      priority: 9,
      condition: `parameters.Device.A.B = "no${index}" and $reduce([1..5000], function($a, $b) { $a + $b }) > ${index}`,
    }),
  );
  const own = ruleBody({ id: 'win', condition: '$sum([1, 0]) = 1' });
  await post(rules, ...heavy, own);
  const input = inputOf({}, { readParameters: async () => ({ Device: { A: { B: 'yes' } } }) });
  const explained = await rules.explain(input);
  t.like(explained, { kind: 'upgrade', winner: 'win' as RuleId });
  const first = explained.rules.find(({ ruleId }) => ruleId === 'heavy0');
  t.like(first, { verdict: 'condition-false', detail: 'parameters.Device.A.B is "yes", not "no0"' });
});

test('a condition of one piece is told to have failed with what it failed with, not with being tried twice', async (t) => {
  const { rules } = await openTestRules(t);
  await post(rules, ruleBody({ id: 'wide', condition: '$count($split($pad("", 20000000, "a,"), ",")) > 0' }));
  const [wide] = (await rules.explain(inputOf())).rules;
  t.is(wide?.detail, '$pad: the width may be at most 65536');
  t.is(wide?.conjuncts[0]?.message, wide?.detail);
});
