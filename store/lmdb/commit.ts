import type { Database } from 'lmdb';
import {
  type Change,
  COMMIT_CHANGES_MAX,
  type CommitOutcome,
  type Document,
  type Revision,
  StoreError,
} from '../collection.js';
import { checkId, encodeDocument, isPossibleId } from '../document.js';
import { indexEntries, sameIndexedValues } from '../index-key.js';
import type { IndexRecord } from './catalog.js';
import {
  decodeRecord,
  documentKey,
  ENTRY_ONE_OF_MANY,
  ENTRY_ONLY,
  encodeRecord,
  keyOf,
  revisionOf,
  type Trees,
} from './layout.js';
import type { WriteTransaction } from './transaction.js';

/** Most bytes of documents in one commit: what LMDB keeps in memory until it is flushed. */
const COMMIT_BYTES_MAX = 64 * 1024 * 1024;

/** A change that has been checked as far as it can be without looking into the store. */
export interface PreparedChange {
  readonly change: Change;
  /** The document as JSON, where the change brings one. */
  readonly json: string | null;
}

/**
 * Checks changes and encodes their documents, so that what the caller does to them afterwards is not stored.
 * @throws StoreError `bad-document`, `bad-query`
 */
export function prepareCommit(changes: readonly Change[]): { prepared: PreparedChange[]; sizeBytes: number } {
  if (changes.length > COMMIT_CHANGES_MAX) {
    throw new StoreError(
      'bad-query',
      `a commit may have at most ${COMMIT_CHANGES_MAX} changes, found ${changes.length}`,
    );
  }
  let sizeBytes = 0;
  const prepared = changes.map((change) => {
    if (change.kind === 'count') checkCount(change);
    const json = 'document' in change ? encodeDocument(change.document) : null;
    sizeBytes += json?.length ?? 0;
    return { change, json };
  });
  if (sizeBytes > COMMIT_BYTES_MAX) {
    throw new StoreError(
      'bad-document',
      `the documents of a commit may have at most ${COMMIT_BYTES_MAX} bytes together`,
    );
  }
  return { prepared, sizeBytes };
}

function checkCount(change: Extract<Change, { kind: 'count' }>): void {
  checkId(change.id);
  for (const [field, value] of [...Object.entries(change.add), ...Object.entries(change.atMost)]) {
    // A counter is a field of the document itself; MongoDB would take a dot for a path and a dollar for an operator.
    if (!/^[^.$\0][^.\0]{0,199}$/.test(field) || field === 'id' || field === '__proto__') {
      throw new StoreError(
        'bad-document',
        `${change.id}: a counter's name has 1 to 200 characters, no dot, and is not "id"; found "${field.slice(0, 200)}"`,
      );
    }
    if (!Number.isFinite(value)) {
      throw new StoreError(
        'bad-document',
        `${change.id}: ${field} must be counted in finite numbers, found ${value}`,
      );
    }
  }
}

/**
 * Does a commit inside a write transaction: first finds out whether every condition holds and what is to be written,
 * then writes. What refuses or throws has written nothing, so nothing has ever to be rolled back.
 * @throws StoreError `bad-document` where a document does not fit its indexes or what is counted is no number
 */
export function runCommit(transaction: WriteTransaction, changes: readonly PreparedChange[]): CommitOutcome {
  const view = new View(transaction);
  const revisions: (Revision | null)[] = [];
  for (const { change, json } of changes) {
    const revision = applyChange(view, change, json);
    if (revision === 'refused') return { committed: false, refused: change };
    revisions.push(revision);
  }
  view.write();
  return { committed: true, revisions };
}

function applyChange(view: View, change: Change, json: string | null): Revision | null | 'refused' {
  const id = 'document' in change ? change.document.id : change.id;
  const found = view.revision(change.collection, id);
  switch (change.kind) {
    case 'insert':
      return found === null ? view.set(change.collection, id, json) : 'refused';
    case 'replace':
      return found === change.revision ? view.set(change.collection, id, json) : 'refused';
    case 'put':
      return view.set(change.collection, id, json);
    case 'delete':
      if (found === null || (change.revision !== null && found !== change.revision)) return 'refused';
      view.set(change.collection, id, null);
      return null;
    case 'require':
      return found === change.revision ? null : 'refused';
    case 'count': {
      const before = view.document(change.collection, id);
      const counted = count(before, change);
      // What only asks whether a bound holds must not make the document one that everybody writes.
      if (counted !== 'refused' && before !== null && addsNothing(change)) return found;
      return counted === 'refused' ? counted : view.set(change.collection, id, encodeDocument(counted));
    }
    default:
      return change satisfies never;
  }
}

