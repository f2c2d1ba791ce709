import test from 'ava';
import type { RuleId } from '../../../common/index.js';
import { byCommand } from '../../../events/index.js';
import { InvalidRuleError, UnknownRuleError } from '../../../rules/index.js';
import { CPE, inputOf, openTestRules, post, ruleBody } from '../setup.js';

const SHUT = { window: { cron: '0 9 * * *', durationMinutes: 60 } };

test('a rule that is not enabled is judged as though it were; other switches count', async (t) => {
  const { rules } = await openTestRules(t);
  await post(
    rules,
    ruleBody({ id: 'off', enabled: false }),
    ruleBody({ id: 'manual', enabled: false, automatic: false }),
    ruleBody({ id: 'shut', enabled: false, ...SHUT }),
    ruleBody({ id: 'other', enabled: false, condition: { productClass: 'STB' } }),
    ruleBody({ id: 'broken', enabled: false, condition: 'softwareVersion < 2' }),
  );
  const judge = async (id: string, requested = false) => {
    const { matches, verdict } = await (await rules.match({ ruleId: id as RuleId })).judge(
      inputOf({}, { requested }),
    );
    return [matches, verdict];
  };
  t.deepEqual(await judge('off'), [true, 'chosen']);
  t.deepEqual(await judge('manual'), [true, 'not-automatic']);
  t.deepEqual(await judge('manual', true), [true, 'chosen']);
  t.deepEqual(await judge('shut'), [true, 'window-closed']);
  t.deepEqual(await judge('other'), [false, 'condition-false']);
  t.deepEqual(await judge('broken'), [false, 'condition-error']);
});

test('a rule that goes before it is named, also where the draft moves behind it', async (t) => {
  const { rules } = await openTestRules(t);
  await post(rules, ruleBody({ id: 'mine', priority: 5 }), ruleBody({ id: 'theirs', priority: 3 }));
  const judge = async (draft: unknown) => (await rules.match({ draft })).judge(inputOf());
  t.deepEqual(await judge(ruleBody({ id: 'mine', priority: 5 })), { matches: true, verdict: 'chosen' });
  const behind = { matches: true, verdict: 'lower-priority', detail: '"theirs" goes before it' } as const;
  t.deepEqual(await judge(ruleBody({ id: 'mine', priority: 1 })), behind);
  t.deepEqual(await judge(ruleBody({ id: 'new', priority: 4 })), {
    ...behind,
    detail: '"mine" goes before it',
  });
  t.deepEqual(await judge(ruleBody({ id: 'new', priority: 9 })), { matches: true, verdict: 'chosen' });
});

test('a rule that is merely recorded as done does not stand before it', async (t) => {
  const { rules } = await openTestRules(t);
  const pinned = { condition: { cpeid: CPE }, priority: 9 };
  await post(rules, ruleBody({ id: 'done', target: { softwareVersion: '1.0.0' }, ...pinned }));
  const mine = await rules.match({ draft: ruleBody({ id: 'mine' }) });
  t.deepEqual(await mine.judge(inputOf()), { matches: true, verdict: 'chosen' });
  await post(rules, ruleBody({ id: 'between', priority: 5 }));
  t.is((await mine.judge(inputOf())).detail, '"between" goes before it');
});

test('the emergency brake is a verdict of its own', async (t) => {
  const { rules } = await openTestRules(t);
  await rules.freeze({ frozen: true, by: byCommand('eve') });
  const match = await rules.match({ draft: ruleBody() });
  t.deepEqual(await match.judge(inputOf()), { matches: true, verdict: 'frozen' });
});

test('of a condition that reads what the CPE was not asked for nothing is claimed', async (t) => {
  const { rules } = await openTestRules(t);
  const condition = { productClass: 'HGW', 'parameters.Device.X.Y': 1 };
  const unread = { unread: async (paths: readonly string[]) => paths };
  for (const match of [
    await rules.match({ condition }),
    await rules.match({ draft: ruleBody({ condition }) }),
  ]) {
    t.deepEqual(await match.judge(inputOf({}, unread)), {
      matches: false,
      verdict: 'parameters-unread',
      detail: 'it would first be asked for Device.X.Y',
    });
    t.is((await match.judge(inputOf({ productClass: 'STB' }, unread))).verdict, 'condition-false');
  }
});

test('a condition alone is true or not, and says which CPEs it can be true for', async (t) => {
  const { rules } = await openTestRules(t);
  const match = await rules.match({
    condition: { cpeid: [CPE, 'other'], serialNumber: ['1', 2], tags: 'lab', productClass: 'HGW' },
  });
  t.is(match.rule, null);
  t.deepEqual(match.narrowed, { names: [CPE, 'other'], serialNumbers: ['1'], tags: ['lab'] });
  t.deepEqual(await match.judge(inputOf({ tags: ['lab'] })), { matches: true, verdict: 'condition-true' });
  t.is((await match.judge(inputOf())).matches, false);
});

test('what is no rule, no condition, or not stored is refused by name', async (t) => {
  const { rules } = await openTestRules(t);
  await t.throwsAsync(rules.match({ ruleId: 'none' as RuleId }), { instanceOf: UnknownRuleError });
  for (const [target, field] of [
    [{ draft: ruleBody({ priority: 'high' }) }, 'priority'],
    [{ draft: null }, ''],
    [{ condition: 'a =' }, 'condition'],
    [{ condition: 7 }, 'condition'],
  ] as const) {
    const error = await t.throwsAsync(rules.match(target), { instanceOf: InvalidRuleError });
    t.is(error?.problems[0]?.field, field);
    t.is(error?.problems.length, 1);
  }
});

test('a CPE that is meant, but not yet or no more, is told as one whose window is closed is', async (t) => {
  const { rules } = await openTestRules(t);
  const judged = async (over: Readonly<Record<string, unknown>>) =>
    (await rules.match({ draft: ruleBody(over) })).judge(inputOf());
  const early = await judged({ notBefore: '2027-01-01T00:00:00Z' });
  t.deepEqual(early, { matches: true, verdict: 'not-yet', detail: 'not before 2027-01-01T00:00:00Z' });
  const late = await judged({ notAfter: '2026-01-01T01:00:00+01:00' });
  t.deepEqual(late, {
    matches: true,
    verdict: 'too-late',
    detail: 'its time is over since 2026-01-01T01:00:00+01:00',
  });
  t.is((await judged({ notBefore: '2026-01-01T00:00:00Z' })).verdict, 'chosen');
});
