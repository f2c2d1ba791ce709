import type { Brand, Turn } from '../common/index.js';

/**
 * What the product stores in, whichever engine is underneath: LMDB on one machine, MongoDB on many.
 * Every change goes through {@link Store.commit}, which is atomic over any number of documents and answers only
 * when what it did survives kill -9 and a power cut.
 */
export interface Store {
  /** The same definition must be given by every process; indexes are made on first use. */
  collection<T extends Document>(definition: CollectionDefinition): Collection<T>;
  /**
   * All the changes or none. Resolves when durable. Independent commits made at about the same time share one flush.
   * Each change sees what those before it in the same commit did. Documents are taken as they are at the call.
   * @throws StoreError `bad-document` (what JSON would drop or alter, too large, does not fit an index), `bad-query` (too
   *   many changes, a collection that was not opened), `no-space`, `unavailable`, `closed`; then nothing was changed, but
   *   for an `unavailable` whose message says that the outcome is open
   */
  commit(changes: readonly Change[]): Promise<CommitOutcome>;
  /**
   * Deletes every document of a collection, step by step. Only while nobody else uses the store.
   * @throws StoreError  then any part of them may be gone
   */
  clear(definition: CollectionDefinition): Promise<void>;
  /**
   * Puts documents, with distinct ids, of which hardly any is in the store yet: for filling one, since it is much faster than
   * a commit, but not atomic. Durable when it resolves. Only while nobody else uses the store. What a load that failed
   * has left behind is put right by loading the same again, or by {@link clear}.
   * @param documents  at most {@link COMMIT_CHANGES_MAX}
   * @throws StoreError as `commit`; then any of them may be there
   */
  load(definition: CollectionDefinition, documents: readonly Document[]): Promise<void>;
  /** What there is, whoever made it: for operators, and for copying a store. */
  inspect(): Promise<StoreInspection>;
  /**
   * How many bytes documents and indexes take where they are kept, with what is free among them; costs no more than a look.
   * @throws StoreError
   */
  sizeBytes(): Promise<number>;
  /** What reading has met so far that cannot be read. */
  readonly damage: DamageSeen;
  /** Waits for what is under way, then lets go of the files or connections. Calls made later throw. */
  close(): Promise<void>;
}

/** What is bad in a store, as far as reading has met it. */
export interface DamageSeen {
  /** Distinct documents that could not be read since the store was opened, at most 10,000. */
  readonly documents: number;
  /** Entries of indexes that were met without their document, once for each time. */
  readonly entriesAlone: number;
  /** These documents, in the order in which they were met. */
  list(): readonly DamagedDocument[];
}

export interface DamagedDocument {
  readonly collection: string;
  readonly id: string;
  /** What is wrong with it, in words. */
  readonly how: string;
}

export interface StoreInspection {
  readonly engine: 'lmdb' | 'mongodb';
  /** Null where there is no server. */
  readonly serverVersion: string | null;
  /** How documents and indexes are laid out in the engine. */
  readonly schemaVersion: number;
  /** The version that the store had before it was opened. */
  readonly migratedFrom: number;
  /** What the database server's clock said, and ours half way through the question; null where there is no server. */
  readonly clocks: { readonly serverMs: number; readonly ownMs: number } | null;
  /** By name; also those that no part of this version opens. */
  readonly collections: readonly InspectedCollection[];
}

export interface InspectedCollection {
  readonly name: string;
  readonly indexes: readonly {
    readonly fields: readonly string[];
    /** `building`: not every document is in it yet. `missing`: the engine lacks what the catalog says there is. */
    readonly state: 'ready' | 'building' | 'missing';
  }[];
}

/** Anything JSON can say; the `id` is its key, at most {@link ID_BYTES_MAX} bytes of UTF-8. */
export interface Document {
  readonly id: string;
}

/** Changes with every write of a document and never comes back, also not after a delete and a new insert. */
export type Revision = Brand<number, 'Revision'>;

export interface Stored<T extends Document> {
  readonly document: T;
  readonly revision: Revision;
}

export const ID_BYTES_MAX = 512;
/**
 * Of a longer string in an indexed field only its first so many bytes are in the index. Searches are exact all the same;
 * two strings that differ only beyond it are ordered by what follows them in the index.
 */
