import test from 'ava';
import fc from 'fast-check';
import type { Entry, Position } from '../../nbi/dyn/entry.js';
import { positionBehind } from '../../nbi/dyn/far-offset.js';
import {
  comparePositions,
  entriesAfter,
  firstPositions,
  type Order,
  parsePosition,
  positionOf,
  renderPosition,
} from '../../nbi/dyn/order.js';
import { ApiError } from '../../nbi/http/index.js';

async function* sequence(entries: readonly Entry[]): AsyncGenerator<Entry> {
  yield* entries;
}

async function readPages(entries: readonly Entry[], order: Order, limit: number): Promise<string[]> {
  const ids: string[] = [];
  let after: string | null = null;
  for (let page = 0; page <= entries.length; page++) {
    const following: AsyncIterable<Entry> =
      after === null
        ? sequence(entries)
        : entriesAfter(sequence(entries), parsePosition(after, order), order);
    const found: Position[] = await firstPositions(following, order, limit);
    ids.push(...found.map(({ id }) => id));
    const last = found.at(-1);
    if (last === undefined) return ids;
    after = renderPosition(last, order);
  }
  return ids;
}

const value = fc.oneof(
  fc.integer({ min: 0, max: 5 }),
  fc.constantFrom('a', 'b', 'é', '😀', '\uffff'),
  fc.boolean(),
  fc.constant(null),
  fc.constant(undefined),
);
const rows = fc.uniqueArray(fc.tuple(fc.string({ minLength: 1 }), value, fc.integer({ min: 0, max: 3 })), {
  selector: ([id]) => id,
  maxLength: 40,
});
const limits = fc.integer({ min: 1, max: 12 });

test('pages of any size show every entry once, in the order of the field', async (t) => {
  await fc.assert(
    fc.asyncProperty(rows, limits, fc.boolean(), async (all, limit, descending) => {
      const entries = all.map(([id, priority, rank]) => ({ id, view: { id, priority }, rank }));
      const order = { field: 'priority', descending };
      const ids = await readPages(entries, order, limit);
      t.deepEqual(
        ids,
        entries
          .toSorted((a, b) => comparePositions(positionOf(a, order), positionOf(b, order), order))
          .map(({ id }) => id),
      );
    }),
  );
});

test('a position of another order, or none at all, is a 400 that names after', (t) => {
  const order = { field: 'priority', descending: true };
  const position = renderPosition({ value: 1, id: 'a' }, order);
  t.deepEqual(parsePosition(position, order), { value: 1, id: 'a' });
  for (const text of ['', 'x', '%', Buffer.from('[1]').toString('base64url')]) {
    t.is(t.throws(() => parsePosition(text, order), { instanceOf: ApiError })?.problems[0]?.field, 'after');
  }
  t.throws(() => parsePosition(position, { ...order, descending: false }), { instanceOf: ApiError });
});

test('behind however many entries a sorted page begins, they are read a few times, and it begins behind just these', async (t) => {
  const count = 5_000;
  const entries: readonly Entry[] = Array.from({ length: count }, (_, n) => {
    const id = String((n * 3_571) % count).padStart(4, '0');
    return { id, view: { group: Number(id) % 7 }, rank: n };
  });
  for (const order of [
    { field: 'group', descending: false },
    { field: 'group', descending: true },
  ]) {
    const sorted = entries
      .map((entry) => positionOf(entry, order))
      .sort((one, other) => comparePositions(one, other, order));
    for (const offset of [1, 100, 101, 2_500, 4_999, count, count + 1]) {
      let reads = 0;
      const read = (after: Position | null): AsyncIterable<Entry> => {
        reads += 1;
        return after === null ? sequence(entries) : entriesAfter(sequence(entries), after, order);
      };
      const found = await positionBehind(read, { order, offset, heldMax: 100 });
      t.deepEqual(found, sorted[offset - 1] ?? null);
      // One by one that would be fifty times.
      t.true(reads <= 12, `${offset}: ${reads}`);
    }
  }
});
