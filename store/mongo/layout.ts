import { createHash } from 'node:crypto';
import type { Document as BsonDocument } from 'mongodb';
import type { Document, Revision, Stored } from '../collection.js';
import { readDocument } from '../damage.js';
import { indexEntries } from '../index-key.js';

/**
 * What lies in a collection of the database, under `_id`:
 *
 * - a document: `{ _id: its id, r: revision, d: JSON, x: { FIELDS: index key }, s: { FIELDS: { n, h } } }`. The document is
 *   text, as in LMDB: BSON would need several times the bytes for arrays of small values (8 MiB of JSON would not fit its
 *   16 MiB), has no NUL in names, and is slower to read.
 * - a satellite, where the value of an indexed field is an array of several elements: the document itself has the first
 *   key in `x`, each further key has a satellite `{ _id, x: { FIELDS: key }, o: _id of its document, p: the key before }`.
 *   So one ordinary index holds every entry by itself, in order, which no multikey index does. `s` says how many keys
 *   there are and their hash.
 * - the mark of an absent document: `{ _id, r, gone: Date }`. Who commits on the condition that there is none writes it,
 *   so that whoever makes the document at the same time is in conflict with it. A TTL index takes it away, unless there are
 *   shares (`gone: true`). In a passing collection a delete of one document leaves such a mark too, for a moment.
 * - a share `{ _id, r, t }`: what a node writes in place of a document (or mark) that is a condition again and again, so that
 *   nodes with the same condition are not in conflict with each other. Its `r` is the document's; who writes the document
 *   deletes the shares of all nodes named in its `g`.
 *
 * Keys are the bytes of `index-key.ts` (ids: their UTF-8) as text, each byte the code point of its value: MongoDB compares
 * strings by their UTF-8, whose order is that of code points, but binary values by their length first.
 */
export interface StoredRecord extends BsonDocument {
  _id: string;
  r?: Revision;
  d?: string;
  x?: Record<string, string>;
  s?: Record<string, Satellites>;
  gone?: Date | true;
  o?: string;
  p?: string;
  /** Counts commits that had this document as a condition, so that they are in conflict with those that change it. */
  t?: number;
  /** The nodes that have a share in it. */
  g?: readonly string[];
}

export interface Satellites {
  /** How many satellites there are: one less than keys. */
  readonly n: number;
  readonly h: string;
}

/** The collection that says what the database holds; no collection of a definition can have a dot in its name. */
export const META = 'ferry.meta';

export const TOMBSTONE_INDEX = 'gone';
/** No transaction lives for longer than MongoDB's 60 s, so no conflict with an older mark is possible. */
export const TOMBSTONE_LIFE_SECONDS = 600;

/** Satellites sort before all documents, whose ids are neither empty nor have a NUL. */
const SATELLITE = '\0';
export const FIRST_ID = '\x01';

export function keyText(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1');
}

export function keyBytes(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

export function idText(id: string): string {
  return keyText(Buffer.from(id));
}

/** {@link idText} undone. */
export function idOf({ _id }: StoredRecord): string {
  return keyBytes(_id).toString();
}

/** The name in `x` of an index over `fields`; indexes over the same fields share it. */
export function fieldsName(fields: readonly string[]): string {
  return fields
    .map((field) =>
      field.replace(/[^A-Za-z0-9_-]/gu, (character) => `~${character.codePointAt(0)?.toString(16)}~`),
    )
    .join('+');
}

export interface EncodedDocument {
  readonly record: StoredRecord;
  /** By fields. */
  readonly satellites: ReadonlyMap<string, readonly StoredRecord[]>;
}

/**
 * @param indexes  the fields of every index there is
 * @throws StoreError `bad-document` where the document does not fit one of them
 */
export function encodeRecord(
  json: string,
  revision: Revision,
  indexes: readonly (readonly string[])[],
): EncodedDocument {
  const document = JSON.parse(json) as Document;
  const record: StoredRecord = { _id: idText(document.id), r: revision, d: json };
  const satellites = new Map<string, StoredRecord[]>();
  for (const fields of indexes) {
    // Elements that differ only beyond what a key holds share one.
    const keys = [...new Set(indexEntries(document, fields).map(({ key }) => keyText(key)))].sort();
    const [first, ...rest] = keys;
    if (first === undefined) continue;
    const name = fieldsName(fields);
    record.x = { ...record.x, [name]: first };
    if (rest.length === 0) continue;
    const hash = createHash('sha256').update(JSON.stringify(keys)).digest('base64url').slice(0, 22);
    record.s = { ...record.s, [name]: { n: rest.length, h: hash } };
    satellites.set(
      name,
      rest.map((key, at) => ({
        _id: satelliteId(record._id, name, at),
        o: record._id,
        p: keys[at] ?? '',
        x: { [name]: key },
      })),
    );
  }
  return { record, satellites };
}

export function satelliteId(owner: string, fields: string, at: number): string {
  return `${SATELLITE}${owner}${SATELLITE}${fields}${SATELLITE}${at}`;
}

/** No index has a name without fields, so it is no satellite's. */
export function shareId(owner: string, node: string): string {
  return `${SATELLITE}${owner}${SATELLITE}${SATELLITE}${node}`;
}

/**
 * Null where the record is but the mark of an absent document.
 * @throws StoreError `damaged`
 */
export function decodeRecord<T extends Document>(
  record: StoredRecord | null,
  collection: string,
): Stored<T> | null {
  if (record?.d === undefined || record.r === undefined) return null;
  return { document: readDocument<T>(record.d, collection, idOf(record)), revision: record.r };
}
