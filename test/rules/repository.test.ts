import test from 'ava';
import type { RuleId } from '../../common/index.js';
import { InvalidRuleError, RuleConflictError, ruleOf } from '../../rules/index.js';
import { CPE, NOW_MS, openTestRules, post, ruleBody, type TestRules } from './setup.js';

async function idsOf(rules: TestRules['rules'], filter: Parameters<TestRules['rules']['scan']>[0] = {}) {
  const ids: string[] = [];
  for await (const { id } of rules.scan(filter)) ids.push(id);
  return ids;
}

const ids = (...some: string[]) => some as RuleId[];

test('a rule comes back as it was posted, with the defaults and its author', async (t) => {
  const { rules, stored } = await openTestRules(t);
  await post(rules, ruleBody());
  t.deepEqual(ruleOf(await stored('r1')), {
    ...ruleBody(),
    enabled: true,
    automatic: true,
    executions: 1,
    priority: 1,
    author: 'api',
    description: '',
  } as never);
  t.like(await stored('r1'), { fleetSeq: 1, createdAtMs: NOW_MS, updatedAtMs: NOW_MS, restarts: 0 });
});

test('posting what is stored changes nothing, not even a time or a revision', async (t) => {
  const { rules, clock } = await openTestRules(t);
  await post(rules, ruleBody({ limits: { total: 5 } }));
  const before = await rules.get('r1' as RuleId);
  clock.nowMs += 1_000;
  await rules.put([ruleBody({ limits: { total: 5 }, priority: 1 })], {
    author: 'someone else',
    onlyNew: false,
  });
  t.deepEqual(await rules.get('r1' as RuleId), before);
});

test('replacing a rule keeps its creation, and leaves nothing of the old one', async (t) => {
  const { rules, clock, stored } = await openTestRules(t);
  await post(rules, ruleBody({ description: 'old', window: { cron: '0 2 * * *', durationMinutes: 5 } }));
  clock.nowMs += 1_000;
  await post(rules, ruleBody({ condition: { cpeid: CPE } }));
  const after = await stored('r1');
  t.like(after, { description: '', pin: CPE, createdAtMs: NOW_MS, updatedAtMs: NOW_MS + 1_000 });
  t.false('window' in after || 'fleetSeq' in after);
});

test('of an array with one wrong rule none is stored, and the problem names it', async (t) => {
  const { rules } = await openTestRules(t);
  const error = await t.throwsAsync(
    post(rules, ruleBody({ id: 'a' }), ruleBody({ id: 'b', priority: 'x' }), ruleBody({ id: 'a' })),
    { instanceOf: InvalidRuleError },
  );
  t.deepEqual(
    error.problems.map(({ item, field }) => [item, field]),
    [
      [1, 'priority'],
      [2, 'id'],
    ],
  );
  t.false(error.problems.some((problem) => 'path' in problem));
  t.deepEqual(await idsOf(rules), []);
});

test('onlyNew refuses all of them where one exists', async (t) => {
  const { rules } = await openTestRules(t);
  await post(rules, ruleBody({ id: 'b' }));
  const put = rules.put([ruleBody({ id: 'a' }), ruleBody({ id: 'b' })], { author: 'api', onlyNew: true });
  const error = await t.throwsAsync(put, { instanceOf: RuleConflictError });
  t.like(error, { reason: 'exists', ruleId: 'b' });
  t.deepEqual(await idsOf(rules), ['b']);
});

