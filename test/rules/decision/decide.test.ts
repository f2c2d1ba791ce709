import test from 'ava';
import { MINUTE_MS, type RuleId } from '../../../common/index.js';
import { byCommand } from '../../../events/index.js';
import {
  type Decision,
  type DecisionInput,
  type ImageFacts,
  NO_COUNT,
  type ParameterTree,
  type RuleCount,
  type Verdict,
} from '../../../rules/index.js';
import { BY } from '../../support/actor.js';
import { CPE, inputOf, NOW_MS, openTestRules, post, ruleBody, type TestRules, verdictsOf } from '../setup.js';

interface Gate {
  readonly name: string;
  readonly rule?: Readonly<Record<string, unknown>>;
  readonly context?: Partial<DecisionInput['context']>;
  readonly count?: Partial<RuleCount>;
  readonly requested?: boolean;
  readonly image?: ImageFacts;
  readonly verdict: Verdict;
}

const PINNED = { condition: { cpeid: CPE } };

const GATES: readonly Gate[] = [
  { name: 'nothing speaks against it', verdict: 'chosen' },
  { name: 'not enabled', rule: { ...PINNED, enabled: false }, verdict: 'disabled' },
  { name: 'not automatic', rule: { automatic: false }, verdict: 'not-automatic' },
  { name: 'not automatic, but asked for', rule: { automatic: false }, requested: true, verdict: 'chosen' },
  {
    name: 'not enabled, but asked for',
    rule: { ...PINNED, enabled: false },
    requested: true,
    verdict: 'disabled',
  },
  {
    name: 'another product class',
    rule: { condition: { cpeid: CPE, productClass: 'STB' } },
    verdict: 'condition-false',
  },
  { name: 'a type error', rule: { condition: 'softwareVersion < 2' }, verdict: 'condition-error' },
  { name: 'one execution of one', count: { started: 1 }, verdict: 'executions-used-up' },
  { name: 'one execution of two', rule: { executions: 2 }, count: { started: 1 }, verdict: 'chosen' },
  { name: 'no execution allowed', rule: { executions: 0 }, verdict: 'executions-used-up' },
  { name: 'any number of executions', rule: { executions: -1 }, count: { started: 99 }, verdict: 'chosen' },
  {
    name: 'verified, though more were allowed',
    rule: { executions: -1 },
    count: { started: 1, verified: true },
    verdict: 'already-verified',
  },
  {
    name: 'an hour has not passed since the first failure',
    rule: { executions: 9 },
    count: { started: 1, failures: 1, lastEndedMs: NOW_MS - 59 * MINUTE_MS },
    verdict: 'waiting-for-retry',
  },
  {
    name: 'an hour has passed since the first failure',
    rule: { executions: 9 },
    count: { started: 1, failures: 1, lastEndedMs: NOW_MS - 60 * MINUTE_MS },
    verdict: 'chosen',
  },
  {
    name: 'after the third failure it is four hours',
    rule: { executions: 9 },
    count: { started: 3, failures: 3, lastEndedMs: NOW_MS - 239 * MINUTE_MS },
    verdict: 'waiting-for-retry',
  },
  {
    name: 'the wait is never longer than maxHours',
    rule: { executions: 2_000, retry: { maxHours: 5 } },
    count: { started: 1_100, failures: 1_100, lastEndedMs: NOW_MS - 300 * MINUTE_MS },
    verdict: 'chosen',
  },
  {
    name: 'the window is open',
    rule: { window: { cron: '0 2 * * *', durationMinutes: 60 } },
    verdict: 'chosen',
  },
  {
    name: 'the window has closed',
    rule: { window: { cron: '0 2 * * *', durationMinutes: 30 } },
    verdict: 'window-closed',
  },
  {
    name: 'its time begins at this very moment',
    rule: { notBefore: new Date(NOW_MS).toISOString() },
    verdict: 'chosen',
  },
  {
    name: 'its time begins in a millisecond',
    rule: { notBefore: new Date(NOW_MS + 1).toISOString() },
    verdict: 'not-yet',
  },
  {
    name: 'its time ends at this very moment',
    rule: { notAfter: new Date(NOW_MS).toISOString() },
    verdict: 'too-late',
  },
  {
    name: 'its time ends in a millisecond, by the clock of a zone',
    rule: { notBefore: '2026-01-31T03:30:00+01:00', notAfter: '2026-01-31T03:30:00.001+01:00' },
    verdict: 'chosen',
  },
  { name: 'no such image', rule: { file: 'other.bin' }, verdict: 'image-missing' },
  {
    name: 'a URL elsewhere',
    rule: { file: 'http://files.example/x.bin' },
    verdict: 'chosen',
  },
  { name: 'an image for another product', image: { productClass: 'STB' }, verdict: 'image-does-not-fit' },
  { name: 'an image for this product', image: { productClass: 'HGW' }, verdict: 'chosen' },
  {
    name: 'an image for one hardware, and the CPE does not say which it is',
    image: { hardwareVersion: 'A' },
    verdict: 'image-does-not-fit',
  },
  {
    name: 'an image for this hardware',
    image: { hardwareVersion: 'A' },
    context: { hardwareVersion: 'A' },
    verdict: 'chosen',
  },
  { name: 'at the target already', context: { softwareVersion: '2.0.0' }, verdict: 'at-target' },
  {
    name: 'the rule’s target goes before the image’s version',
    rule: { target: { softwareVersion: '2.0.0-isp' } },
    context: { softwareVersion: '2.0.0' },
    verdict: 'chosen',
  },
  {
    name: 'at the target, but forced',
    rule: { force: true },
    context: { softwareVersion: '2.0.0' },
    verdict: 'chosen',
  },
  {
    name: 'pinned, and at the target already',
    rule: PINNED,
    context: { softwareVersion: '2.0.0' },
    verdict: 'at-target',
  },
  {
    name: 'pinned, at the target, and recorded so before',
    rule: PINNED,
    context: { softwareVersion: '2.0.0' },
    count: { verified: true },
    verdict: 'already-verified',
  },
];