export const INDEX_VALUE_BYTES_MAX = 256;
export const DOCUMENT_BYTES_MAX = 8 * 1024 * 1024;
export const PAGE_ITEMS_MAX = 1_000;
export const COMMIT_CHANGES_MAX = 5_000;

export interface CollectionDefinition {
  /** `[a-z][a-z0-9-]*`, at most 40 characters. */
  readonly name: string;
  /**
   * Index name → the field paths (dotted) it sorts by, ties by id. A document that lacks any of the fields (or has null
   * there) is not in that index. Where the value is an array the document is in the index once per distinct element
   * (at most one array field per index); objects, and elements that are objects or null, are not indexed. The index `id`
   * always exists. At most 16 indexes of 1 to 4 fields; an indexed array has at most 1,000 distinct elements.
   *
   * Order: false < true < numbers < strings; numbers by value, strings by code point. Bounds cross types: `atLeast: 5`
   * includes every string.
   */
  readonly indexes: Readonly<Record<string, readonly string[]>>;
  /**
   * Whether {@link Collection.sequence} can be asked. On several machines every commit to the collection then writes one
   * shared document, so it is for collections that are seldom changed.
   */
  readonly sequenced?: boolean;
  /**
   * What lies here is worth nothing once the machine that holds the store fails, as open sessions are. A commit of one change
   * to it resolves as soon as every process sees it, without waiting for the disk; such a failure may take it back. A commit
   * of several changes is durable as ever, and keeps single ones out as ever. On several machines a page need not be of one
   * moment, and of commits of one change to the same document at the same time one that went through may be told that it was
   * refused, if another has replaced what it wrote at once. There it costs least without indexes.
   */
  readonly passing?: boolean;
}

export type IndexValue = string | number | boolean;

/** Where a page ended. Opaque, safe in a URL; valid on every process, also after the document it names is gone. */
export type Cursor = Brand<string, 'Cursor'>;

export interface FindQuery {
  /** A declared index, or `id` (the default). */
  readonly index?: string;
  /** Equal to these, in the order of the index's fields; may name fewer than there are. */
  readonly equals?: readonly IndexValue[];
  /** Bounds on the field that follows `equals`. */
  readonly atLeast?: IndexValue;
  readonly below?: IndexValue;
  /** The field that follows `equals` is a string that begins with this. Excludes `atLeast` and `below`. */
  readonly prefix?: string;
  readonly order?: 'ascending' | 'descending';
  readonly after?: Cursor;
  /** 1 to {@link PAGE_ITEMS_MAX}. */
  readonly limit: number;
}

export interface Page<T extends Document> {
  /**
   * May be fewer than asked for, even none, though more follow: a page is bounded in bytes and in entries looked at.
   * A document with an array that has several elements in the range is given once, at the first in the order asked.
   */
  readonly items: readonly Stored<T>[];
  /** Continue with `after: next`; null where nothing follows. */
  readonly next: Cursor | null;
}

export interface Collection<T extends Document> {
  readonly name: string;
  /**
   * What every process has been told is committed when it is called; null also for an id that no document can have.
   * @throws StoreError `damaged` where it is there and cannot be read
   */
  get(id: string): Promise<Stored<T> | null>;
  /**
   * In the order asked, of one moment; null where there is none. At most {@link PAGE_ITEMS_MAX} ids.
   * @throws StoreError `damaged` where one is there and cannot be read: to take it for missing would have it made anew
   */
  getMany(ids: readonly string[]): Promise<(Stored<T> | null)[]>;
  /**
   * One bounded page in index order. A page is one consistent read; a cursor over pages sees each document that is
   * there throughout, at most once unless its index key moves meanwhile. A document that cannot be read is left out (an event
   * and {@link Store.damage} say so): it keeps nobody from the others.
   * @throws StoreError `bad-query` for an unknown index, a bad limit or value, or a cursor of another query
   */
  find(query: FindQuery): Promise<Page<T>>;
  /**
   * Page after page, each read when it is asked for, never one long read transaction. Between pages of at most a few hundred
   * documents everything else in the process has its turn.
   * @param turn  when every page but the first is read; without it at the next turn of the event loop
   */
  scan(query: Omit<FindQuery, 'limit'>, turn?: Turn): AsyncIterable<Stored<T>>;
  /**
   * The cursor of a page of this query that ended with this document, which may be gone or never have been: it needs its id and
   * the fields that the index sorts by.
   * @returns null where such a document is not in the query's range
   * @throws StoreError `bad-query`
   */
  cursorAt(query: Omit<FindQuery, 'limit' | 'after'>, document: Document): Cursor | null;
  /**
   * How many documents the query's range holds. Walks the index in bounded pieces (so what changes meanwhile may or may
   * not count), and reads documents only where their entries do not tell.
   */
  count(query?: Omit<FindQuery, 'limit' | 'after' | 'order'>): Promise<number>;
  /**
   * Grows whenever anything in the collection changes, by any process; cheap enough to ask in every session.
   * @throws StoreError `bad-query` where the definition does not say `sequenced`
   */
  sequence(): Promise<number>;
  /**
   * For what is read again and again and seldom changes: tells where reading can be left out. Ends with the store.
   * @example
   * const position = watch.position(); // before reading
   * if (position === null || position !== lastPosition) { last = await things.get('x'); lastPosition = position; }
   */
  watch(): Watch;