function count(before: Document | null, change: Extract<Change, { kind: 'count' }>): Document | 'refused' {
  const counted: Document & Record<string, unknown> = { ...before, id: change.id };
  for (const [field, amount] of Object.entries(change.add)) {
    counted[field] = counter(counted, field) + amount;
  }
  for (const [field, bound] of Object.entries(change.atMost)) {
    if (counter(counted, field) > bound) return 'refused';
  }
  return counted;
}

function addsNothing({ add }: Extract<Change, { kind: 'count' }>): boolean {
  return Object.values(add).every((amount) => amount === 0);
}

function counter(document: Document & Record<string, unknown>, field: string): number {
  const value = Object.hasOwn(document, field) ? (document[field] ?? 0) : 0;
  if (typeof value === 'number') return value;
  throw new StoreError('bad-document', `${document.id}: ${field} is counted, but it holds a ${typeof value}`);
}

interface Seen {
  readonly collection: string;
  readonly id: string;
  /** The record in the store before this commit. */
  readonly before: string | null;
  /** The record as the changes so far leave it. */
  after: string | null;
}

interface Write {
  readonly tree: Database<string, Buffer>;
  readonly key: Buffer;
  /** Null: remove. */
  readonly value: string | null;
}

/** The store as one commit sees it: each change sees what those before it did, though nothing is written yet. */
class View {
  readonly #seen = new Map<string, Seen>();
  readonly #sequences = new Map<string, number>();

  constructor(private readonly transaction: WriteTransaction) {}

  revision(collection: string, id: string): Revision | null {
    const { after } = this.#look(collection, id);
    return after === null ? null : revisionOf(after);
  }

  document(collection: string, id: string): Document | null {
    const { after } = this.#look(collection, id);
    return after === null ? null : decodeRecord(after).document;
  }

  /** @returns the revision that the change gets */
  set(collection: string, id: string, json: string | null): Revision {
    const sequence =
      (this.#sequences.get(collection) ?? this.transaction.collection(collection).state.sequence) + 1;
    this.#sequences.set(collection, sequence);
    this.#look(collection, id).after = json === null ? null : encodeRecord(sequence, json);
    return sequence as Revision;
  }

  write(): void {
    const writes = [...this.#seen.values()].flatMap((seen) => this.#writesFor(seen));
    for (const { tree, key, value } of writes) {
      if (value === null) tree.remove(key);
      else tree.put(key, value);
    }
    for (const [collection, sequence] of this.#sequences) {
      const { state } = this.transaction.collection(collection);
      this.transaction.setState(collection, { ...state, sequence });
    }
  }

  #look(collection: string, id: string): Seen {
    const key = `${collection} ${id}`;
    let seen = this.#seen.get(key);
    if (seen === undefined) {
      const { catalog } = this.transaction.collection(collection);
      const before = isPossibleId(id)
        ? (this.transaction.trees.documents.get(documentKey(catalog.number, id)) ?? null)
        : null;
      seen = { collection, id, before, after: before };
      this.#seen.set(key, seen);
    }
    return seen;
  }

  #writesFor({ collection, id, before, after }: Seen): Write[] {
    if (before === after) return [];
    const { trees } = this.transaction;
    const { catalog } = this.transaction.collection(collection);
    const writes: Write[] = [{ tree: trees.documents, key: documentKey(catalog.number, id), value: after }];
    const indexes = Object.values(catalog.indexes);
    if (indexes.length === 0) return writes;
    const documentBefore = before === null ? null : decodeRecord(before).document;
    const documentAfter = after === null ? null : decodeRecord(after).document;
    for (const index of indexes) writes.push(...entryChanges(trees, index, documentBefore, documentAfter));
    return writes;
  }
}

function entryChanges(
  trees: Trees,
  index: IndexRecord,
  before: Document | null,
  after: Document | null,
): Write[] {
  if (before !== null && after !== null && sameIndexedValues(before, after, index.fields)) return [];
  const old = entriesOf(index, before);
  const writes: Write[] = [];
  for (const [text, { key, value }] of entriesOf(index, after)) {
    if (old.get(text)?.value !== value) writes.push({ tree: trees.indexes, key, value });
    old.delete(text);
  }
  for (const { key } of old.values()) writes.push({ tree: trees.indexes, key, value: null });
  return writes;
}

/** By the key's text, as keys are not equal to each other. */
function entriesOf(
  index: IndexRecord,
  document: Document | null,
): Map<string, { key: Buffer; value: string }> {
  const entries = new Map<string, { key: Buffer; value: string }>();
  if (document === null) return entries;
  for (const { key, value } of indexWrites(index, document))
    entries.set(key.toString('latin1'), { key, value });
  return entries;
}

/** What the tree of indexes holds for one document of one index. */
export function indexWrites(index: IndexRecord, document: Document): { key: Buffer; value: string }[] {
  const entries = indexEntries(document, index.fields);
  const value = entries.length > 1 ? ENTRY_ONE_OF_MANY : ENTRY_ONLY;
  return entries.map(({ key }) => ({ key: keyOf(index.number, key), value }));
}
