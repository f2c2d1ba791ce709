import { createHash } from 'node:crypto';
import {
  type CollectionDefinition,
  type Cursor,
  type Document,
  type FindQuery,
  ID_BYTES_MAX,
  type IndexValue,
  PAGE_ITEMS_MAX,
  StoreError,
} from './collection.js';
import { isWellFormed } from './document.js';
import {
  afterPrefix,
  compareValues,
  encodePrefix,
  encodeValue,
  INDEX_FIELDS_MAX,
  indexEntries,
} from './index-key.js';

/** Most indexes of one collection: each costs every write of a document. */
export const INDEXES_MAX = 16;
const FIELD_PATH_CHARACTERS_MAX = 200;
const CURSOR_VERSION = 1;
const FINGERPRINT_BYTES = 8;
const CURSOR_CHARACTERS_MAX = 4_096;

/** A checked query, as a range of index keys. Keys here are those of `index-key.ts`, in the index `id` the id's UTF-8. */
export interface FindPlan {
  readonly index: string;
  readonly fields: readonly string[];
  /** Inclusive. */
  readonly start: Buffer;
  /** Exclusive; null: to the end of the index. */
  readonly end: Buffer | null;
  readonly descending: boolean;
  /** Where an earlier page ended. */
  readonly after: Buffer | null;
  readonly limit: number;
  /** Whether an entry in the range may be of a document that does not match (a value was cut): check it by `givenAt`. */
  readonly inexact: boolean;
  /** Whether the range may hold several entries of one document with an array: give it at one of them, by `givenAt`. */
  readonly repeats: boolean;
  /** The key at which a document is given: the first that matches, in the order asked. Null where none does. */
  givenAt(document: Document): Buffer | null;
  cursor(key: Uint8Array): Cursor;
}

/** @throws StoreError `bad-query` */
export function checkDefinition(definition: CollectionDefinition): void {
  if (!/^[a-z][a-z0-9-]{0,39}$/.test(definition.name)) {
    throw badQuery(`a collection's name must match [a-z][a-z0-9-]* and have at most 40 characters`);
  }
  const indexes = Object.entries(definition.indexes);
  if (indexes.length > INDEXES_MAX) throw badQuery(`${definition.name}: at most ${INDEXES_MAX} indexes`);
  for (const [name, fields] of indexes) {
    const where = `${definition.name}: index ${name}`;
    if (!/^[A-Za-z][A-Za-z0-9_.-]{0,79}$/.test(name) || name === 'id') {
      throw badQuery(
        `${where}: its name must match [A-Za-z][A-Za-z0-9_.-]* and not be "id", which always exists`,
      );
    }
    if (fields.length === 0 || fields.length > INDEX_FIELDS_MAX) {
      throw badQuery(`${where}: 1 to ${INDEX_FIELDS_MAX} fields, found ${fields.length}`);
    }
    for (const field of fields) {
      if (field.length > FIELD_PATH_CHARACTERS_MAX || field.split('.').some((step) => step === '')) {
        throw badQuery(`${where}: "${field.slice(0, FIELD_PATH_CHARACTERS_MAX)}" is not a field path`);
      }
    }
  }
}

/** @throws StoreError `bad-query` naming what is wrong with it */
export function planFind(definition: CollectionDefinition, query: FindQuery): FindPlan {
  const index = query.index ?? 'id';
  const fields = index === 'id' ? ['id'] : fieldsOf(definition, index);
  checkRange(query, index, fields);
  if (!Number.isInteger(query.limit) || query.limit < 1 || query.limit > PAGE_ITEMS_MAX) {
    throw badQuery(`limit must be a whole number from 1 to ${PAGE_ITEMS_MAX}, found ${query.limit}`);
  }
  if (query.order !== undefined && query.order !== 'ascending' && query.order !== 'descending') {
    throw badQuery(`order must be "ascending" or "descending"`);
  }
  const descending = query.order === 'descending';
  const range = index === 'id' ? idRange(query) : indexRange(query, fields);
  // Only a page that another follows, or that follows another, has a cursor; most have not, and a hash costs as much as a look-up.
  let known: Buffer | null = null;
  const fingerprint = (): Buffer => {
    known ??= fingerprintOf(definition, fields, query, descending);
    return known;
  };
  return {
    index,
    fields,
    ...range,
    descending,
    after: query.after === undefined ? null : decodeCursor(query.after, fingerprint(), range),
    limit: query.limit,
    givenAt(document) {
      if (index === 'id') return Buffer.from(document.id);
      const keys = indexEntries(document, fields)
        .filter(({ values }) => matches(query, values))
        .map(({ key }) => key)
        .sort((a, b) => (descending ? Buffer.compare(b, a) : Buffer.compare(a, b)));
      return keys[0] ?? null;
    },
    cursor: (key) => encodeCursor(fingerprint(), key),
  };
}

function fieldsOf(definition: CollectionDefinition, index: string): readonly string[] {
  const fields = Object.hasOwn(definition.indexes, index) ? definition.indexes[index] : undefined;
  if (fields !== undefined) return fields;
  const known = ['id', ...Object.keys(definition.indexes)].join(', ');
  throw badQuery(`${definition.name} has no index "${index.slice(0, 80)}"; there are: ${known}`);
}

