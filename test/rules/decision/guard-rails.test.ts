import test from 'ava';
import type { CpeId, RuleId } from '../../../common/index.js';
import { MINUTE_MS, SECOND_MS } from '../../../common/index.js';
import { TRIAL_PACE_MS } from '../../../rules/decision/probation.js';
import type { LastError, RuleEngine } from '../../../rules/index.js';
import { BY } from '../../support/actor.js';
import { until } from '../../support/ferry.js';
import { CPE, inputOf, NOW_MS, openTestRules, post, ruleBody, verdictsOf } from '../setup.js';
import { untilSuspended, wildConditions } from '../wild-conditions.js';

/** It goes beyond a bound at once. */
const WILD = '$length($pad("", 70000)) > 0';
const CPES = Array.from({ length: 20 }, (_, n) => `00A1B2-HGW-${n}` as CpeId);

async function lastErrorOf(rules: RuleEngine, id = 'r1'): Promise<LastError | null | undefined> {
  for await (const { lastError } of rules.withFindings(rules.scan({ ids: [id] }))) return lastError;
  return undefined;
}

test('what a condition failed with last is shown with its rule, and moves no revision', async (t) => {
  const { rules, clock } = await openTestRules(t);
  await post(rules, ruleBody({ condition: 'softwareVersion < 2', priority: 2 }), ruleBody({ id: 'good' }));
  const before = await rules.get('r1' as RuleId);
  await rules.decide(inputOf());
  await t.notThrowsAsync(rules.settled());
  t.like(await lastErrorOf(rules), { atMs: NOW_MS, cpeid: CPE, code: 'T2009' });
  t.is(await lastErrorOf(rules, 'good'), null);
  t.is((await rules.get('r1' as RuleId))?.revision, before?.revision);

  // Once a minute, as a fleet meets it many times a second.
  clock.nowMs += SECOND_MS;
  await rules.decide(inputOf());
  await rules.settled();
  t.is((await lastErrorOf(rules))?.atMs, NOW_MS);
  clock.nowMs += MINUTE_MS;
  await rules.decide(inputOf());
  await rules.settled();
  t.is((await lastErrorOf(rules))?.atMs, clock.nowMs);
});

test('an error is forgotten with an edit of its rule and with the rule, and by saying the same again it is not', async (t) => {
  const { rules, store, clock } = await openTestRules(t);
  const body = ruleBody({ condition: 'softwareVersion < 2' });
  await post(rules, body);
  await rules.decide(inputOf());
  await rules.settled();
  await post(rules, body);
  t.truthy(await lastErrorOf(rules));
  clock.nowMs += 1;
  await rules.merge(['r1' as RuleId], { description: 'new' }, BY);
  t.is(await lastErrorOf(rules), null);

  await rules.decide(inputOf());
  await rules.settled();
  t.truthy(await lastErrorOf(rules));
  await rules.remove(['r1' as RuleId], BY);
  t.is(await store.collection({ name: 'rule-errors', indexes: {} }).count(), 0);
});

