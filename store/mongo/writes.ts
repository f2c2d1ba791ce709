import type { AnyBulkWriteOperation, Filter, UpdateFilter } from 'mongodb';
import type { Revision } from '../collection.js';
import { isPossibleId } from '../document.js';
import type { Draft, Held } from './draft.js';
import {
  type EncodedDocument,
  idText,
  META,
  type Satellites,
  type StoredRecord,
  satelliteId,
  shareId,
} from './layout.js';

/** What the database must say it did; anything else means that another node was faster. */
export interface ExpectedCounts {
  inserted: number;
  /** Matched or, of satellites, made. */
  updated: number;
  deleted: number;
}

interface CollectionWrites {
  readonly operations: readonly AnyBulkWriteOperation<StoredRecord>[];
  readonly expected: ExpectedCounts;
}

/** By collection. */
export type WritePlan = ReadonlyMap<string, CollectionWrites>;

/** From so many commits on that had a document as a condition since it was written, nodes take shares in it. */
const SHARE_AFTER_COMMITS = 8;
/** Who writes the document deletes that many; further nodes write the document itself. */
const SHARES_MAX = 64;

export interface PlanSource {
  /** Names this node among those that share the database. */
  readonly node: string;
  nextRevision(): Revision;
  isSequenced(collection: string): boolean;
}

/** The writes of one transaction that does what a draft says, if the database still is as the draft had it. */
export function planWrites(draft: Draft, source: PlanSource): WritePlan {
  // Nobody can ever make a document of an impossible id, so its absence needs no guard.
  const held = [...draft.held()].filter(({ id }) => isPossibleId(id));
  // Conditions alone, each on a document that was read: they held when it was.
  if (!held.some(({ isWritten }) => isWritten) && held.length <= 1) return new Map();
  const plan = new Map<string, Writes>();
  const writesOf = (collection: string): Writes => {
    const writes = plan.get(collection) ?? new Writes();
    plan.set(collection, writes);
    return writes;
  };
  for (const document of held) {
    const writes = writesOf(document.collection);
    const staysAbsent = wasAbsent(document) && document.after === null;
    if (!document.isWritten || staysAbsent) guard(writes, document, source);
    else write(writes, document, document.encoded);
  }
  for (const collection of draft.written) {
    if (source.isSequenced(collection)) writesOf(META).count(sequenceId(collection));
  }
  return new Map([...plan].map(([collection, writes]) => [collection, writes.sorted()]));
}

export function sequenceId(collection: string): string {
  return `sequence:${collection}`;
}

function wasAbsent({ before }: Held): boolean {
  return before === null || before.gone !== undefined;
}

/** Puts the transaction in conflict with every other that changes the document, though it stays as it is. */
function guard(writes: Writes, { id, before }: Held, source: PlanSource): void {
  if (before === null) {
    writes.insert({ _id: idText(id), r: source.nextRevision(), gone: new Date() });
    return;
  }
  const { g: nodes = [], t: commits = 0, gone } = before;
  if (nodes.includes(source.node)) {
    writes.update({ ...before, _id: shareId(before._id, source.node) }, { $inc: { t: 1 } });
  } else if (commits < SHARE_AFTER_COMMITS || nodes.length >= SHARES_MAX) {
    writes.update(before, {
      $inc: { t: 1 },
      ...(gone instanceof Date ? { $set: { gone: new Date() } } : {}),
    });
  } else {
    writes.update(before, {
      $inc: { t: 1 },
      $addToSet: { g: source.node },
      ...(gone === undefined ? {} : { $set: { gone: true } }),
    });
    writes.putSatellite({ _id: shareId(before._id, source.node), r: revisionFilter(before.r) });
  }
}

function write(writes: Writes, { before }: Held, encoded: EncodedDocument | null): void {
  if (encoded === null) {
    if (before !== null) writes.delete(before);
  } else if (before === null) writes.insert(encoded.record);
  else writes.replace(before, encoded.record);
  for (const node of before?.g ?? []) writes.deleteSatellite(shareId(before?._id ?? '', node));
  const had = before?.s ?? {};
  const has = encoded?.record.s ?? {};
  const owner = before?._id ?? encoded?.record._id ?? '';
  for (const [fields, satellites] of encoded?.satellites ?? []) {
    if (had[fields]?.h === has[fields]?.h) continue;
    for (const satellite of satellites) writes.putSatellite(satellite);
  }
  for (const [fields, { n }] of Object.entries<Satellites>(had)) {
    for (let at = has[fields]?.n ?? 0; at < n; at++) writes.deleteSatellite(satelliteId(owner, fields, at));
  }
}

class Writes {
  readonly #inserts: AnyBulkWriteOperation<StoredRecord>[] = [];
  readonly #updates: AnyBulkWriteOperation<StoredRecord>[] = [];
  readonly #deletes: AnyBulkWriteOperation<StoredRecord>[] = [];

  insert(document: StoredRecord): void {
    this.#inserts.push({ insertOne: { document } });
  }

  replace(before: StoredRecord, replacement: StoredRecord): void {
    this.#updates.push({ replaceOne: { filter: unchanged(before), replacement } });
  }

  /** Of a document that stays as it is, so that it does not matter who has shares in it. */
  update({ _id, r }: StoredRecord, update: UpdateFilter<StoredRecord>): void {
    this.#updates.push({ updateOne: { filter: { _id, r: revisionFilter(r) }, update } });
  }

  delete(before: StoredRecord): void {
    this.#deletes.push({ deleteOne: { filter: unchanged(before) } });
  }

  putSatellite(satellite: StoredRecord): void {
    const { _id, ...replacement } = satellite;
    this.#updates.push({ replaceOne: { filter: { _id }, replacement, upsert: true } });
  }

  deleteSatellite(_id: string): void {
    this.#deletes.push({ deleteOne: { filter: { _id } } });
  }

  count(_id: string): void {
    this.#updates.push({ updateOne: { filter: { _id }, update: { $inc: { n: 1 } }, upsert: true } });
  }

  /** By kind, as the driver makes one request of each run of the same kind. */
  sorted(): CollectionWrites {
    return {
      operations: [...this.#inserts, ...this.#updates, ...this.#deletes],
      expected: {
        inserted: this.#inserts.length,
        updated: this.#updates.length,
        deleted: this.#deletes.length,
      },
    };
  }
}

/** A share that came since is one the transaction would not delete. */
function unchanged({ _id, r, g }: StoredRecord): Filter<StoredRecord> {
  return { _id, r: revisionFilter(r), g: g ?? { $exists: false } };
}

function revisionFilter(revision: Revision | undefined): Revision {
  if (revision === undefined) throw new Error('A document of the database has no revision');
  return revision;
}
