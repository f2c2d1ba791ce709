import type { AnyBulkWriteOperation } from 'mongodb';
import type { Revision } from '../collection.js';
import type { Draft, Held } from './draft.js';
import {
  type EncodedDocument,
  idText,
  META,
  type Satellites,
  type StoredRecord,
  satelliteId,
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

export interface PlanSource {
  nextRevision(): Revision;
  isSequenced(collection: string): boolean;
}

/** The writes of one transaction that does what a draft says, if the database still is as the draft had it. */
export function planWrites(draft: Draft, source: PlanSource): WritePlan {
  const held = [...draft.held()];
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
    if (
      !document.isWritten ||
      (document.before?.d === undefined && wasAbsent(document) && document.after === null)
    ) {
      guard(writes, document, source);
    } else write(writes, document, document.encoded);
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
  const gone = new Date();
  if (before === null) writes.insert({ _id: idText(id), r: source.nextRevision(), gone });
  else if (before.gone !== undefined) writes.update(before, { $set: { gone } });
  else writes.update(before, { $inc: { t: 1 } });
}

function write(writes: Writes, { before }: Held, encoded: EncodedDocument | null): void {
  if (encoded === null) {
    if (before !== null) writes.delete(before);
  } else if (before === null) writes.insert(encoded.record);
  else writes.replace(before, encoded.record);
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

  replace({ _id, r }: StoredRecord, replacement: StoredRecord): void {
    this.#updates.push({ replaceOne: { filter: { _id, r: revisionFilter(r) }, replacement } });
  }

  update({ _id, r }: StoredRecord, update: { $set: { gone: Date } } | { $inc: { t: number } }): void {
    this.#updates.push({ updateOne: { filter: { _id, r: revisionFilter(r) }, update } });
  }

  delete({ _id, r }: StoredRecord): void {
    this.#deletes.push({ deleteOne: { filter: { _id, r: revisionFilter(r) } } });
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

function revisionFilter(revision: Revision | undefined): Revision {
  if (revision === undefined) throw new Error('A document of the database has no revision');
  return revision;
}
