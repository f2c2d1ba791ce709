import type { Entry, Position } from './entry.js';
import { comparePositions, firstPositions, type Order, positionOf } from './order.js';

/** Reads entries in any order: those behind a position, or all. */
export type ReadBehind = (after: Position | null) => AsyncIterable<Entry>;

/**
 * Behind which position a sorted page begins that so many entries come before. However many that are, the entries are read some three times,
 * and no more positions are held than twice `heldMax`.
 * @returns null where there are no more than these
 */
export async function positionBehind(
  read: ReadBehind,
  { order, offset, heldMax }: { readonly order: Order; readonly offset: number; readonly heldMax: number },
): Promise<Position | null> {
  let after: Position | null = null;
  let left = offset;
  while (left > heldMax) {
    const marks = await sampled(read(after), order, heldMax);
    const nearer = await lastMarkWithin(read(after), { order, marks, left });
    if (nearer === null) return null;
    // As good as never: by chance all of many marks lie behind it.
    if (nearer.mark === null) break;
    after = nearer.mark;
    left -= nearer.passed;
    if (left === 0) return after;
  }
  for (; left > 0; left -= heldMax) {
    const portion = Math.min(left, heldMax);
    const passed = await firstPositions(read(after), order, portion);
    if (passed.length < portion) return null;
    after = passed.at(-1) ?? null;
  }
  return after;
}

/** Positions picked by lot, each as likely as any other, in order. */
async function sampled(entries: AsyncIterable<Entry>, order: Order, count: number): Promise<Position[]> {
  const kept: Position[] = [];
  let seen = 0;
  for await (const entry of entries) {
    const place = seen < count ? seen : Math.floor(Math.random() * (seen + 1));
    if (place < count) kept[place] = positionOf(entry, order);
    seen += 1;
  }
  return kept.sort((a, b) => comparePositions(a, b, order));
}

/** The last of some marks up to which there are no more entries than are left to pass over; null: there are no more in all. */
async function lastMarkWithin(
  entries: AsyncIterable<Entry>,
  {
    order,
    marks,
    left,
  }: { readonly order: Order; readonly marks: readonly Position[]; readonly left: number },
): Promise<{ readonly mark: Position | null; readonly passed: number } | null> {
  const upTo = new Array<number>(marks.length + 1).fill(0);
  let all = 0;
  for await (const entry of entries) {
    const index = firstNotBefore(marks, positionOf(entry, order), order);
    upTo[index] = (upTo[index] ?? 0) + 1;
    all += 1;
  }
  if (all < left) return null;
  let mark: Position | null = null;
  let passed = 0;
  for (const [index, each] of marks.entries()) {
    const next = passed + (upTo[index] ?? 0);
    if (next > left) break;
    mark = each;
    passed = next;
  }
  return { mark, passed };
}

/** Of marks in order the index of the first that does not come before a position. */
function firstNotBefore(marks: readonly Position[], position: Position, order: Order): number {
  let [from, to] = [0, marks.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    const mark = marks[middle];
    if (mark !== undefined && comparePositions(mark, position, order) < 0) from = middle + 1;
    else to = middle;
  }
  return from;
}
