import type { Database } from 'lmdb';
import { applyChanges, type CommitView, type PreparedChange } from '../changes.js';
import type { CommitOutcome, Document, Revision } from '../collection.js';
import { isPossibleId } from '../document.js';
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

/**
 * Does a commit inside a write transaction: first finds out whether every condition holds and what is to be written,
 * then writes. What refuses or throws has written nothing, so nothing has ever to be rolled back.
 * @throws StoreError `bad-document` where a document does not fit its indexes or what is counted is no number
 */
export function runCommit(transaction: WriteTransaction, changes: readonly PreparedChange[]): CommitOutcome {
  const view = new View(transaction);
  const outcome = applyChanges(view, changes);
  if (outcome.committed) view.write();
  return outcome;
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

class View implements CommitView {
  readonly #seen = new Map<string, Seen>();
  readonly #sequences = new Map<string, number>();

  constructor(private readonly transaction: WriteTransaction) {}

  revision(collection: string, id: string): Revision | null {
    const { after } = this.#look(collection, id);
    return after === null ? null : revisionOf(after);
  }

  document(collection: string, id: string): Document | null {
    const { after } = this.#look(collection, id);
    return after === null ? null : decodeRecord(after, collection, id).document;
  }

  set(collection: string, id: string, json: string | null): Revision {
    const sequence =
      (this.#sequences.get(collection) ?? this.transaction.collection(collection).state.sequence) + 1;
    this.#sequences.set(collection, sequence);
    this.#look(collection, id).after = json === null ? null : encodeRecord(sequence, json);
    return sequence as Revision;
  }

  write(): void {
    const writes: Write[] = [];
    for (const seen of this.#seen.values()) writes.push(...this.#writesFor(seen));
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
    const documentBefore = before === null ? null : decodeRecord(before, collection, id).document;
    const documentAfter = after === null ? null : decodeRecord(after, collection, id).document;
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
  if (before === null && after !== null)
    return indexWrites(index, after).map(({ key, value }) => ({ tree: trees.indexes, key, value }));
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
