import {
  type AnyBulkWriteOperation,
  type Collection,
  MongoBulkWriteError,
  MongoServerError,
  type WriteError,
} from 'mongodb';
import type { Logger } from '../../common/index.js';
import { idOf, type PreparedChange } from '../changes.js';
import { type CommitOutcome, type Revision, StoreError } from '../collection.js';
import { isPossibleId } from '../document.js';
import type { Catalog } from './catalog.js';
import { isConflict, OUTCOME_OPEN, storeErrorOf } from './errors.js';
import { FailureLog } from './failure-log.js';
import { GroupCommit, type PendingCommit } from './group-commit.js';
import { idText, type StoredRecord } from './layout.js';
import type { RevisionSource } from './revisions.js';

/** How long the mark of a deleted document lies there, and how many of them at most, before they are taken away together. */
const SWEEP_MS = 100;
const MARKS_MAX = 500;

export interface PassingCommitsParts {
  readonly records: Collection<StoredRecord>;
  readonly catalog: Catalog;
  /** A source that nobody else takes from. */
  readonly revisions: () => RevisionSource;
  readonly timeoutMs: number;
  readonly logger: Logger;
  readonly commitOrdinarily: (
    changes: readonly PreparedChange[],
    sizeBytes: number,
    enqueuedAtMs: number,
  ) => Promise<CommitOutcome>;
}

/** What is written for one commit, and how it shows that it was. */
interface Light {
  readonly commit: PendingCommit;
  readonly operation: AnyBulkWriteOperation<StoredRecord>;
  readonly id: string;
  /** That the document must have had; null for an insert. */
  readonly expected: Revision | null;
  readonly written: Revision;
  readonly deletes: boolean;
}

/**
 * Commits of one change each to a passing collection without indexes, without a transaction and without reading first: those made
 * at about the same time are one request, and the condition of each is its filter. What this cannot decide, or not do, goes
 * the ordinary way: documents with shares, marks of absent documents, whatever else is in conflict with a transaction.
 *
 * A delete leaves the mark of an absent document with a revision of its own, which is taken away soon after: so the database
 * still tells afterwards who deleted, as it does who replaced.
 */
export class PassingCommits {
  readonly #parts: PassingCommitsParts;
  /** Apart, as the driver would make two requests of them, one after the other. */
  readonly #failures: FailureLog;
  readonly #inserts: GroupCommit;
  readonly #updates: GroupCommit;
  #marks: { readonly id: string; readonly revision: Revision }[] = [];
  #sweepTimer: NodeJS.Timeout | null = null;

  constructor(parts: PassingCommitsParts) {
    this.#parts = parts;
    const { timeoutMs } = parts;
    this.#failures = new FailureLog(parts.logger);
    const group = (revisions: RevisionSource) =>
      new GroupCommit({
        windowMs: 0,
        timeoutMs,
        run: async (commits, deadlineMs) => {
          await this.#run(commits, revisions, deadlineMs);
          return [];
        },
      });
    this.#inserts = group(parts.revisions());
    this.#updates = group(parts.revisions());
  }

  /** @returns null where the commit must go the ordinary way */
  commit(changes: readonly PreparedChange[], sizeBytes: number): Promise<CommitOutcome> | null {
    const change = changes[0]?.change;
    switch (change?.kind) {
      case 'insert':
        return this.#inserts.run(changes, sizeBytes);
      case 'replace':
        return this.#updates.run(changes, sizeBytes);
      case 'delete':
        if (change.revision === null || !isPossibleId(change.id)) return null;
        return this.#updates.run(changes, sizeBytes);
      default:
        return null;
    }
  }

  /** Answers at once, with nothing changed, those whose turn has not come. */
  expireWaiting(): void {
    this.#inserts.expireWaiting();
    this.#updates.expireWaiting();
  }

