import test from 'ava';
import fc from 'fast-check';
import {
  CLOCKS_APART_MS_MAX,
  createSecrets,
  NONCE_MS_MAX,
  Nonces,
  SpentNonces,
} from '../../../common/index.js';

const secrets = createSecrets(Buffer.alloc(32, 1));
const START_MS = 1_700_000_000_000;

test('a nonce is told from others by whoever has the same master key, for its life', (t) => {
  let nowMs = START_MS;
  const parts = { secrets, purpose: 'p', clock: () => nowMs };
  const nonce = new Nonces(parts).mint();
  const other = new Nonces(parts);
  t.is(other.madeAtMs(nonce), START_MS);
  nowMs = START_MS + NONCE_MS_MAX - 1;
  t.is(other.madeAtMs(nonce), START_MS);
  nowMs++;
  t.is(other.madeAtMs(nonce), null);
  // Another node's clock may be behind.
  nowMs = START_MS - CLOCKS_APART_MS_MAX;
  t.is(other.madeAtMs(nonce), START_MS);
  nowMs--;
  t.is(other.madeAtMs(nonce), null);
});

test('a nonce of another key or purpose, an altered one and none at all are none of ours', (t) => {
  const clock = () => START_MS;
  const nonces = new Nonces({ secrets, purpose: 'p', clock });
  const nonce = nonces.mint();
  t.is(new Nonces({ secrets, purpose: 'q', clock }).madeAtMs(nonce), null);
  const others = createSecrets(Buffer.alloc(32, 2));
  t.is(new Nonces({ secrets: others, purpose: 'p', clock }).madeAtMs(nonce), null);
  for (let at = 0; at < nonce.length; at++) {
    const altered = `${nonce.slice(0, at)}${nonce[at] === 'A' ? 'B' : 'A'}${nonce.slice(at + 1)}`;
    t.is(nonces.madeAtMs(altered), null);
  }
  for (const none of ['', 'x', `${nonce}A`, nonce.slice(1)]) t.is(nonces.madeAtMs(none), null);
  t.not(nonces.mint(), nonce);
});

test('by each count an answer is taken once, in any order that connections side by side bring about', (t) => {
  const shuffled = fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 100 });
  fc.assert(
    fc.property(shuffled, fc.integer({ min: 0, max: 0xffff_ff00 }), (steps, from) => {
      const spent = new SpentNonces('each-count', () => START_MS);
      const taken = new Set<number>();
      let highest = Number.NEGATIVE_INFINITY;
      for (const step of steps) {
        const count = from + step;
        const expected = !taken.has(count) && count >= highest - 32;
        if (spent.take({ nonce: 'n', madeAtMs: START_MS, count }) !== expected) return false;
        if (expected) taken.add(count);
        highest = Math.max(highest, count);
      }
      return true;
    }),
  );
  t.pass();
});

test('where one answer is all that a nonce is good for, another count does not help', (t) => {
  const spent = new SpentNonces('one-answer', () => START_MS);
  const use = { nonce: 'n', madeAtMs: START_MS };
  t.true(spent.take({ ...use, count: 1 }));
  t.false(spent.take({ ...use, count: 1 }));
  t.false(spent.take({ ...use, count: 2 }));
  t.false(spent.take({ ...use, count: null }));
  t.true(spent.take({ ...use, nonce: 'm', count: null }));
});

test('without a count an answer is good for the life of its nonce where each count is', (t) => {
  const spent = new SpentNonces('each-count', () => START_MS);
  for (let times = 0; times < 3; times++) t.true(spent.take({ nonce: 'n', madeAtMs: START_MS, count: null }));
  t.is(spent.size, 0);
});

test('what is forgotten for want of room counts as spent, and what is over is forgotten', (t) => {
  let nowMs = START_MS;
  const spent = new SpentNonces('one-answer', () => nowMs, 3);
  const take = (name: number) => spent.take({ nonce: String(name), madeAtMs: START_MS + name, count: 1 });
  t.deepEqual([1, 2, 3, 4, 5].map(take), [true, true, true, true, true]);
  t.is(spent.size, 3);
  t.false(take(1), 'forgotten');
  t.false(take(2), 'forgotten');
  t.false(take(3), 'remembered');
  t.true(take(6));
  nowMs += NONCE_MS_MAX + CLOCKS_APART_MS_MAX + 10;
  t.true(spent.take({ nonce: 'later', madeAtMs: nowMs, count: 1 }));
  t.is(spent.size, 1);
});

test('a clock that was ahead keeps nobody out once it is set right', (t) => {
  let nowMs = START_MS;
  const spent = new SpentNonces('one-answer', () => nowMs, 1);
  t.true(spent.take({ nonce: '1', madeAtMs: nowMs, count: 1 }));
  t.true(spent.take({ nonce: '2', madeAtMs: nowMs + 1, count: 1 }));
  nowMs -= 3_600_000;
  t.true(spent.take({ nonce: '3', madeAtMs: nowMs, count: 1 }));
});
