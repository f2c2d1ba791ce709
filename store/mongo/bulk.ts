import { type Collection, type Db, MongoBulkWriteError } from 'mongodb';
import { type PreparedChange, prepareCommit } from '../changes.js';
import type { Change, CommitOutcome, Document } from '../collection.js';
import type { Catalog } from './catalog.js';
import { DUPLICATE_KEY } from './errors.js';
import { type EncodedDocument, encodeRecord, keyBytes, META, type StoredRecord } from './layout.js';
import { RevisionSource } from './revisions.js';
import { sequenceId } from './writes.js';

/** One request of a clearing deletes so many records at most, so that it is answered well within the time-out. */
const CLEARED_AT_ONCE = 5_000;

export interface BulkParts {
  readonly database: Db;
  readonly catalog: Catalog;
  readonly isSequenced: (collection: string) => boolean;
  readonly commit: (changes: readonly Change[]) => Promise<CommitOutcome>;
  /** Runs `act` within the time-out. @throws StoreError; `what` says what could not be done */
  readonly ask: <R>(what: string, act: () => Promise<R>) => Promise<R>;
}

/** Fills and empties whole collections while nobody else is at work: without transactions, and without reading first. */
export class Bulk {
  readonly #parts: BulkParts;
  readonly #revisions: RevisionSource;

  constructor(parts: BulkParts) {
    this.#parts = parts;
    // Its own, since the committer counts on finding in its source what it has ensured.
    this.#revisions = new RevisionSource(parts.database.collection<StoredRecord>(META));
  }

  /** See {@link Store.clear}; also what belongs to no document goes. */
  async clear(collection: string): Promise<void> {
    const records = this.#records(collection);
    for (;;) {
      const page = await this.#parts.ask(`clearing ${collection}`, () =>
        records
          .find({}, { projection: { _id: 1 }, sort: { _id: 1 }, hint: '_id_', limit: CLEARED_AT_ONCE })
          .toArray(),
      );
      const last = page.at(-1);
      if (last === undefined) break;
      await this.#parts.ask(`clearing ${collection}`, () => records.deleteMany({ _id: { $lte: last._id } }));
    }
    await this.#noteChange(collection);
  }

  /** See {@link Store.load}. */
  async load(collection: string, documents: readonly Document[]): Promise<void> {
    const changes = documents.map((document) => ({ kind: 'put', collection, document }) as const);
    const { prepared } = prepareCommit(changes);
    const encoded = await this.#parts.ask(`loading ${collection}`, () => this.#encode(collection, prepared));
    // What belongs to a document comes before it: where it is found to be there already, the rest is known to be there too.
    const satellites = encoded.flatMap((one) => [...one.satellites.values()].flat());
    await this.#insert(collection, satellites);
    const present = await this.#insert(
      collection,
      encoded.map(({ record }) => record),
    );
    await this.#noteChange(collection);
    const others = await this.#others(
      collection,
      present.flatMap((at) => encoded[at]?.record ?? []),
    );
    // Puts have no condition, so they are not refused.
    if (others.size > 0) await this.#parts.commit(changes.filter(({ document }) => others.has(document.id)));
  }

  /** The ids of those that the database has with another content: what an attempt whose answer was lost has brought is right. */
  async #others(collection: string, records: readonly StoredRecord[]): Promise<Set<string>> {
    if (records.length === 0) return new Set();
    const found = await this.#parts.ask(`loading ${collection}`, () =>
      this.#records(collection)
        .find({ _id: { $in: records.map(({ _id }) => _id) } }, { projection: { d: 1 } })
        .toArray(),
    );
    const there = new Map(found.map(({ _id, d }) => [_id, d]));
    const differing = records.filter(({ _id, d }) => there.get(_id) !== d);
    return new Set(differing.map(({ _id }) => keyBytes(_id).toString()));
  }

  async #encode(collection: string, prepared: readonly PreparedChange[]): Promise<EncodedDocument[]> {
    const [revisions] = await Promise.all([
      this.#revisions.take(prepared.length),
      this.#parts.catalog.refresh(),
    ]);
    const indexes = this.#parts.catalog.indexes(collection);
    return prepared.map(({ json }, at) => {
      const revision = revisions[at];
      if (json === null || revision === undefined) throw new Error('A put without a document or a revision');
      return encodeRecord(json, revision, indexes);
    });
  }

  /** @returns the positions of those whose id is taken */
  async #insert(collection: string, records: readonly StoredRecord[]): Promise<number[]> {
    if (records.length === 0) return [];
    return this.#parts.ask(`loading ${collection}`, async () => {
      try {
        await this.#records(collection).insertMany(records, { ordered: false });
        return [];
      } catch (error) {
        const taken = takenIn(error);
        if (taken === null) throw error;
        return taken;
      }
    });
  }

  /** Whoever asks for the collection's sequence must find it grown. */
  async #noteChange(collection: string): Promise<void> {
    if (!this.#parts.isSequenced(collection)) return;
    await this.#parts.ask(`loading ${collection}`, () =>
      this.#parts.database
        .collection<StoredRecord>(META)
        .updateOne({ _id: sequenceId(collection) }, { $inc: { n: 1 } }, { upsert: true }),
    );
  }

  #records(collection: string): Collection<StoredRecord> {
    return this.#parts.database.collection<StoredRecord>(collection);
  }
}

/** The positions of records that were not inserted because their ids are taken; null where anything else went wrong too. */
function takenIn(error: unknown): number[] | null {
  if (!(error instanceof MongoBulkWriteError) || error.result.getWriteConcernError() !== undefined)
    return null;
  const errors = [error.writeErrors].flat();
  return errors.length > 0 && errors.every(({ code }) => code === DUPLICATE_KEY)
    ? errors.map(({ index }) => index)
    : null;
}