test('trips by 20 different CPEs suspend a rule in every process, with an alarm, until it is edited', async (t) => {
  const { rules, another, log, clock, stored } = await openTestRules(t);
  const other = await another();
  await post(rules, ruleBody({ condition: WILD }));
  const decide = async (engine: RuleEngine, cpeid: CpeId) => {
    clock.nowMs += TRIAL_PACE_MS;
    const decision = await engine.decide(inputOf({ cpeid }));
    await engine.settled();
    return verdictsOf(decision)['r1'];
  };
  // Each of two processes sees a part of them, and the same one as often as it calls.
  for (const [n, cpeid] of CPES.slice(0, 19).entries()) {
    t.is(await decide(n % 2 === 0 ? rules : other, cpeid), 'condition-error');
    t.is(await decide(n % 2 === 0 ? rules : other, cpeid), 'condition-error');
  }
  t.is((await stored('r1')).suspended, undefined);
  t.is(await rules.suspendedCount(), 0);
  const { updatedAtMs } = await stored('r1');
  t.is(await decide(other, '00A1B2-HGW-19' as CpeId), 'condition-error');
  t.is((await stored('r1')).suspended?.atMs, clock.nowMs);
  t.is((await stored('r1')).updatedAtMs, updatedAtMs);
  t.is(await rules.suspendedCount(), 1);
  t.is(log.filter(({ event }) => event === 'rules.suspended').length, 1);
  t.is(await decide(rules, CPE), 'suspended');
  t.is(await decide(other, CPE), 'suspended');

  // Saying the same again is no edit, and neither is forgetting counts.
  await post(rules, ruleBody({ condition: WILD }));
  await rules.restart(['r1' as RuleId], BY);
  t.is(await decide(rules, CPE), 'suspended');
  await rules.merge(['r1' as RuleId], { condition: '$count(tags) = 0' }, BY);
  t.is(await rules.suspendedCount(), 0);
  t.is(await decide(rules, CPE), 'chosen');
  t.is(await decide(other, CPE), 'chosen');
});

test('errors of 20 CPEs that are no trips suspend nothing', async (t) => {
  const { rules, stored } = await openTestRules(t);
  await post(rules, ruleBody({ condition: 'softwareVersion < 2' }));
  for (const cpeid of CPES) await rules.decide(inputOf({ cpeid }));
  await rules.settled();
  t.is((await stored('r1')).suspended, undefined);
});

test('the switch of the API lifts the suspension of a rule from a file', async (t) => {
  const { rules, stored, clock } = await openTestRules(t);
  const lease = await rules.leaseFiles('test', MINUTE_MS);
  if (lease === null) return t.fail();
  await rules.applyFiles([{ file: 'a.json', body: ruleBody({ condition: WILD }) }], {
    renewed: async () => lease,
    turn: (work) => work(),
    beside: null,
  });
  for (const cpeid of CPES) {
    clock.nowMs += TRIAL_PACE_MS;
    await rules.decide(inputOf({ cpeid }));
  }
  await rules.settled();
  t.truthy((await stored('r1')).suspended);
  clock.nowMs += 1;
  await rules.merge(['r1' as RuleId], { enabled: false }, BY);
  t.is((await stored('r1')).suspended, undefined);
});

test('a rule that tripped is tried again at the pace of trials only, and is free again once it comes to an end', async (t) => {
  const { rules, isolated, clock } = await openTestRules(t);
  await post(rules, ruleBody({ condition: `serialNumber != "good" and ${WILD} or serialNumber = "good"` }));
  const decide = async (serialNumber: string) => {
    await rules.decide(inputOf({ serialNumber }));
    return isolated.at(-1);
  };
  t.is(await decide('1'), 'answered');
  t.is(await decide('good'), 'on-probation');
  clock.nowMs += TRIAL_PACE_MS;
  t.is(await decide('2'), 'answered');
  t.is(await decide('good'), 'on-probation');
  clock.nowMs += TRIAL_PACE_MS;
  t.is(await decide('good'), 'answered');
  t.is(await decide('good'), 'answered');
});

test('a thousand decisions at a time each get their own answer', async (t) => {
  const { rules, clock } = await openTestRules(t);
  await post(rules, ruleBody({ condition: '$number(serialNumber) % 2 = 0 and $count($sort(tags)) = 0' }));
  // On a machine that stands still one may run out of time, and the condition is on trial from then on.
  await until('all of them are answered', async () => {
    clock.nowMs += TRIAL_PACE_MS;
    const decisions = await Promise.all(
      Array.from({ length: 1_000 }, (_, n) => rules.decide(inputOf({ serialNumber: String(n) }))),
    );
    return decisions.every((decision, n) => {
      if (decision.kind === 'upgrade') t.is(n % 2, 0);
      const answers = ['chosen', 'condition-false', 'condition-error'];
      const verdict = 'considered' in decision ? decision.considered[0]?.verdict : undefined;
      t.true(verdict !== undefined && answers.includes(verdict));
      return verdict === (n % 2 === 0 ? 'chosen' : 'condition-false');
    });
  });
});

