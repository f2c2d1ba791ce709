import test from 'ava';
import { isFailure, OPERATION_REASONS, wordsOf } from '../../../rollout/index.js';
import { reasonOfFault } from '../../../rollout/operations/reasons.js';

test('there are at most 32 reasons, each with words of its own', (t) => {
  t.true(OPERATION_REASONS.length <= 32);
  const words = OPERATION_REASONS.map(wordsOf);
  t.is(new Set(words).size, OPERATION_REASONS.length);
  for (const [at, reason] of OPERATION_REASONS.entries()) t.not(words[at], reason);
});

test('a fault of Download or TransferComplete has a reason of its own, and whatever else a CPE says is one reason together', (t) => {
  t.is(reasonOfFault(9010), 'fault-9010');
  t.is(reasonOfFault(9020), 'fault-other');
  for (const code of [0, -1, 9_999, 8_003, Number.NaN, 1e21]) t.is(reasonOfFault(code), 'fault-other');
});

test('only what was named twice or cancelled is no failure of its batch', (t) => {
  t.deepEqual(
    OPERATION_REASONS.filter((reason) => !isFailure(reason)),
    ['withdrawn', 'duplicate'],
  );
});

test('a reason of another version is told as it is, and counts as a failure', (t) => {
  for (const reason of ['of-tomorrow', 'constructor', '__proto__']) {
    t.is(wordsOf(reason), reason);
    t.true(isFailure(reason));
  }
});
