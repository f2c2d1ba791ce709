import test from 'ava';
import fc from 'fast-check';
import { findingOf, median, ROUNDS_MAX, spreadOf, type Verdict } from '../../bench/statistics.js';

const MIN_RATIO = 0.97;

const ratio = fc.double({ min: 0.01, max: 100, noNaN: true });
const ratiosOf = (minLength: number) => fc.array(ratio, { minLength, maxLength: 40 });

test('the median is the middle one, or the mean of the two in the middle, in whatever order they come', (t) => {
  t.is(median([3, 1, 2]), 2);
  t.is(median([4, 1, 3, 2]), 2.5);
  t.is(median([7]), 7);
  t.is(median([]), 0);
});

test('the spread leaves out as many at each end as a median at 95 % allows', (t) => {
  const rounds = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
  t.deepEqual(spreadOf(rounds(5)), { low: 1, high: 5 });
  t.deepEqual(spreadOf(rounds(6)), { low: 1, high: 6 });
  t.deepEqual(spreadOf(rounds(9)), { low: 2, high: 8 });
  // As tables of the sign test have them.
  t.deepEqual(spreadOf(rounds(15)), { low: 4, high: 12 });
  t.deepEqual(spreadOf(rounds(25)), { low: 8, high: 18 });
  const { low, high } = spreadOf(rounds(ROUNDS_MAX));
  t.deepEqual([low, high], [469, 532]);
});

test('one round that the machine spoilt changes neither spread nor verdict', (t) => {
  const even = [0.99, 1, 1, 1, 1, 1, 1, 1.01];
  t.deepEqual(findingOf([...even, 0.2], MIN_RATIO), {
    ratio: 1,
    spread: { low: 0.99, high: 1 },
    verdict: 'same',
  });
});

test('a build is slower only below the least ratio and outside the spread', (t) => {
  const verdict = (ratios: readonly number[]) => findingOf(ratios, MIN_RATIO).verdict;
  t.is(verdict([0.9, 0.91, 0.92, 0.9, 0.93, 0.9, 0.91, 0.9, 0.92]), 'slower');
  t.is(verdict([0.9, 0.91, 0.92, 0.9, 0.93, 0.9, 1.02, 0.9, 1.01]), 'same', 'within the spread');
  t.is(verdict([0.98, 0.98, 0.98, 0.98, 0.98, 0.98, 0.98, 0.98, 0.98]), 'same', 'too little to matter');
  t.is(verdict([1.6, 1.7, 1.6, 1.6, 1.6, 1.7, 1.8, 1.6, 1.6]), 'faster');
  t.is(verdict([0.5, 0.5, 0.5, 0.5, 0.5]), 'open', 'by chance one time in sixteen');
});

test('median, spread and least and greatest value stand in order', (t) => {
  fc.assert(
    fc.property(ratiosOf(1), (ratios) => {
      const { low, high } = spreadOf(ratios);
      t.true(Math.min(...ratios) <= low && low <= median(ratios));
      t.true(median(ratios) <= high && high <= Math.max(...ratios));
    }),
  );
});

test('the order of the rounds says nothing', (t) => {
  const shuffled = ratiosOf(1).chain((ratios) =>
    fc.tuple(fc.constant(ratios), fc.shuffledSubarray(ratios, { minLength: ratios.length })),
  );
  fc.assert(
    fc.property(shuffled, ([ratios, others]) => {
      t.deepEqual(findingOf(others, MIN_RATIO), findingOf(ratios, MIN_RATIO));
    }),
  );
});

test('a build that is slower than another is one than which that is faster', (t) => {
  const opposite: Record<Verdict, Verdict> = {
    slower: 'faster',
    same: 'same',
    faster: 'slower',
    open: 'open',
  };
  // Of an even number the two in the middle have no mean that their reciprocals share.
  const odd = ratiosOf(1).filter((ratios) => ratios.length % 2 === 1);
  fc.assert(
    fc.property(odd, (ratios) => {
      const here = findingOf(ratios, 0.5);
      const there = findingOf(
        ratios.map((value) => 1 / value),
        0.5,
      );
      t.is(there.verdict, opposite[here.verdict]);
    }),
  );
});

test('a build that is the faster one in as many rounds as chance allows is not called slower', (t) => {
  const halves = fc.tuple(
    fc.array(fc.double({ min: 1, max: 2, noNaN: true }), { minLength: 2, maxLength: 2 }),
    fc.array(fc.double({ min: 0.01, max: 0.99, noNaN: true }), { minLength: 7, maxLength: 7 }),
  );
  fc.assert(
    fc.property(halves, ([above, below]) => {
      t.not(findingOf([...above, ...below], MIN_RATIO).verdict, 'slower');
    }),
  );
});
