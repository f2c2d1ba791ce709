import test from 'ava';
import fc from 'fast-check';
import type { Entry, Position } from '../../nbi/dyn/entry.js';
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