  // The changes one can pass to `Store.commit`.
  /** Refused where the id exists. */
  inserting(document: T): Change;
  /** Refused unless the document is at `revision`. */
  replacing(document: T, revision: Revision): Change;
  /** Whatever was there before. */
  putting(document: T): Change;
  /** Refused unless it exists (at `revision`, where one is given). */
  deleting(id: string, revision?: Revision): Change;
  /** Changes nothing; refuses the commit unless the document is at `revision` (null: unless there is none). */
  requiring(id: string, revision: Revision | null): Change;
  /**
   * Adds to numeric fields of the document, which is made where it is missing (a missing field counts 0).
   * Refused where a field named in `atMost` would come out above its bound. Needs no revision: for counters that many write.
   * Where all amounts are 0 a document that is there is not written, and keeps its revision: that only asks about the bounds.
   * Fields are the document's own: names of 1 to 200 characters without a dot or a leading dollar.
   */
  counting(
    id: string,
    add: Readonly<Record<string, number>>,
    atMost?: Readonly<Record<string, number>>,
  ): Change;

  // Commits of one change.
  /** @returns null where the id exists already */
  insert(document: T): Promise<Revision | null>;
  /** @returns null where the document is no longer at `revision` */
  replace(document: T, revision: Revision): Promise<Revision | null>;
  put(document: T): Promise<Revision>;
  /** @returns false where there was none (or not at `revision`) */
  delete(id: string, revision?: Revision): Promise<boolean>;
}

/** See {@link Collection.watch}. */
export interface Watch {
  /**
   * Moves whenever anything in the collection may have changed: before the commit is answered where this store made it, and
   * within a second where another process did. To be taken before reading; what was read at the same position need not be
   * read again. Null where nothing is known: while the collection gets its indexes, and while the database says nothing.
   */
  position(): number | null;
}

/** Made by a collection's `inserting`, `replacing` …; opaque to everyone but the engine. */
export type Change =
  | { readonly kind: 'insert'; readonly collection: string; readonly document: Document }
  | {
      readonly kind: 'replace';
      readonly collection: string;
      readonly document: Document;
      readonly revision: Revision;
    }
  | { readonly kind: 'put'; readonly collection: string; readonly document: Document }
  | {
      readonly kind: 'delete';
      readonly collection: string;
      readonly id: string;
      readonly revision: Revision | null;
    }
  | {
      readonly kind: 'require';
      readonly collection: string;
      readonly id: string;
      readonly revision: Revision | null;
    }
  | {
      readonly kind: 'count';
      readonly collection: string;
      readonly id: string;
      readonly add: Readonly<Record<string, number>>;
      readonly atMost: Readonly<Record<string, number>>;
    };

/** `refused` names the first change whose condition did not hold; then nothing was changed. */
export type CommitOutcome =
  | { readonly committed: true; readonly revisions: readonly (Revision | null)[] }
  | { readonly committed: false; readonly refused: Change };

/** `damaged`: a document is there, and what the disk gives of it is none. It fails by itself, and others go on. */
export type StoreErrorCode = 'bad-query' | 'bad-document' | 'damaged' | 'unavailable' | 'no-space' | 'closed';

export class StoreError extends Error {
  override readonly name = 'StoreError';
  constructor(
    readonly code: StoreErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** What a shared store is to be found at is no address of one. */
export class StoreAddressError extends StoreError {
  constructor(message: string) {
    super('unavailable', message);
  }
}
