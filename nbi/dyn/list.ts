import { Readable } from 'node:stream';
import type { Turn } from '../../common/index.js';
import {
  ApiError,
  type DynDialect,
  type Exchange,
  invalid,
  type Means,
  type Reading,
} from '../http/index.js';
import { type NbiLimits, READ_SHORT_ITEMS_MAX } from '../limits.js';
import { type Entry, keyOf, type Position } from './entry.js';
import { positionBehind } from './far-offset.js';
import { onlyKeys } from './id-pattern.js';
import { type ListFormat, listFormat, sendTexts, textsOf } from './list-answer.js';
import {
  comparePositions,
  entriesAfter,
  firstPositions,
  type Order,
  positionOf,
  renderPosition,
  takeEntries,
} from './order.js';
import type { Query } from './query.js';
import { looksAtListed, meantBy, type Selection, type Storage, selectEntries } from './storage.js';

/** Entries to be sent, and behind which one the next page begins; without one there is none. */
interface Page {
  readonly texts: AsyncIterable<string>;
  readonly end: Position | null;
}

type Paging = Pick<Query, 'order' | 'limit' | 'after' | 'offset'>;

/** Where entries come from, and when they are read. */
interface Source {
  readonly storage: Storage;
  readonly selection: Selection;
  readonly turn: Turn;
  readonly format: ListFormat;
}

/**
 * Answers with what a query selects of a storage: a page where the query has a limit, else all of it. What is sent is held where it is
 * little; of whatever is more the positions alone are held, and it is read once more while the client takes it.
 * @throws ApiError 404 where there is nothing
 */
export function sendSelected(
  exchange: Pick<Exchange, 'request' | 'response' | 'user' | 'over'>,
  storage: Storage,
  query: Query,
  dialect: DynDialect,
  { limits, reading }: { readonly limits: NbiLimits; readonly reading: Reading },
): Promise<void> {
  const { order, selection: asked } = query;
  const format = listFormat(exchange.request, query.format, dialect, storage.csv);
  return reading.answer(exchange, isShort(storage, query), async (means) => {
    exchange.response.vary('Accept');
    const selection = await meantBy(storage, asked, { of: 'any', turn: means.turn });
    if (!means.hasPlace && !isShort(storage, { ...query, selection })) return false;
    const source = { storage, selection, turn: means.turn, format };
    const page = await (order.field === null
      ? pageInOwnOrder(source, query, means)
      : sortedPage(source, query, means, limits.sortedItemsMax));
    if (page === null) return false;
    await sendTexts(exchange, format, page.texts, page.end === null ? null : renderPosition(page.end, order));
    return true;
  });
}

/** What scripts ask for many times a second: entries by their ids, and pages of everything. */
function isShort(storage: Storage, { selection, everything, order, limit, offset }: Query): boolean {
  if (looksAtListed(storage, selection)) return true;
  const isFew = limit !== null && offset + limit <= READ_SHORT_ITEMS_MAX;
  return everything && isFew && order.field === null && storage.leavesOut?.(selection) !== true;
}

/** Where a page begins whose query says how many entries come before it. @throws ApiError 404 where there are no more than these */
async function skipped(entries: AsyncIterable<Entry>, order: Order, offset: number): Promise<Position> {
  let count = 0;
  for await (const entry of entries) if (++count >= offset) return positionOf(entry, order);
  throw new ApiError(404);
}

/** @returns null where it needs a place */
async function pageInOwnOrder(
  { storage, selection, turn, format }: Source,
  { order, limit, after: from, offset }: Paging,
  { held, hasPlace }: Means,
): Promise<Page | null> {
  const after =
    offset === 0 ? from : await skipped(selectEntries(storage, selection, { turn }), order, offset);
  const select = () => selectEntries(storage, selection, { after, turn });
  if (limit === null && hasPlace) return { texts: textsOf(select(), format), end: null };
  let texts: string[] | null = [];
  let count = 0;
  let last: Position | null = null;
  let end: Position | null = null;
  for await (const entry of select()) {
    if (count === limit) {
      end = last;
      break;
    }
    count++;
    last = positionOf(entry, order);
    if (texts === null) continue;
    const text = format.textOf(entry);
    if (held.take(Buffer.byteLength(text))) {
      texts.push(text);
    } else {
      if (!hasPlace) return null;
      texts = null;
      held.drop();
    }
  }
  if (last === null) throw new ApiError(404);
  return { texts: texts === null ? textsOf(upTo(select(), last, order), format) : Readable.from(texts), end };
}

async function* upTo(entries: AsyncIterable<Entry>, last: Position, order: Order): AsyncGenerator<Entry> {
  for await (const entry of entries) {
    if (comparePositions(positionOf(entry, order), last, order) > 0) return;
    yield entry;
  }
}

/** @returns null where it needs a place @throws ApiError 400 where more match than are sorted without a limit */
async function sortedPage(
  source: Source,
  { order, limit, after: from, offset }: Paging,
  { held, hasPlace }: Means,
  sortedMax: number,
): Promise<Page | null> {
  const { storage, selection, turn, format } = source;
  const behind = (position: Position | null) => {
    const all = selectEntries(storage, selection, { turn });
    return position === null ? all : entriesAfter(all, position, order);
  };
  // No more positions are held at a time than of a whole list, however many are passed over.
  const after = offset === 0 ? from : await positionBehind(behind, { order, offset, heldMax: sortedMax });
  if (offset > 0 && after === null) throw new ApiError(404);
  const following = behind(after);
  const found =
    limit === null
      ? await sortedPositions(following, order, sortedMax)
      : await firstPositions(following, order, limit + 1);
  const page = limit === null ? found : found.slice(0, limit);
  const last = page.at(-1);
  if (last === undefined) throw new ApiError(404);
  const end = found.length > page.length ? last : null;
  const entries = entriesAt(source, page);
  if (hasPlace) return { texts: textsOf(entries, format), end };
  const texts: string[] = [];
  for await (const text of textsOf(entries, format)) {
    if (!held.take(Buffer.byteLength(text))) return null;
    texts.push(text);
  }
  return { texts: Readable.from(texts), end };
}

async function sortedPositions(
  entries: AsyncIterable<Entry>,
  order: Order,
  max: number,
): Promise<Position[]> {
  const positions: Position[] = [];
  for await (const entry of entries) {
    positions.push(positionOf(entry, order));
    if (positions.length <= max) continue;
    throw invalid(
      'sort',
      `limit beside it where more than ${max} entries match; follow X-Next-After for the rest`,
    );
  }
  return positions.sort((a, b) => comparePositions(a, b, order));
}

/** So many entries of a sorted list are held while it is sent. */
const PORTION_ITEMS = 32;

/** Entries by their positions, as far as they are selected still. */
async function* entriesAt(
  { storage, selection, turn }: Source,
  positions: readonly Position[],
): AsyncGenerator<Entry> {
  for (let from = 0; from < positions.length; from += PORTION_ITEMS) {
    if (from > 0) await turn(async () => {});
    const keys = positions.slice(from, from + PORTION_ITEMS).map(({ id }) => id);
    const portion = selectEntries(storage, { ...selection, pattern: onlyKeys(keys) }, { turn });
    const byKey = new Map((await takeEntries(portion, keys.length)).map((entry) => [keyOf(entry), entry]));
    for (const key of keys) {
      const entry = byKey.get(key);
      if (entry !== undefined) yield entry;
    }
  }
}
