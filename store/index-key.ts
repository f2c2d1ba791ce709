import { type Document, INDEX_VALUE_BYTES_MAX, type IndexValue, StoreError } from './collection.js';

/**
 * Index keys: bytes that sort, byte by byte, as the values they stand for. Every engine orders its indexes by them,
 * so that all give the same order and one cursor means the same everywhere.
 *
 * A key is its fields one after the other, then the document's id. Order: false < true < numbers < strings; numbers
 * by value; strings by their UTF-8 bytes (which is code point order). Of a long string only the first
 * {@link INDEX_VALUE_BYTES_MAX} bytes count, so two strings that differ only later are ordered by what follows them.
 */
const FALSE = 0x10;
const TRUE = 0x11;
const NUMBER = 0x20;
const STRING = 0x30;
/** After a string: 00 01 where the key holds all of it, 00 02 where it was cut; a NUL inside it is written 00 FF. */
const END_WHOLE = 0x01;
const END_CUT = 0x02;
const NUL_ESCAPE = 0xff;

/** Most fields of one index: what a key of the longest values and the longest id still has room for in LMDB. */
export const INDEX_FIELDS_MAX = 4;
/** Most distinct elements of an indexed array. */
export const INDEX_ELEMENTS_MAX = 1_000;

export interface EncodedValue {
  readonly bytes: Buffer;
  /** Whether other values may have the same bytes. */
  readonly cut: boolean;
}

export function encodeValue(value: IndexValue): EncodedValue {
  switch (typeof value) {
    case 'boolean':
      return { bytes: Buffer.of(value ? TRUE : FALSE), cut: false };
    case 'number':
      return { bytes: encodeNumber(value), cut: false };
    case 'string': {
      const short = encodeShort(value);
      if (short !== null) return { bytes: short, cut: false };
      const { bytes, cut } = encodeText(value);
      return { bytes: Buffer.concat([bytes, Buffer.of(0, cut ? END_CUT : END_WHOLE)]), cut };
    }
    default:
      return value satisfies never;
  }
}

/** Most strings: short, and without a NUL. @returns null for any other */
function encodeShort(text: string): Buffer | null {
  // Three bytes of UTF-8 are the most that one UTF-16 unit can need.
  if (3 * text.length > INDEX_VALUE_BYTES_MAX || text.includes('\0')) return null;
  const length = Buffer.byteLength(text);
  const bytes = Buffer.allocUnsafe(length + 3);
  bytes[0] = STRING;
  bytes.write(text, 1);
  bytes[length + 1] = 0;
  bytes[length + 2] = END_WHOLE;
  return bytes;
}

/** The bytes that the keys of all strings beginning with `prefix` begin with (and, where it was cut, of some others). */
export function encodePrefix(prefix: string): EncodedValue {
  return encodeText(prefix);
}

function encodeNumber(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(9);
  bytes[0] = NUMBER;
  bytes.writeDoubleBE(value === 0 ? 0 : value, 1); // -0 is 0
  // Negative doubles sort backwards and after the positive ones: turn all their bits, of the others only the sign.
  if (value < 0) for (let at = 1; at < 9; at++) bytes[at] = (bytes[at] ?? 0) ^ 0xff;
  else bytes[1] = (bytes[1] ?? 0) ^ 0x80;
  return bytes;
}

/** The tag and the escaped bytes of a string, without its end. */
function encodeText(text: string): EncodedValue {
  // Every UTF-16 unit needs a byte or more, so what lies beyond this never gets into the key.
  const utf8 = Buffer.from(
    text.length > INDEX_VALUE_BYTES_MAX ? text.slice(0, INDEX_VALUE_BYTES_MAX + 1) : text,
  );
  const escaped = utf8.includes(0) ? escapeNul(utf8) : utf8;
  if (escaped.length <= INDEX_VALUE_BYTES_MAX) {
    return { bytes: Buffer.concat([Buffer.of(STRING), escaped]), cut: false };
  }
  // A cut through an escaped NUL goes before it: half an escape would sort wrongly.
  const length = INDEX_VALUE_BYTES_MAX - (escaped[INDEX_VALUE_BYTES_MAX - 1] === 0 ? 1 : 0);
  return { bytes: Buffer.concat([Buffer.of(STRING), escaped.subarray(0, length)]), cut: true };
}

