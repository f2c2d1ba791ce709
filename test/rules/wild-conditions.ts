import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { ExecutionContext } from 'ava';
import type { CpeId, RuleId } from '../../common/index.js';
import { TRIAL_PACE_MS } from '../../rules/decision/probation.js';
import { inputOf, openTestRules, post, ruleBody } from './setup.js';

type Kind = (n: number) => string;

/** Each is refused at some point, soon. */
const QUICK: readonly Kind[] = [
  (n) => `$count($split($pad("", 20000000, "a${n},"), ",")) > 0`,
  (n) => `$reduce([${n}..9999], function($a, $b) { $append($a, [1..9999]) })`,
];

/** Each goes on for ever, eats memory, or does too much, in a way of its own; some in a single built-in call. */
const SLOW: readonly Kind[] = [
  (n) => `$count($split($pad("", 65536, "ab"), /(a?){${800 + n}}b/)) > 0`,
  (n) =>
    `($d := function($s, $n) { $n = 0 ? $s : $d($s & $s, $n - 1) }; $d("a${n}", 26) < $d("a${n}", 25) & "c")`,
  (n) => `($f := function($n) { $f($n + 1) }; $f(${n}))`,
  (n) => `($f := function($n) { 1 + $f($n + 1) }; $f(${n}))`,
  (n) => `$count([1..9999].[${n}..9999]) > 0`,
  (n) => `($a := [${n}..9999]; $count($a@$x.$a@$y.($x + $y)) > 0)`,
  (n) => `$sort([${n}..9999], function($a, $b) { $count([1..9999][$ > $a]) > 0 })[0] = 1`,
  (n) => `$count($match($pad("", 65536, "ab"), /(a?){${700 + n}}b/)) > 0`,
];

/** So many conditions, at most 200, all different: each parses, and none comes to an end within its bounds. */
export function wildConditions({
  quick,
  slow,
}: {
  readonly quick: number;
  readonly slow: number;
}): readonly string[] {
  return [...of(QUICK, quick), ...of(SLOW, slow)];
}

function of(kinds: readonly Kind[], count: number): readonly string[] {
  return Array.from({ length: count }, (_, n) => kinds[n % kinds.length]?.(n) ?? '');
}

/**
 * Loads rules with these conditions beside a good one of lower priority, and has CPEs come until all but that are suspended. Each CPE
 * must get the good one's upgrade, and each wild condition be the isolate's affair every single time.
 */
export async function untilSuspended(t: ExecutionContext, conditions: readonly string[]): Promise<void> {
  const { rules, isolated, clock, stored } = await openTestRules(t);
  const wild = conditions.map((condition, n) => ({ id: `wild${n}`, condition }));
  await post(rules, ...wild.map((rule) => ruleBody({ ...rule, priority: 5 })), ruleBody({ id: 'good' }));
  const delay = monitorEventLoopDelay();
  delay.enable();
  let decisions = 0;
  let needed = 0;
  for (;;) {
    const suspended = await rules.suspendedCount();
    if (suspended >= wild.length) break;
    needed += wild.length - suspended;
    clock.nowMs += TRIAL_PACE_MS;
    // A prime, for trials go round, and each rule is to meet every CPE.
    const cpeid = `00A1B2-HGW-${decisions++ % 29}` as CpeId;
    const decision = await rules.decide(inputOf({ cpeid }));
    t.is(decision.kind === 'upgrade' ? decision.rule.id : null, 'good' as RuleId);
    await rules.settled();
  }
  delay.disable();
  t.log(`${decisions} decisions; longest wait of the event loop ${Math.round(delay.max / 1e6)} ms`);
  for (const { id } of wild) t.truthy((await stored(id)).suspended, id);
  t.is(isolated.length, needed);
}