test('of two processes that create the same rule only anew, one succeeds', async (t) => {
  const { rules, another } = await openTestRules(t);
  const engines = [rules, await another(), await another(), await another()];
  const outcomes = await Promise.allSettled(
    engines.map((engine, index) => engine.put([ruleBody()], { author: `a${index}`, onlyNew: true })),
  );
  t.is(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
});

test('concurrent merges of different fields are all kept', async (t) => {
  const { rules, another, stored } = await openTestRules(t);
  await post(rules, ruleBody());
  const other = await another();
  await Promise.all([
    rules.merge(ids('r1'), { limits: { total: 5 } }),
    other.merge(ids('r1'), { limits: { concurrent: 2 } }),
    rules.merge(ids('r1'), { description: 'x' }),
    other.merge(ids('r1'), { priority: 7 }),
  ]);
  t.like(await stored('r1'), { limits: { total: 5, concurrent: 2 }, description: 'x', priority: 7 });
});

test('merge: null takes a field away, an object goes in field by field, a condition is replaced', async (t) => {
  const { rules, stored } = await openTestRules(t);
  await post(
    rules,
    ruleBody({
      condition: { productClass: 'HGW', oui: 'X' },
      limits: { total: 5, concurrent: 1 },
      force: true,
    }),
  );
  await rules.merge(ids('r1', 'nobody'), {
    id: 'r1',
    limits: { total: 9, concurrent: null },
    force: null,
    condition: { cpeid: CPE },
    enabled: false,
    automatic: false,
  });
  const after = await stored('r1');
  t.like(after, { condition: { cpeid: CPE }, pin: CPE, enabled: false, automatic: false });
  t.deepEqual(after.limits, { total: 9 } as never);
  t.false('force' in after);
});

for (const [patch, field] of [
  [{ id: 'r2' }, 'id'],
  [{ file: null }, 'file'],
  [{ enabeld: false }, 'enabeld'],
  [{ limits: { total: 0 } }, 'limits.total'],
  [{ condition: 'a =' }, 'condition'],
] as const) {
  test(`merge refuses ${JSON.stringify(patch)} and changes no rule`, async (t) => {
    const { rules, stored } = await openTestRules(t);
    await post(rules, ruleBody({ id: 'r0' }), ruleBody());
    const before = [await stored('r0'), await stored('r1')];
    const merge = rules.merge(ids('r1', 'r0'), patch);
    const error = await t.throwsAsync(merge, { instanceOf: InvalidRuleError });
    t.is(error.problems[0]?.field, field);
    t.deepEqual([await stored('r0'), await stored('r1')], before);
  });
}

test('remove and restart say how many there were, duplicates counted once', async (t) => {
  const { rules } = await openTestRules(t);
  await post(rules, ruleBody({ id: 'a' }), ruleBody({ id: 'b', condition: { cpeid: CPE } }));
  t.is(await rules.restart(ids('a', 'a', 'none')), 1);
  t.is(await rules.remove(ids('a', 'b', 'b', 'none')), 2);
  t.is(await rules.remove(ids('a')), 0);
});

test('scan gives the newest first, by id, by prefix, by CPE, and all', async (t) => {
  const { rules, clock } = await openTestRules(t);
  for (const id of ['x1', 'a2', 'x3']) {
    clock.nowMs += 1_000;
    await post(rules, ruleBody({ id, condition: id === 'a2' ? { productClass: 'HGW' } : { cpeid: CPE } }));
  }
  t.deepEqual(await idsOf(rules), ['x3', 'a2', 'x1']);
  t.deepEqual(await idsOf(rules, { ids: ['x1', 'x3', 'x3', 'none'] }), ['x3', 'x1']);
  t.deepEqual(await idsOf(rules, { idPrefix: 'x' }), ['x3', 'x1']);
  t.deepEqual(await idsOf(rules, { cpeid: CPE }), ['x3', 'x1']);
  t.deepEqual(await idsOf(rules, { cpeid: CPE, idPrefix: 'x1' }), ['x1']);
  t.deepEqual(await idsOf(rules, { ids: ['a2'], cpeid: CPE }), []);
});

test('more rules than fit into one commit are stored, and found by prefix newest first', async (t) => {
  const { rules, clock } = await openTestRules(t);
  const many = Array.from({ length: 2_001 }, (_, n) =>
    ruleBody({ id: `m${n}`, condition: { cpeid: `c${n}` } }),
  );
  await post(rules, ...many);
  clock.nowMs += 1_000;
  await post(rules, ruleBody({ id: 'm' }));
  const found = await idsOf(rules, { idPrefix: 'm' });
  t.is(found.length, 2_002);
  t.is(found[0], 'm');
  await t.throwsAsync(
    rules.put([...many, ruleBody({ id: 'm' })].reverse(), { author: 'api', onlyNew: true }),
    { instanceOf: RuleConflictError },
  );
});
