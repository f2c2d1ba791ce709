import type { Database, RootDatabase } from 'lmdb';
import { type Document, type Revision, type Stored, StoreError } from '../collection.js';
import { damagedDocument, readDocument } from '../damage.js';

/**
 * Three trees in one LMDB environment:
 *
 * - `documents`: the collection's number (4 bytes) and the id → the revision, a line feed, the document as JSON
 * - `indexes`: the index's number (4 bytes) and an index key → `1`, or `n` where the document has other entries in it too
 * - `meta`: `format`, `number` (the last one given to a collection or index), and for each collection its catalog
 *   (`catalog:NAME`) and state (`state:NAME`)
 *
 * A number is never given twice: an index that is made anew gets another one, so what a killed process left behind of
 * the old one can only be garbage to sweep, never an entry to find.
 */
export interface Trees {
  readonly root: RootDatabase<string, Buffer>;
  readonly documents: Database<string, Buffer>;
  readonly indexes: Database<string, Buffer>;
  readonly meta: Database<string, Buffer>;
}

export const FORMAT = '1';
export const ENTRY_ONLY = '1';
export const ENTRY_ONE_OF_MANY = 'n';

const NUMBER_BYTES = 4;

export const metaKey = (name: string): Buffer => Buffer.from(name, 'latin1');

/** The key of a document or, with an empty id, the first of its collection. */
export function documentKey(collection: number, id: string): Buffer {
  const key = Buffer.allocUnsafe(NUMBER_BYTES + Buffer.byteLength(id));
  key.writeUInt32BE(collection);
  key.write(id, NUMBER_BYTES);
  return key;
}

/** `key` in the space of collection or index `number`; null: the end of that space. */
export function keyOf(number: number, key: Uint8Array | null): Buffer {
  const prefix = Buffer.allocUnsafe(NUMBER_BYTES);
  prefix.writeUInt32BE(key === null ? number + 1 : number);
  return key === null ? prefix : Buffer.concat([prefix, key]);
}

/** {@link keyOf} undone. */
export function withoutNumber(key: Uint8Array): Uint8Array {
  return key.subarray(NUMBER_BYTES);
}

export function encodeRecord(revision: number, json: string): string {
  return `${revision}\n${json}`;
}

export function revisionOf(record: string): Revision {
  return Number.parseInt(record, 10) as Revision;
}

/**
 * A fresh object each time, so whoever gets it may keep it.
 * @throws StoreError `damaged`
 */
export function decodeRecord<T extends Document>(record: string, collection: string, id: string): Stored<T> {
  const revision = revisionOf(record);
  if (Number.isNaN(revision)) throw damagedDocument(collection, id, 'it has no revision');
  return { document: readDocument<T>(record.slice(record.indexOf('\n') + 1), collection, id), revision };
}

/** What changes with a collection's documents; read by every commit. */
export interface CollectionState {
  /** The revision of the latest change. */
  readonly sequence: number;
  /** Grows when an index comes or goes: who knows an older one reads the catalog again before writing. */
  readonly catalogVersion: number;
}

export function encodeState(state: CollectionState): string {
  return `${state.sequence} ${state.catalogVersion}`;
}

export function decodeState(text: string | undefined, collection: string): CollectionState {
  const [sequence = Number.NaN, catalogVersion = Number.NaN] = (text ?? '').split(' ').map(Number);
  if (Number.isInteger(sequence) && Number.isInteger(catalogVersion)) return { sequence, catalogVersion };
  throw new StoreError(
    'unavailable',
    `The state of collection ${collection} is damaged: restore the store from a backup`,
  );
}
