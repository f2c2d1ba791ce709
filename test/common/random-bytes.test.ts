import test from 'ava';
import { RandomBytes } from '../../common/random-bytes.js';

test('random bytes are given to one taker only, and stay what they were when others take theirs', (t) => {
  const random = new RandomBytes();
  // Through several draws, whose size none of these divides.
  const taken = Array.from({ length: 3_000 }, (_, at) => random.take(11 + (at % 3)));
  const were = taken.map((bytes) => bytes.toString('hex'));
  t.is(new Set(were.map((hex) => hex.slice(0, 16))).size, taken.length);
  random.take(12).fill(0);
  t.deepEqual(
    taken.map((bytes) => bytes.toString('hex')),
    were,
  );
  t.deepEqual([...new Set(taken.map(({ length }) => length))], [11, 12, 13]);
});