function escapeNul(utf8: Buffer): Buffer {
  const escaped: number[] = [];
  for (const byte of utf8) {
    escaped.push(byte);
    if (byte === 0) escaped.push(NUL_ESCAPE);
  }
  return Buffer.from(escaped);
}

/** The first key after all that begin with `bytes`; null where there is none. */
export function afterPrefix(bytes: Buffer): Buffer | null {
  for (let last = bytes.length - 1; last >= 0; last--) {
    const byte = bytes[last] ?? 0;
    if (byte < 0xff) return Buffer.concat([bytes.subarray(0, last), Buffer.of(byte + 1)]);
  }
  return null;
}

/** The id at the end of an index key of `fieldCount` fields. */
export function idOfKey(key: Uint8Array, fieldCount: number): string {
  let at = 0;
  for (let field = 0; field < fieldCount; field++) {
    const tag = key[at++];
    if (tag === NUMBER) at += 8;
    else if (tag === STRING) {
      while (key[at] !== 0 || key[at + 1] === NUL_ESCAPE) at += key[at] === 0 ? 2 : 1;
      at += 2;
    }
  }
  return Buffer.from(key.buffer, key.byteOffset + at, key.length - at).toString();
}

/** As index keys order them, but by the whole of the values. */
export function compareValues(a: IndexValue, b: IndexValue): number {
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return Buffer.compare(encodeValue(a).bytes, encodeValue(b).bytes);
}

export interface IndexEntry {
  readonly key: Buffer;
  /** The values the key was made of, uncut. */
  readonly values: readonly IndexValue[];
}

/**
 * The entries of a document in an index over `fields`: none where it lacks one of them, one per distinct element where
 * one of them is an array.
 * @throws StoreError `bad-document` where two of the fields are arrays or an array is too long
 */
export function indexEntries(document: Document, fields: readonly string[]): IndexEntry[] {
  const id = Buffer.from(document.id);
  const values = fields.map((field) => valueAt(document, field));
  // As nearly all are, and every commit makes some.
  if (values.every(isIndexValue)) return [entryOf(values, id)];
  let tuples: IndexValue[][] = [[]];
  let arrayField: string | null = null;
  for (const [at, value] of values.entries()) {
    const field = fields[at] ?? '';
    let elements: IndexValue[];
    if (Array.isArray(value)) {
      if (arrayField !== null) {
        throw new StoreError(
          'bad-document',
          `${document.id}: ${arrayField} and ${field} share an index, so only one of them may be an array`,
        );
      }
      arrayField = field;
      elements = [...new Set(value.filter(isIndexValue))];
      if (elements.length > INDEX_ELEMENTS_MAX) {
        throw new StoreError(
          'bad-document',
          `${document.id}: ${field} is indexed and may have at most ${INDEX_ELEMENTS_MAX} elements, found ${elements.length}`,
        );
      }
    } else if (isIndexValue(value)) elements = [value];
    else return [];
    tuples = tuples.flatMap((tuple) => elements.map((next) => [...tuple, next]));
  }
  return tuples.map((tuple) => entryOf(tuple, id));
}

function entryOf(values: readonly IndexValue[], id: Buffer): IndexEntry {
  return { key: Buffer.concat([...values.map((value) => encodeValue(value).bytes), id]), values };
}

/** True where both documents plainly have the same entries; false says nothing. Spares most writes their keys. */
export function sameIndexedValues(a: Document, b: Document, fields: readonly string[]): boolean {
  return fields.every((field) => sameValue(valueAt(a, field), valueAt(b, field)));
}

function sameValue(a: unknown, b: unknown): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return a === b;
  return a.length === b.length && a.every((element, at) => element === b[at]);
}

function isIndexValue(value: unknown): value is IndexValue {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

/** What lies at a dotted path of object properties; own ones only, so a document cannot show what it inherits. */
function valueAt(document: Document, path: string): unknown {
  let value: unknown = document;
  for (const step of path.split('.')) {
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return undefined;
    value = Object.getOwnPropertyDescriptor(value, step)?.value;
  }
  return value;
}
