import { compareText } from '../../common/index.js';
import { invalid } from '../http/index.js';
import { type Entry, keyOf, type Position, type SortValue } from './entry.js';

/** What a list is sorted by; `field: null` is the storage's own order. Ties go by key, in the same direction. */
export interface Order {
  readonly field: string | null;
  readonly descending: boolean;
}

/** Strings are sorted by so many characters, so that a position fits a header. */
const SORT_CHARACTERS_MAX = 200;

export function positionOf(entry: Entry, { field }: Order): Position {
  const { view, facts = view, rank } = entry;
  return { value: sortValue(field === null ? rank : facts[field]), id: keyOf(entry) };
}

function sortValue(value: unknown): SortValue {
  if (typeof value === 'string') return value.slice(0, SORT_CHARACTERS_MAX);
  return typeof value === 'number' || typeof value === 'boolean' ? value : null;
}

/** A total order: below zero where `a` comes before `b`. Entries without a value come last when ascending. */
export function comparePositions(a: Position, b: Position, { descending }: Order): number {
  const byValue = compareValues(a.value, b.value);
  const ascending = byValue === 0 ? compareText(a.id, b.id) : byValue;
  return descending ? -ascending : ascending;
}

const TYPE_ORDER: readonly string[] = ['boolean', 'number', 'string', 'object'];

function compareValues(a: SortValue, b: SortValue): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  return TYPE_ORDER.indexOf(typeof a) - TYPE_ORDER.indexOf(typeof b);
}

/** Opaque, safe in a URL; carries its order, so that it is refused under another. */
export function renderPosition({ value, id }: Position, { field, descending }: Order): string {
  return Buffer.from(JSON.stringify([field, descending, value, id])).toString('base64url');
}

/** @throws ApiError 400 where it is no position of this order */
export function parsePosition(text: string, order: Order): Position {
  const refused = () => invalid('after', 'what X-Next-After said, with the same sort', text);
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    throw refused();
  }
  if (!Array.isArray(parsed) || parsed.length !== 4) throw refused();
  const [field, descending, value, id]: unknown[] = parsed;
  if (field !== order.field || descending !== order.descending || typeof id !== 'string') throw refused();
  return { value: sortValue(value), id };
}

/** Skips what does not come after a position, in a sequence in any order. */
export async function* entriesAfter(
  entries: AsyncIterable<Entry>,
  after: Position,
  order: Order,
): AsyncGenerator<Entry> {
  for await (const entry of entries) {
    if (comparePositions(positionOf(entry, order), after, order) > 0) yield entry;
  }
}

/** Where the first `count` entries in an order are, from a sequence in any. Holds at most twice as many positions at a time. */
export async function firstPositions(
  entries: AsyncIterable<Entry>,
  order: Order,
  count: number,
): Promise<Position[]> {
  let kept: Position[] = [];
  const settle = () => {
    kept.sort((a, b) => comparePositions(a, b, order));
    kept = kept.slice(0, count);
  };
  for await (const entry of entries) {
    kept.push(positionOf(entry, order));
    if (kept.length >= 2 * count) settle();
  }
  settle();
  return kept;
}

/** The first `count` entries of a sequence, which is read no further. */
export async function takeEntries(entries: AsyncIterable<Entry>, count: number): Promise<Entry[]> {
  const taken: Entry[] = [];
  for await (const entry of entries) {
    taken.push(entry);
    if (taken.length >= count) break;
  }
  return taken;
}
