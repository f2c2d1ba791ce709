import { type Logger, SECOND_MS, Seldom } from '../common/index.js';
import { type DamagedDocument, type DamageSeen, type Document, StoreError } from './collection.js';

/** Reads come thousands of times a second; of each collection one bad document in so long is told. */
const TOLD_EVERY_MS = 10 * SECOND_MS;
/** Most bad documents that are told apart; there are at least so many then. */
const DOCUMENTS_MAX = 10_000;

/** A document of a store that nobody can read, in words. */
export function damagedDocument(collection: string, id: string, how: string): StoreError {
  return new StoreError(
    'damaged',
    `The document ${id} of ${collection} is damaged (${how}): restore a backup; ferry store check --deep names every bad document`,
  );
}

/**
 * The document that a store has as text.
 * @throws StoreError `damaged`
 */
export function readDocument<T extends Document>(json: string, collection: string, id: string): T {
  let found: Partial<Document> | null;
  try {
    found = JSON.parse(json) as Partial<Document> | null;
  } catch {
    throw damagedDocument(collection, id, 'it is not JSON');
  }
  if (found?.id !== id) throw damagedDocument(collection, id, 'it is not the document of this id');
  return found as T;
}

/**
 * Where LMDB says so a page is not what it should be; that its readers are full, say, is no damage. A transaction that has come upon one
 * answers everything after it with `BAD_TXN`.
 */
const ENGINE_DAMAGE = /^MDB_(CORRUPTED|PAGE_NOTFOUND|INVALID|BAD_CHECKSUM|PANIC|BAD_TXN)\b/;

export function isEngineDamage(error: unknown): error is Error {
  return error instanceof Error && ENGINE_DAMAGE.test(error.message);
}

/** What LMDB itself says of a damaged page, in words; anything else is thrown on as it is. */
export function engineFailure(error: unknown, what: string): unknown {
  if (!isEngineDamage(error)) return error;
  return new StoreError(
    'damaged',
    `The store is damaged where ${what} (${error.message}): restore a backup`,
    {
      cause: error,
    },
  );
}

export function isDamaged(error: unknown): error is StoreError {
  return error instanceof StoreError && error.code === 'damaged';
}

/** Leaves a trace of what could not be read, since a list leaves it out. */
export class Damage implements DamageSeen {
  readonly #logger: Logger;
  readonly #seldom = new Seldom(TOLD_EVERY_MS);
  readonly #documents = new Map<string, DamagedDocument>();
  #entriesAlone = 0;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  get documents(): number {
    return this.#documents.size;
  }

  get entriesAlone(): number {
    return this.#entriesAlone;
  }

  list(): readonly DamagedDocument[] {
    return [...this.#documents.values()];
  }

  noteDocument(collection: string, id: string, error: StoreError): void {
    const key = `${collection} ${id}`;
    const isNew = this.#documents.size < DOCUMENTS_MAX && !this.#documents.has(key);
    if (isNew) this.#documents.set(key, { collection, id, how: error.message });
    const omitted = this.#seldom.admit(collection);
    if (omitted === null) return;
    this.#logger.error('store.document-damaged', {
      collection,
      id,
      error,
      ...(omitted > 0 && { omitted }),
    });
  }

  /** An index has an entry of a document that is not there. */
  noteEntry(collection: string, index: string): void {
    this.#entriesAlone++;
    const omitted = this.#seldom.admit(`${collection} ${index}`);
    if (omitted === null) return;
    this.#logger.error('store.entry-without-document', {
      collection,
      index,
      ...(omitted > 0 && { omitted }),
    });
  }
}
