import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import {
  ApiError,
  type DynDialect,
  type Exchange,
  isClientGone,
  NDJSON_CONTENT_TYPE,
  prefersNdjson,
} from '../http/index.js';
import type { Entry } from './entry.js';

/** How a list is written: what stands before, between and after its entries. */
interface ListFormat {
  readonly contentType: string;
  readonly head: string;
  readonly separator: string;
  readonly tail: string;
}

const NDJSON: ListFormat = { contentType: NDJSON_CONTENT_TYPE, head: '', separator: '\n', tail: '\n' };

/** An entry as it stands in the answer. */
export function textOf({ view }: Entry): string {
  return JSON.stringify(view);
}

/** {@link textOf} each, made as it is wanted. */
export async function* textsOf(entries: AsyncIterable<Entry>): AsyncGenerator<string> {
  for await (const entry of entries) yield textOf(entry);
}

/**
 * Answers with entries, streamed as the client takes them; as NDJSON, an entry a line, where the client prefers that.
 * @param texts  of the entries
 * @param after  the position that the next page begins behind, where there is one
 * @throws ApiError 404 where there are none
 */
export async function sendTexts(
  { request, response, over }: Pick<Exchange, 'request' | 'response' | 'over'>,
  dialect: DynDialect,
  texts: AsyncIterable<string>,
  after: string | null,
): Promise<void> {
  const format = prefersNdjson(request) ? NDJSON : jsonList(dialect);
  const iterator = texts[Symbol.asyncIterator]();
  // The status cannot be taken back once the body has begun.
  const first = await iterator.next();
  if (first.done === true) throw new ApiError(404);
  if (after !== null) linkNext(request, response, after);
  response.type(format.contentType);
  const chunks = renderChunks(first.value, iterator, format);
  try {
    await pipeline(Readable.from(chunks), response, { signal: over });
  } catch (error) {
    if (!isClientGone(error) && !over.aborted) throw error;
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

/** The body keeps its shape: where a page goes on is told by headers (RFC 8288). */
function linkNext(request: Request, response: Response, after: string): void {
  const url = new URL(request.originalUrl, 'http://host.invalid');
  url.searchParams.set('after', after);
  response.set('Link', `<${url.pathname}${url.search}>; rel="next"`).set('X-Next-After', after);
}

const CHUNK_CHARACTERS = 16 * 1024;

async function* renderChunks(
  first: string,
  rest: AsyncIterator<string>,
  { head, separator, tail }: ListFormat,
): AsyncGenerator<string> {
  let chunk = head + first;
  try {
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
      chunk += separator + next.value;
      if (chunk.length < CHUNK_CHARACTERS) continue;
      yield chunk;
      chunk = '';
    }
    yield chunk + tail;
  } finally {
    await rest.return?.();
  }
}
