import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import { ApiError, type DynDialect, invalid } from '../http/index.js';
import type { NbiLimits } from '../limits.js';
import { entriesAfter, firstEntries, type Order, positionOf, renderPosition, takeEntries } from './order.js';
import type { Query } from './query.js';
import type { Entry } from './storage.js';

/**
 * Answers with the entries: a page where the query has a limit, else all of them, streamed as the client takes them.
 * @param selected  in the storage's own order
 * @throws ApiError 404 where there are none
 */
export async function sendEntries(
  request: Request,
  response: Response,
  dialect: DynDialect,
  selected: AsyncIterable<Entry>,
  { order, limit, after }: Pick<Query, 'order' | 'limit' | 'after'>,
  limits: NbiLimits,
): Promise<void> {
  const following = after === null ? selected : entriesAfter(selected, after, order);
  if (limit !== null) {
    const entries = await firstEntries(following, order, limit + 1);
    const page = entries.slice(0, limit);
    const last = page.at(-1);
    if (last === undefined) throw new ApiError(404);
    if (entries.length > limit) linkNext(request, response, renderPosition(positionOf(last, order), order));
    response.json(
      dialect.answer(
        200,
        page.map(({ view }) => view),
      ),
    );
  } else if (order.field === null) {
    await stream(response, dialect, following);
  } else {
    await stream(response, dialect, await sortAll(following, order, limits.sortedItemsMax));
  }
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

async function stream(response: Response, dialect: DynDialect, entries: AsyncIterable<Entry>): Promise<void> {
  const iterator = entries[Symbol.asyncIterator]();
  // The status cannot be taken back once the body has begun.
  const first = await iterator.next();
  if (first.done === true) throw new ApiError(404);
  response.type('application/json; charset=utf-8');
  const chunks = renderChunks(first.value, iterator, dialect);
  try {
    await pipeline(Readable.from(chunks), response);
  } catch (error) {
    if (!isClientGone(error)) throw error;
  }
}

async function* renderChunks(
  first: Entry,
  rest: AsyncIterator<Entry>,
  dialect: DynDialect,
): AsyncGenerator<string> {
  let chunk = dialect.listHead + JSON.stringify(first.view);
  try {
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
      chunk += `,${JSON.stringify(next.value.view)}`;
      if (chunk.length < CHUNK_CHARACTERS) continue;
      yield chunk;
      chunk = '';
    }
    yield chunk + dialect.listTail;
  } finally {
    await rest.return?.();
  }
}

/** What `pipeline` says of an answer that nobody takes any more, begun or not. */
const CLIENT_GONE: ReadonlySet<unknown> = new Set([
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_UNABLE_TO_PIPE',
]);

function isClientGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && CLIENT_GONE.has(error.code);
}