  /** Waits for what is under way; further commits must not come. */
  async close(): Promise<void> {
    await Promise.all([this.#inserts.drain(), this.#updates.drain()]);
    await this.#sweep();
  }

  async #run(
    commits: readonly PendingCommit[],
    revisions: RevisionSource,
    deadlineMs: number,
  ): Promise<void> {
    const { records, catalog } = this.#parts;
    try {
      await Promise.all([catalog.refresh(), revisions.ensure(commits.length)]);
      if (performance.now() >= deadlineMs || commits.some(({ isSettled }) => isSettled)) {
        for (const commit of commits) commit.expire();
        return;
      }
      // A node of a newer version has added an index: its keys are written with the document.
      if (catalog.indexes(records.collectionName).length > 0) return this.#goOrdinarily(commits);
    } catch (error) {
      return this.#fail(commits, storeErrorOf(error, 'Nothing was changed'));
    }
    await this.#write(commits.map((commit) => lightOf(commit, revisions.next())));
  }

  async #write(lights: readonly Light[]): Promise<void> {
    const commits = lights.map(({ commit }) => commit);
    // From now on nobody knows, until it is told.
    for (const commit of commits) commit.isCommitting = true;
    try {
      const { matched, failed } = await this.#send(lights);
      for (const [light, error] of failed) this.#settleFailed(light, error);
      const updates = lights.filter((light) => light.expected !== null && !failed.has(light));
      const through = matched === updates.length ? new Set(updates) : await this.#readBack(updates);
      for (const light of lights) {
        if (light.expected === null && !failed.has(light)) light.commit.resolve(committed(light));
        else if (through.has(light)) this.#succeed(light);
      }
    } catch (error) {
      const told = storeErrorOf(error, 'Nothing was changed');
      const isOpen = told.code === 'unavailable';
      this.#fail(
        commits,
        isOpen ? new StoreError('unavailable', `${OUTCOME_OPEN} (${told.message})`, { cause: error }) : told,
      );
    }
  }

  async #send(
    lights: readonly Light[],
  ): Promise<{ matched: number; failed: ReadonlyMap<Light, WriteError> }> {
    const operations = lights.map(({ operation }) => operation);
    try {
      const { matchedCount } = await this.#parts.records.bulkWrite(operations, {
        ordered: false,
        writeConcern: { w: 1, journal: false },
      });
      return { matched: matchedCount, failed: new Map() };
    } catch (error) {
      const errors = error instanceof MongoBulkWriteError ? [error.writeErrors].flat() : [];
      // Without any it is about the request as a whole.
      if (!(error instanceof MongoBulkWriteError) || errors.length === 0) throw error;
      const failed = errors.flatMap((one) => {
        const light = lights[one.index];
        return light === undefined ? [] : [[light, one] as const];
      });
      return { matched: error.matchedCount, failed: new Map(failed) };
    }
  }

  #settleFailed({ commit }: Light, { code, errmsg }: WriteError): void {
    const error = new MongoServerError({ message: errmsg ?? 'the write failed', code });
    if (isConflict(error)) this.#goOrdinarily([commit]);
    else this.#fail([commit], storeErrorOf(error, 'Nothing was changed'));
  }

  /**
   * Finds out which of the replaced and deleted documents are at the revision that was written, and refuses the others. A commit
   * that went through and whose document somebody else has replaced since is refused too: nobody can tell any more, and who
   * replaced it goes on.
   */
  async #readBack(lights: readonly Light[]): Promise<ReadonlySet<Light>> {
    const found = new Map<string, StoredRecord>();
    const ids = lights.map(({ id }) => id);
    const cursor = this.#parts.records.find({ _id: { $in: ids } }, { projection: { r: 1 } });
    for await (const record of cursor) found.set(record._id, record);
    const through = new Set<Light>();
    for (const light of lights) {
      const revision = found.get(light.id)?.r;
      if (revision === light.written) through.add(light);
      // Its revision is the right one, so there are shares in it.
      else if (revision === light.expected) this.#goOrdinarily([light.commit]);
      else light.commit.resolve(refused(light));
    }
    return through;
  }

  #succeed(light: Light): void {
    light.commit.resolve(committed(light));
    if (!light.deletes) return;
    this.#marks.push({ id: light.id, revision: light.written });
    this.#sweepTimer ??= setTimeout(() => void this.#sweep(), SWEEP_MS);
  }

  async #sweep(): Promise<void> {
    if (this.#sweepTimer !== null) clearTimeout(this.#sweepTimer);
    this.#sweepTimer = null;
    while (this.#marks.length > 0) {
      const marks = this.#marks.splice(0, MARKS_MAX);
      await this.#parts.records
        // One that was a condition since (`t`) stays, as any such mark does; so does one of a later delete, who may still ask for it.
        .deleteMany(
          {
            _id: { $in: marks.map(({ id }) => id) },
            r: { $in: marks.map(({ revision }) => revision) },
            gone: { $type: 'date' },
            t: { $exists: false },
          },
          { writeConcern: { w: 1, journal: false } },
        )
        // The database takes them away by itself, later.
        .catch((error: unknown) => this.#parts.logger.debug('store.marks-left', { error: String(error) }));
    }
  }

  #goOrdinarily(commits: readonly PendingCommit[]): void {
    for (const commit of commits) {
      // Its caller has been told something, and must not be made wrong afterwards.
      if (commit.isSettled) continue;
      commit.isHandedOver = true;
      const { changes, sizeBytes, enqueuedAtMs } = commit;
      this.#parts.commitOrdinarily(changes, sizeBytes, enqueuedAtMs).then(
        (outcome) => commit.resolve(outcome),
        (error: unknown) => commit.reject(error),
      );
    }
  }

  #fail(commits: readonly PendingCommit[], error: StoreError): void {
    const open = commits.filter((commit) => !commit.isSettled);
    if (open.length === 0) return;
    this.#failures.tell(open.length, error);
    for (const commit of open) commit.reject(error);
  }
}

function lightOf(commit: PendingCommit, written: Revision): Light {
  const [prepared] = commit.changes;
  if (prepared === undefined) throw new Error('A commit without a change');
  const { change, json } = prepared;
  const id = idText(idOf(change));
  const light = { commit, id, written };
  if (change.kind === 'insert' && json !== null) {
    const operation = { insertOne: { document: { _id: id, r: written, d: json } } };
    return { ...light, operation, expected: null, deletes: false };
  }
  if (change.kind !== 'replace' && change.kind !== 'delete') throw new Error(`No light ${change.kind}`);
  const { revision: expected } = change;
  if (expected === null) throw new Error('A light delete has a revision');
  const replacement: StoredRecord =
    json === null ? { _id: id, r: written, gone: new Date() } : { _id: id, r: written, d: json };
  // Whoever has a share in a document is told of a change by a transaction that deletes the share.
  const filter = { _id: id, r: expected, g: { $exists: false } };
  return { ...light, operation: { replaceOne: { filter, replacement } }, expected, deletes: json === null };
}

function committed({ written, deletes }: Light): CommitOutcome {
  return { committed: true, revisions: [deletes ? null : written] };
}

function refused({ commit }: Light): CommitOutcome {
  const [prepared] = commit.changes;
  if (prepared === undefined) throw new Error('A commit without a change');
  return { committed: false, refused: prepared.change };
}