for (const { name, rule, context, count, requested, image, verdict } of GATES) {
  test(`gate: ${name}: ${verdict}`, async (t) => {
    const { rules, images, stored } = await openTestRules(t);
    if (image !== undefined) images.set('hgw-2.0.0.bin', image);
    await post(rules, ruleBody(rule));
    const counts = { [rules.countKey(await stored('r1'))]: { ...NO_COUNT, ...count } };
    const decision = await rules.decide(inputOf(context, { counts, requested: requested ?? false }));
    t.deepEqual(verdictsOf(decision), { r1: verdict });
    const pinnedAtTarget = verdict === 'at-target' && rule === PINNED;
    t.is(decision.kind, verdict === 'chosen' ? 'upgrade' : pinnedAtTarget ? 'at-target' : 'nothing');
  });
}

test('the larger priority wins, then the older rule, then the smaller id', async (t) => {
  const { rules, clock } = await openTestRules(t);
  await post(rules, ruleBody({ id: 'b' }), ruleBody({ id: 'c', ...PINNED }));
  clock.nowMs -= 1_000;
  await post(rules, ruleBody({ id: 'z', ...PINNED }));
  await post(rules, ruleBody({ id: 'first', priority: 2, condition: '1 = 2' }));
  await post(rules, ruleBody({ id: 'elsewhere', priority: 2, condition: { productClass: 'STB' } }));
  const decision = await rules.decide(inputOf());
  t.like(decision, { kind: 'upgrade', rule: { id: 'z' }, targetVersion: '2.0.0' });
  t.deepEqual(
    'considered' in decision && decision.considered.map(({ ruleId, verdict }) => [ruleId, verdict]),
    [
      ['first', 'condition-false'],
      ['z', 'chosen'],
      ['b', 'lower-priority'],
      ['c', 'lower-priority'],
    ] as never,
  );
});

