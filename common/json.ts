import { isUtf8 } from 'node:buffer';
import { JsonFault } from './json-fault.js';
import { JsonPieces } from './json-pieces.js';
import { type JsonBounds, JsonScan, type JsonSink } from './json-scan.js';

/** What a JSON text came to. */
export interface JsonRead {
  readonly value: unknown;
  /** At which bytes the items begin, where the whole is an array; else null. */
  readonly itemsFrom: readonly number[] | null;
}

/** What a byte order mark takes, which is passed over (RFC 8259, 8.1). */
const MARK = Buffer.of(0xef, 0xbb, 0xbf);

/** Where the text begins, behind a byte order mark. */
export function jsonBegin(bytes: Uint8Array): number {
  return MARK.every((byte, index) => bytes[index] === byte) ? MARK.length : 0;
}

/**
 * Reads a JSON text (RFC 8259) in UTF-8 in steps of about a millisecond, whatever it consists of, and in memory of the order of its
 * value: blanks cost none. To be run by `withPauses` or `atOnce`.
 * @throws JsonFault with the first thing that is wrong
 */
export function* readingJson(bytes: Buffer, bounds: JsonBounds): Generator<void, JsonRead> {
  if (!isUtf8(bytes)) throw new JsonFault({ kind: 'not-utf8' }, 0);
  const pieces = new JsonPieces(bytes);
  const scan = new JsonScan(bytes, bounds, pieces, jsonBegin(bytes));
  while (scan.step()) yield;
  const value = pieces.value();
  return { value, itemsFrom: pieces.isArray ? pieces.itemsFrom : null };
}

/**
 * Walks the value that begins at a byte of a JSON text, in one go.
 * @throws JsonFault with the first thing that is wrong
 */
export function walkJson(bytes: Buffer, from: number, bounds: JsonBounds, sink: JsonSink): void {
  const scan = new JsonScan(bytes, bounds, sink, from, true);
  while (scan.step());
}