test('an engine that closes while a condition is evaluated ends the decision', async (t) => {
  const { rules } = await openTestRules(t);
  await post(rules, ruleBody({ condition: '$count($split($pad("", 65536, "ab"), /(a?){900}b/)) > 0' }));
  const deciding = rules.decide(inputOf());
  await rules.close();
  t.is((await deciding).kind, 'nothing');
});

test('beside wild rules every CPE gets what a good rule gives it, and all of them are suspended in the end', async (t) => {
  t.timeout(10 * MINUTE_MS);
  await untilSuspended(t, wildConditions({ quick: 4, slow: 2 }));
});

/** Two subtrees of the data model of so many values each; no value is in both. */
function withTrees(cpeid: CpeId, values: number) {
  const treeOf = (name: string) =>
    Object.fromEntries(Array.from({ length: values }, (_, n) => [`P${n}`, `${name}${n}`]));
  return inputOf({ cpeid }, { readParameters: async () => ({ a: treeOf('a'), b: treeOf('b') }) });
}
/** Compares each value of the one with each of the other so many times: false, `noneAmong` is true. */
const someAmong = (times: number) =>
  `$count(parameters.a.*[${Array(times).fill('$ in $$.parameters.b.*').join(' or ')}]) > 0`;
const noneAmong = (times: number) => `$not(${someAmong(times)})`;

test('a closure that takes more steps than its decision has left is evaluated outside of the server, and comes to the same', async (t) => {
  const { rules, isolated, clock } = await openTestRules(t);
  // The first takes most of the steps, so that the second is far from taking all the time that one has elsewhere.
  await post(
    rules,
    ruleBody({ id: 'first', priority: 5, condition: someAmong(10) }),
    ruleBody({ id: 'second', condition: noneAmong(1) }),
  );
  const input = withTrees(CPE, 60);
  // On a busy machine it may take longer than a condition is given, and is tried again at the pace of trials.
  await until('it comes to an end in time', async () => {
    clock.nowMs += TRIAL_PACE_MS;
    return (await rules.decide(input)).kind === 'upgrade';
  });
  const tooEarly: readonly string[] = ['out-of-time', 'on-probation'];
  t.deepEqual(
    isolated.filter((outcome) => !tooEarly.includes(outcome)),
    ['answered'],
  );
  await until('it is explained', async () => {
    clock.nowMs += TRIAL_PACE_MS;
    const explained = await rules.explain(input);
    return explained.rules.find(({ ruleId }) => ruleId === 'second')?.verdict === 'chosen';
  });
  t.is(isolated.at(-1), 'answered');
});

test('however many closures take too much, each CPE gets what a good one gives it, and they are suspended', async (t) => {
  const { rules, isolated, clock, stored } = await openTestRules(t);
  const heavy = Array.from({ length: 20 }, (_, n) => `${noneAmong(12)} and productClass != "${n}"`);
  await post(
    rules,
    ...heavy.map((condition, n) => ruleBody({ id: `heavy${n}`, priority: 5, condition })),
    ruleBody({ id: 'good', condition: '$contains(productClass, /^HG/)' }),
  );
  for (const cpeid of CPES) {
    const before = isolated.length;
    const decision = await rules.decide(withTrees(cpeid, 220));
    t.is(decision.kind === 'upgrade' ? decision.rule.id : null, 'good' as RuleId);
    t.is(isolated.length - before, heavy.length);
    await rules.settled();
    clock.nowMs += TRIAL_PACE_MS;
  }
  await rules.remove(
    heavy.slice(1).map((_, n) => `heavy${n + 1}` as RuleId),
    BY,
  );
  while ((await stored('heavy0')).suspended === undefined) {
    clock.nowMs += heavy.length * TRIAL_PACE_MS;
    await rules.decide(withTrees(`00A1B2-HGW-${clock.nowMs % 1_009}` as CpeId, 220));
    await rules.settled();
  }
  t.is(await rules.suspendedCount(), 1);
});