test('a rule pinned to another CPE is not even looked at', async (t) => {
  const { rules } = await openTestRules(t);
  await post(rules, ruleBody({ condition: { cpeid: '00A1B2-HGW-2' } }));
  t.deepEqual(await rules.decide(inputOf()), { kind: 'nothing', considered: [] });
});

test('every process decides on what is stored now', async (t) => {
  const { rules, another } = await openTestRules(t);
  const other = await another();
  t.is((await other.decide(inputOf())).kind, 'nothing');
  await post(rules, ruleBody());
  t.is((await other.decide(inputOf())).kind, 'upgrade');
  await rules.merge(await allIds(rules), { enabled: false }, BY);
  t.deepEqual(await other.decide(inputOf()), { kind: 'nothing', considered: [] });
  await rules.put([ruleBody({ condition: { cpeid: 'elsewhere' } })], {
    by: byCommand('api'),
    onlyNew: false,
  });
  t.deepEqual(verdictsOf(await other.decide(inputOf())), {});
  await rules.remove(await allIds(rules), BY);
  t.is((await other.decide(inputOf())).kind, 'nothing');
});

async function allIds(rules: TestRules['rules']) {
  const ids = [];
  for await (const { id } of rules.scan({})) ids.push(id);
  return ids;
}

function conditionsOf(decision: Decision) {
  if (decision.kind !== 'upgrade') throw new Error(`decided ${decision.kind}`);
  return decision.conditions;
}

test('a reservation is refused once the rule it was decided on has changed', async (t) => {
  const { rules, store } = await openTestRules(t);
  await post(rules, ruleBody());
  const decision = await rules.decide(inputOf());
  await rules.merge(await allIds(rules), { enabled: false }, BY);
  t.false((await store.commit(conditionsOf(decision))).committed);
});

test('the emergency brake refuses what was decided before it, and stops every process', async (t) => {
  const { rules, store, another } = await openTestRules(t);
  await post(rules, ruleBody());
  const decided = await rules.decide(inputOf());
  const other = await another();
  await other.freeze({ frozen: true, by: byCommand('alice'), reason: 'bricked' });
  t.false((await store.commit(conditionsOf(decided))).committed);
  t.deepEqual(await rules.decide(inputOf()), { kind: 'frozen' });
  t.deepEqual(await rules.freezeState(), { frozen: true, by: 'alice', reason: 'bricked', sinceMs: NOW_MS });
  await rules.freeze({ frozen: false, by: byCommand('bob') });
  // What was decided before the brake stays refused after it is off.
  t.false((await store.commit(conditionsOf(decided))).committed);
  t.true((await store.commit(conditionsOf(await other.decide(inputOf())))).committed);
});

test('the first to pull the brake is the one it names', async (t) => {
  const { rules, clock } = await openTestRules(t);
  await rules.freeze({ frozen: true, by: byCommand('alice') });
  clock.nowMs += 1_000;
  t.deepEqual(await rules.freeze({ frozen: true, by: byCommand('bob') }), {
    frozen: true,
    by: 'alice',
    sinceMs: NOW_MS,
  });
});

test('the data model is read only for a rule whose other conjuncts hold', async (t) => {
  const { rules } = await openTestRules(t);
  let reads = 0;
  const readParameters = async (): Promise<ParameterTree> => {
    reads += 1;
    return { Device: { X: { Y: 5 } } };
  };
  const text = 'productClass = "STB" and parameters.Device.X.Y = 5';
  await post(rules, ruleBody({ id: 'a', condition: text }));
  await rules.decide(inputOf({}, { readParameters }));
  t.is(reads, 0);
  await post(rules, ruleBody({ id: 'b', condition: { 'parameters.Device.X.Y': 5 } }));
  const decision = await rules.decide(inputOf({}, { readParameters }));
  t.like(decision, { kind: 'upgrade', rule: { id: 'b' } });
  t.is(reads, 1);
});

