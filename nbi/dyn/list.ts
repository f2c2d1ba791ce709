import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import type { Turn } from '../../common/index.js';
import {
  ApiError,
  type DynDialect,
  type Exchange,
  invalid,
  isClientGone,
  NDJSON_CONTENT_TYPE,
  prefersNdjson,
  type Reading,
} from '../http/index.js';
import type { NbiLimits } from '../limits.js';
import type { Entry, Position } from './entry.js';
import { entriesAfter, firstEntries, type Order, positionOf, renderPosition, takeEntries } from './order.js';
import type { Query } from './query.js';
import { looksAtListed, type Storage, selectEntries } from './storage.js';

/** How a list is written: what stands before, between and after its entries. */
interface ListFormat {
  readonly contentType: string;
  readonly head: string;
  readonly separator: string;
  readonly tail: string;
}

const NDJSON: ListFormat = { contentType: NDJSON_CONTENT_TYPE, head: '', separator: '\n', tail: '\n' };

/** Answers with what a query selects of a storage. @throws ApiError as {@link sendEntries} */
export function sendSelected(
  exchange: Pick<Exchange, 'request' | 'response' | 'user' | 'over'>,
  storage: Storage,
  query: Query,
  dialect: DynDialect,
  { limits, reading }: { readonly limits: NbiLimits; readonly reading: Reading },
): Promise<void> {
  const send = (turn: Turn) => {
    const select = (after: Position | null) => selectEntries(storage, query.selection, { after, turn });
    return sendEntries(exchange, dialect, select, query, limits);
  };
  return isShort(storage, query) ? send(reading.turn(exchange.over)) : reading.long(exchange, send);
}

/** What scripts ask for many times a second: entries by their ids, and pages of everything. */
function isShort(storage: Storage, { selection, everything, order, limit }: Query): boolean {
  if (looksAtListed(storage, selection)) return true;
  return everything && limit !== null && order.field === null && storage.leavesOut?.(selection) !== true;
}

/**
 * Answers with the entries: a page where the query has a limit, else all of them, streamed as the client takes them; as NDJSON, an
 * entry a line, where the client prefers that.
 * @param select  the entries in the storage's own order, from behind a position in it
 * @throws ApiError 404 where there are none
 */
export async function sendEntries(
  { request, response, over }: Pick<Exchange, 'request' | 'response' | 'over'>,
  dialect: DynDialect,
  select: (after: Position | null) => AsyncIterable<Entry>,
  { order, limit, after }: Pick<Query, 'order' | 'limit' | 'after'>,
  limits: NbiLimits,
): Promise<void> {
  const isOwnOrder = order.field === null;
  const following = isOwnOrder || after === null ? select(after) : entriesAfter(select(null), after, order);
  const format = prefersNdjson(request) ? NDJSON : jsonList(dialect);
  response.vary('Accept');
  if (limit !== null) {
    const entries = isOwnOrder
      ? await takeEntries(following, limit + 1)
      : await firstEntries(following, order, limit + 1);
    const page = entries.slice(0, limit);
    const last = page.at(-1);
    if (last === undefined) throw new ApiError(404);
    if (entries.length > limit) linkNext(request, response, renderPosition(positionOf(last, order), order));
    await stream(response, format, Readable.from(page), over);
  } else if (isOwnOrder) {
    await stream(response, format, following, over);
  } else {
    await stream(response, format, await sortAll(following, order, limits.sortedItemsMax), over);
  }
}

function jsonList({ listHead, listTail }: DynDialect): ListFormat {
  return {
    contentType: 'application/json; charset=utf-8',
    head: listHead,
    separator: ',',
    tail: listTail,
  };
}

async function sortAll(
  entries: AsyncIterable<Entry>,
  order: Order,
  max: number,
): Promise<AsyncIterable<Entry>> {
  const all = await takeEntries(entries, max + 1);
  if (all.length > max) {
    throw invalid(
      'sort',
      `limit beside it where more than ${max} entries match; follow X-Next-After for the rest`,
    );
  }
  return Readable.from(await firstEntries(Readable.from(all), order, all.length));
}

/** The body keeps its shape: where a page goes on is told by headers (RFC 8288). */
function linkNext(request: Request, response: Response, after: string): void {
  const url = new URL(request.originalUrl, 'http://host.invalid');
  url.searchParams.set('after', after);
  response.set('Link', `<${url.pathname}${url.search}>; rel="next"`).set('X-Next-After', after);
}

const CHUNK_CHARACTERS = 16 * 1024;

async function stream(
  response: Response,
  format: ListFormat,
  entries: AsyncIterable<Entry>,
  over: AbortSignal,
): Promise<void> {
  const iterator = entries[Symbol.asyncIterator]();
  // The status cannot be taken back once the body has begun.
  const first = await iterator.next();
  if (first.done === true) throw new ApiError(404);
  response.type(format.contentType);
  const chunks = renderChunks(first.value, iterator, format);
  try {
    await pipeline(Readable.from(chunks), response, { signal: over });
  } catch (error) {
    if (!isClientGone(error) && !over.aborted) throw error;
  }
}

async function* renderChunks(
  first: Entry,
  rest: AsyncIterator<Entry>,
  { head, separator, tail }: ListFormat,
): AsyncGenerator<string> {
  let chunk = head + JSON.stringify(first.view);
  try {
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
      chunk += separator + JSON.stringify(next.value.view);
      if (chunk.length < CHUNK_CHARACTERS) continue;
      yield chunk;
      chunk = '';
    }
    yield chunk + tail;
  } finally {
    await rest.return?.();
  }
}
