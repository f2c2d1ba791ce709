import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isClientGone } from './client-gone.js';
import type { Exchange } from './route.js';

/** A list of any length in an answer: read while it is sent, so that nobody holds all of it. */
export class LongList {
  constructor(readonly items: AsyncIterable<unknown>) {}
}

/** The fields of an answer in their order. */
export type StreamedFields = Readonly<Record<string, unknown>>;

/** Items of a list that a page for people shows. */
const SHOWN_ITEMS_MAX = 100;
const CHUNK_CHARACTERS = 16 * 1024;

/** The same with no more of its lists than a page shows. */
export async function cutFields(fields: StreamedFields): Promise<StreamedFields> {
  const cut: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    cut[name] = value instanceof LongList ? await firstOf(value.items) : value;
  }
  return cut;
}

async function firstOf(items: AsyncIterable<unknown>): Promise<unknown[]> {
  const first: unknown[] = [];
  for await (const item of items) {
    first.push(item);
    if (first.length === SHOWN_ITEMS_MAX) break;
  }
  return first;
}

/**
 * Sends the text of an answer as its client takes it. What fails before any of it is made is thrown while nothing has been sent.
 * @param begin  sets status and header
 */
export async function sendStreamed(
  { response, over }: Pick<Exchange, 'response' | 'over'>,
  texts: AsyncIterator<string>,
  begin: () => void,
): Promise<void> {
  const first = await texts.next();
  begin();
  try {
    await pipeline(Readable.from(chunksOf(first, texts)), response, { signal: over });
  } catch (error) {
    if (!isClientGone(error) && !over.aborted) throw error;
  }
}

async function* chunksOf(
  first: IteratorResult<string>,
  rest: AsyncIterator<string>,
): AsyncGenerator<string, void> {
  let chunk = '';
  try {
    for (let next = first; next.done !== true; next = await rest.next()) {
      chunk += next.value;
      if (chunk.length < CHUNK_CHARACTERS) continue;
      yield chunk;
      chunk = '';
    }
    if (chunk !== '') yield chunk;
  } finally {
    await rest.return?.();
  }
}

/**
 * An answer as JSON, piece by piece; the first once the first item of its first list was read, so that none has begun where that fails.
 * @param textOf  a value as JSON, each line but the first so many levels further in
 * @param indent  spaces of a level; null: compact
 */
export async function* jsonPieces(
  fields: StreamedFields,
  textOf: (value: unknown, levels: number) => string,
  indent: number | null,
): AsyncGenerator<string, void> {
  const line = (levels: number) => (indent === null ? '' : `\n${' '.repeat(indent * levels)}`);
  const colon = indent === null ? ':' : ': ';
  let held = '';
  let before = `{${line(1)}`;
  for (const [name, value] of Object.entries(fields)) {
    held += `${before}${JSON.stringify(name)}${colon}`;
    before = `,${line(1)}`;
    if (!(value instanceof LongList)) {
      held += textOf(value, 1);
      continue;
    }
    let isEmpty = true;
    for await (const item of value.items) {
      yield `${held}${isEmpty ? '[' : ','}${line(2)}${textOf(item, 2)}`;
      held = '';
      isEmpty = false;
    }
    held += isEmpty ? '[]' : `${line(1)}]`;
  }
  yield `${held}${line(0)}}`;
}