test('the paths to read are those of enabled rules that may concern the CPE', async (t) => {
  const { rules } = await openTestRules(t);
  const reading = (path: string) => `parameters.${path} = 1`;
  await post(
    rules,
    ruleBody({ id: 'fleet', condition: reading('Device.A.B') }),
    ruleBody({ id: 'off', enabled: false, condition: reading('Device.C.D') }),
    ruleBody({ id: 'mine', condition: `cpeid = "${CPE}" and ${reading('Device.E.F')}` }),
    ruleBody({ id: 'others', condition: `cpeid = "x" and ${reading('Device.G.H')}` }),
  );
  const asked: string[] = [];
  const unread = async (paths: readonly string[]) => {
    asked.push(...paths);
    return ['Device.E.F'];
  };
  t.deepEqual(await rules.decide(inputOf({}, { unread })), { kind: 'read', names: ['Device.E.F'] });
  t.deepEqual(asked.sort(), ['Device.A.B', 'Device.E.F']);
});

test('a condition error is logged with the rule and the reason, once a minute', async (t) => {
  const { rules, log, clock } = await openTestRules(t);
  await post(rules, ruleBody({ condition: 'softwareVersion < 2' }));
  const logged = () => log.filter(({ event }) => event === 'rules.condition-error');
  await rules.decide(inputOf());
  await rules.decide(inputOf());
  t.is(logged().length, 1);
  t.like(logged()[0]?.fields, { ruleId: 'r1', cpeid: CPE });
  clock.nowMs += MINUTE_MS;
  await rules.decide(inputOf());
  t.is(logged().length, 2);
});

test('a condition without end is skipped, and the decisions beside it are none the worse', async (t) => {
  const { rules } = await openTestRules(t);
  const endless = 'serialNumber = "1" and $count([1..9999].([1..9999])) > 0';
  await post(rules, ruleBody({ id: 'endless', priority: 2, condition: endless }));
  await post(rules, ruleBody({ id: 'good', condition: '$contains(productClass, /^HG/)' }));
  const decisions = await Promise.all(
    Array.from({ length: 10 }, (_, n) => rules.decide(inputOf({ serialNumber: String(n) }))),
  );
  const verdicts = decisions.map(verdictsOf);
  t.is(verdicts[1]?.['endless'], 'condition-error');
  t.deepEqual(
    verdicts.filter((_, n) => n !== 1).map(({ good }) => good),
    new Array(9).fill('chosen'),
  );
});

test('of thousands of rules the explanation keeps a hundred, the telling ones first', async (t) => {
  const { rules } = await openTestRules(t);
  const others = Array.from({ length: 1_999 }, (_, index) =>
    ruleBody({ id: `o${index}`, priority: 5, condition: { cpeid: CPE, softwareVersion: `9.${index}` } }),
  );
  await post(rules, ...others, ruleBody({ id: 'last', window: { cron: '0 5 * * *', durationMinutes: 5 } }));
  const decision = await rules.decide(inputOf());
  t.is(decision.kind, 'nothing');
  t.is(Object.keys(verdictsOf(decision)).length, 100);
  t.is(verdictsOf(decision)['last'], 'window-closed');
});

test('of a rule that is asked about the verdict is told, however many others there are to tell of', async (t) => {
  const { rules } = await openTestRules(t);
  const others = Array.from({ length: 150 }, (_, index) =>
    ruleBody({ id: `x${index}`, executions: 0, priority: 9 }),
  );
  await post(rules, ...others, ruleBody({ id: 'mine', executions: 0 }));
  const asked = { ...inputOf(), about: 'mine' as RuleId };
  t.is(verdictsOf(await rules.decide(inputOf()))['mine'], undefined);
  const decision = await rules.decide(asked);
  t.is(verdictsOf(decision)['mine'], 'executions-used-up');
  t.true('considered' in decision && decision.considered.length <= 100);
});
