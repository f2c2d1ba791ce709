import test from 'ava';
import { timeDecisions, withRules } from '../../bench/decisions.js';

test('the decisions that are measured find the rules that they should', async (t) => {
  const numbers = [0, 7, 49, 50, 2_000];
  const times = await withRules({ fleet: 50, pinned: 0 }, (rules) => timeDecisions(rules, numbers));
  t.is(times.found, 3);
  const pinned = await withRules({ fleet: 0, pinned: 50 }, (rules) => timeDecisions(rules, numbers));
  t.is(pinned.found, 3);
  t.true(pinned.p99Microseconds >= pinned.medianMicroseconds && pinned.medianMicroseconds > 0);
});
