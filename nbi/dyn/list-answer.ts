import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Request } from 'express';
import {
  ApiError,
  type DynDialect,
  type Exchange,
  isClientGone,
  linkNext,
  NDJSON,
  NDJSON_CONTENT_TYPE,
} from '../http/index.js';
import { CSV, CSV_CONTENT_TYPE, type CsvTable, csvRow } from './csv.js';
import type { Entry } from './entry.js';
import type { ListFormatName } from './storage.js';

/** How a list is written: its entries, and what stands before, between and after them. */
export interface ListFormat {
  readonly contentType: string;
  readonly textOf: (entry: Entry) => string;
  readonly head: string;
  readonly separator: string;
  readonly tail: string;
}

const NDJSON_LIST: ListFormat = {
  contentType: NDJSON_CONTENT_TYPE,
  textOf: jsonOf,
  head: '',
  separator: '\n',
  tail: '\n',
};

/**
 * How a list is to be written for a request: what its query says, else what `Accept` prefers.
 * @param csv  of the storage, where it has one
 */
export function listFormat(
  request: Request,
  asked: ListFormatName | null,
  dialect: DynDialect,
  csv: CsvTable | undefined,
): ListFormat {
  const name = asked ?? preferredOf(request, csv !== undefined);
  if (name === 'csv' && csv !== undefined) return csvList(csv);
  return name === 'ndjson' ? NDJSON_LIST : jsonList(dialect);
}

function preferredOf(request: Request, hasCsv: boolean): ListFormatName {
  const types = { 'application/json': 'json', [NDJSON]: 'ndjson', ...(hasCsv && { [CSV]: 'csv' }) } as const;
  const type = request.accepts(Object.keys(types));
  return type === NDJSON ? 'ndjson' : type === CSV ? 'csv' : 'json';
}

function jsonOf({ view }: Entry): string {
  return JSON.stringify(view);
}

/** Each entry as it is written, made as it is wanted. */
export async function* textsOf(
  entries: AsyncIterable<Entry>,
  { textOf }: ListFormat,
): AsyncGenerator<string> {
  for await (const entry of entries) yield textOf(entry);
}

/**
 * Answers with entries, streamed as the client takes them.
 * @param texts  of the entries
 * @param after  the position that the next page begins behind, where there is one
 * @throws ApiError 404 where there are none
 */
export async function sendTexts(
  { request, response, over }: Pick<Exchange, 'request' | 'response' | 'over'>,
  format: ListFormat,
  texts: AsyncIterable<string>,
  after: string | null,
): Promise<void> {
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
    textOf: jsonOf,
    head: listHead,
    separator: ',',
    tail: listTail,
  };
}

function csvList({ head, row }: CsvTable): ListFormat {
  // Each row brings its own end.
  return {
    contentType: CSV_CONTENT_TYPE,
    textOf: (entry) => csvRow(row(entry.view)),
    head: csvRow(head),
    separator: '',
    tail: '',
  };
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
