import {
  type Change,
  COMMIT_CHANGES_MAX,
  type CommitOutcome,
  type Document,
  type Revision,
  StoreError,
} from './collection.js';
import { checkId, encodeDocument } from './document.js';

/** Most bytes of documents in one commit: what an engine keeps in memory until it is durable. */
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

/** The store as one commit sees it: each change sees what those before it did, though nothing is written yet. */
export interface CommitView {
  /** Null where there is no such document. */
  revision(collection: string, id: string): Revision | null;
  document(collection: string, id: string): Document | null;
  /**
   * @param json  null: the document is deleted
   * @returns the revision that the change gets
   */
  set(collection: string, id: string, json: string | null): Revision;
}

/**
 * Finds out whether the conditions of all changes hold, and leaves in the view what is to be written.
 * @throws StoreError `bad-document` where what is counted is no number
 */
export function applyChanges(view: CommitView, changes: readonly PreparedChange[]): CommitOutcome {
  const revisions: (Revision | null)[] = [];
  for (const { change, json } of changes) {
    const revision = applyChange(view, change, json);
    if (revision === 'refused') return { committed: false, refused: change };
    revisions.push(revision);
  }
  return { committed: true, revisions };
}

function applyChange(view: CommitView, change: Change, json: string | null): Revision | null | 'refused' {
  const id = idOf(change);
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

/** The document that a change is about. */
export function idOf(change: Change): string {
  return 'document' in change ? change.document.id : change.id;
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