function checkRange(query: FindQuery, index: string, fields: readonly string[]): void {
  const equals = query.equals ?? [];
  if (equals.length > fields.length) {
    throw badQuery(
      `equals may have at most ${fields.length} values for index ${index}, found ${equals.length}`,
    );
  }
  const bounds = query.atLeast !== undefined || query.below !== undefined;
  if ((bounds || query.prefix !== undefined) && equals.length === fields.length) {
    throw badQuery(`atLeast, below and prefix need a field of index ${index} that equals leaves free`);
  }
  if (bounds && query.prefix !== undefined) throw badQuery('prefix excludes atLeast and below');
  if (query.prefix !== undefined && typeof query.prefix !== 'string')
    throw badQuery('prefix must be a string');
  equals.forEach((value, position) => {
    checkValue(value, `equals[${position}]`);
  });
  if (query.atLeast !== undefined) checkValue(query.atLeast, 'atLeast');
  if (query.below !== undefined) checkValue(query.below, 'below');
  if (query.prefix !== undefined) checkValue(query.prefix, 'prefix');
}

function checkValue(value: unknown, name: string): void {
  if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) return;
  if (typeof value === 'string' && isWellFormed(value)) return;
  throw badQuery(`${name} must be a boolean, a finite number or a well-formed string`);
}

type Range = Pick<FindPlan, 'start' | 'end' | 'inexact' | 'repeats'>;

function indexRange(query: FindQuery, fields: readonly string[]): Range {
  const equals = (query.equals ?? []).map(encodeValue);
  const common = Buffer.concat(equals.map(({ bytes }) => bytes));
  let inexact = equals.some(({ cut }) => cut);
  let start = common;
  let end = afterPrefix(common);
  if (query.prefix !== undefined) {
    const prefix = encodePrefix(query.prefix);
    inexact ||= prefix.cut;
    start = Buffer.concat([common, prefix.bytes]);
    end = afterPrefix(start);
  }
  if (query.atLeast !== undefined) {
    const bound = encodeValue(query.atLeast);
    inexact ||= bound.cut;
    start = Buffer.concat([common, bound.bytes]);
  }
  if (query.below !== undefined) {
    const bound = encodeValue(query.below);
    inexact ||= bound.cut;
    const key = Buffer.concat([common, bound.bytes]);
    // Values with the same bytes as a cut bound may lie on either side of it.
    end = bound.cut ? afterPrefix(key) : key;
  }
  return { start, end, inexact, repeats: equals.length < fields.length };
}

/** Ids are strings: what is no string equals none of them and comes before all of them. */
function idRange(query: FindQuery): Range {
  let start: Buffer = Buffer.alloc(0);
  let end: Buffer | null = null;
  const only = query.equals?.[0];
  if (only !== undefined) {
    start = idBytes(only);
    end = typeof only === 'string' ? Buffer.concat([start, Buffer.of(0)]) : start;
  }
  if (query.prefix !== undefined) {
    start = idBytes(query.prefix);
    end = afterPrefix(start);
  }
  if (query.atLeast !== undefined) start = idBytes(query.atLeast);
  if (query.below !== undefined) end = idBytes(query.below);
  return { start, end, inexact: false, repeats: false };
}

/** One byte more than any id has is enough to compare with every id, and keeps a hostile bound out of the key space. */
function idBytes(value: IndexValue): Buffer {
  return typeof value === 'string'
    ? Buffer.from(value.slice(0, ID_BYTES_MAX + 1)).subarray(0, ID_BYTES_MAX + 1)
    : Buffer.alloc(0);
}

function matches(query: FindQuery, values: readonly IndexValue[]): boolean {
  const equals = query.equals ?? [];
  if (!equals.every((wanted, position) => values[position] === wanted)) return false;
  const next = values[equals.length];
  if (next === undefined) return true;
  if (query.prefix !== undefined) return typeof next === 'string' && next.startsWith(query.prefix);
  if (query.atLeast !== undefined && compareValues(next, query.atLeast) < 0) return false;
  return query.below === undefined || compareValues(next, query.below) < 0;
}

function fingerprintOf(
  definition: CollectionDefinition,
  fields: readonly string[],
  query: FindQuery,
  descending: boolean,
): Buffer {
  const { equals = [], atLeast = null, below = null, prefix = null } = query;
  return createHash('sha256')
    .update(
      JSON.stringify([
        definition.name,
        query.index ?? 'id',
        fields,
        equals,
        atLeast,
        below,
        prefix,
        descending,
      ]),
    )
    .digest()
    .subarray(0, FINGERPRINT_BYTES);
}

function encodeCursor(fingerprint: Buffer, key: Uint8Array): Cursor {
  const text = Buffer.concat([Buffer.of(CURSOR_VERSION), fingerprint, key]).toString('base64url');
  return text as Cursor;
}

/** The key a cursor stands at. It comes from outside: it is believed only as far as it lies within the query's own range. */
function decodeCursor(cursor: string, fingerprint: Buffer, range: Pick<FindPlan, 'start' | 'end'>): Buffer {
  const refused = badQuery('after must be the cursor that a page of this same query ended with');
  if (typeof cursor !== 'string' || cursor.length > CURSOR_CHARACTERS_MAX) throw refused;
  if (!/^[A-Za-z0-9_-]+$/.test(cursor)) throw refused;
  const bytes = Buffer.from(cursor, 'base64url');
  const key = bytes.subarray(1 + FINGERPRINT_BYTES);
  if (bytes[0] !== CURSOR_VERSION || !bytes.subarray(1, 1 + FINGERPRINT_BYTES).equals(fingerprint))
    throw refused;
  if (key.length === 0 || key.length > KEY_BYTES_MAX || Buffer.compare(key, range.start) < 0) throw refused;
  if (range.end !== null && Buffer.compare(key, range.end) >= 0) throw refused;
  return key;
}

/** Fields with tag and end, and the id. */
const KEY_BYTES_MAX = INDEX_FIELDS_MAX * (256 + 3) + ID_BYTES_MAX;

function badQuery(message: string): StoreError {
  return new StoreError('bad-query', message);
}
