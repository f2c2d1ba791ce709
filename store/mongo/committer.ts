import { randomBytes } from 'node:crypto';
import {
  type AnyBulkWriteOperation,
  type ClientSession,
  type Collection,
  type Db,
  type MongoClient,
  MongoServerError,
} from 'mongodb';
import type { Logger } from '../../common/index.js';
import { idOf } from '../changes.js';
import { type CommitOutcome, StoreError } from '../collection.js';
import { isPossibleId } from '../document.js';
import type { Catalog } from './catalog.js';
import { Draft } from './draft.js';
import {
  ConflictError,
  isConflict,
  isOutcomeOpen,
  isTransient,
  OUTCOME_OPEN,
  storeErrorOf,
} from './errors.js';
import { FailureLog } from './failure-log.js';
import type { PendingCommit } from './group-commit.js';
import { idText, type StoredRecord } from './layout.js';
import type { RevisionSource } from './revisions.js';
import { Writers } from './writers.js';
import { type ExpectedCounts, planWrites, type WritePlan } from './writes.js';

/** So many times a group is tried as a whole; then its commits go one by one, so that one hot document holds up itself. */
const GROUP_TRIES = 3;
/** And so many times each, until they make room for others: what stands in the way may be a process that has died. */
const ROUNDS_MAX = 4;
/** How long to wait before a transaction is tried again: a random time up to this, twice as long each time. */
const PAUSE_MS = 4;
const PAUSE_MS_MAX = 250;
const NODE_BYTES = 9;
/** Most bytes of documents read to be counted in: what counts is small. */
const COUNTED_BYTES_MAX = 64 * 1024 * 1024;

/** What there is to know of a document whose content no change asks for. */
const STATE_FIELDS = ['r', 'gone', 's', 'g', 't'];

type Verdict = { readonly outcome: CommitOutcome } | { readonly error: StoreError };
type Ending = 'done' | 'conflict' | 'transient';

export interface CommitterParts {
  readonly client: MongoClient;
  readonly database: Db;
  readonly catalog: Catalog;
  readonly revisions: RevisionSource;
  readonly logger: Logger;
  /** Whether the commits to a collection are numbered. */
  readonly isSequenced: (collection: string) => boolean;
  /** A collection, to be read as it is now. */
  readonly records: (collection: string) => Collection<StoredRecord>;
}

/** Carries out groups of commits, one group at a time: reads what they touch, weighs them, and writes in one transaction. */
export class Committer {
  readonly #parts: CommitterParts;
  /** One for all transactions: beginning the next one ends what the last one may have left open on the server. */
  readonly #session: ClientSession;
  readonly #writers: Writers;
  readonly #failures: FailureLog;
  readonly #node = randomBytes(NODE_BYTES).toString('base64url');

  constructor(parts: CommitterParts) {
    const { client, database, logger } = parts;
    this.#parts = parts;
    this.#session = client.startSession();
    this.#failures = new FailureLog(logger);
    this.#writers = new Writers({ client, database, logger, session: this.#session });
  }

  async close(): Promise<void> {
    await this.#writers.close();
    await this.#session.endSession();
  }

  /**
   * Settles the commits of the group, unless its time is over. Never rejects.
   * @returns those that others are in the way of, for longer than a race takes; to be tried again
   */
  async run(group: readonly PendingCommit[], deadlineMs: number): Promise<readonly PendingCommit[]> {
    try {
      if (group.some(({ isHeldUp }) => isHeldUp)) return await this.#runHeldUp(group, deadlineMs);
      if (await this.#runTogether(group, deadlineMs)) return [];
      return await this.#runOneByOne(group, deadlineMs);
    } catch (error) {
      this.#fail(group, error);
      return [];
    }
  }

  /** Once: the others should not wait for long. */
  async #runHeldUp(group: readonly PendingCommit[], deadlineMs: number): Promise<readonly PendingCommit[]> {
    if ((await this.#attempt(group, deadlineMs)) === 'done') return [];
    await this.#pause(2, deadlineMs);
    return group;
  }

  /** @returns false where the commits should be tried one by one: others are in their way, or one of them cannot be stored */
  async #runTogether(group: readonly PendingCommit[], deadlineMs: number): Promise<boolean> {
    let conflicts = 0;
    for (let tries = 0; conflicts < GROUP_TRIES; tries++) {
      if (tries > 0) await this.#pause(tries, deadlineMs);
      if (performance.now() >= deadlineMs) return true;
      try {
        const ending = await this.#attempt(group, deadlineMs);
        if (ending === 'done') return true;
        if (ending === 'conflict') conflicts++;
      } catch (error) {
        // It is about what was to be written, so one of the commits may have spoilt it for the others.
        const isOfContent =
          error instanceof MongoServerError || (error instanceof StoreError && error.code === 'bad-document');
        if (isOfContent && group.length > 1) return false;
        throw error;
      }
    }
    return false;
  }

  #fail(commits: readonly PendingCommit[], cause: unknown): void {
    const error = storeErrorOf(cause, 'Nothing was changed');
    this.#failures.tell(commits.length, error);
    for (const commit of commits) if (!commit.isSettled) commit.reject(error);
  }

  /**
   * Round after round, so that one that loses every race does not keep the others from their turn.
   * @returns those that lost in every round
   */
  async #runOneByOne(group: readonly PendingCommit[], deadlineMs: number): Promise<readonly PendingCommit[]> {
    let left = group;
    for (let round = 0; left.length > 0 && round < ROUNDS_MAX; round++) {
      const again: PendingCommit[] = [];
      for (const commit of left) {
        if (performance.now() >= deadlineMs) return [];
        if (commit.isSettled) continue;
        try {
          if ((await this.#attempt([commit], deadlineMs)) !== 'done') again.push(commit);
        } catch (error) {
          this.#fail([commit], error);
        }
      }
      left = again;
      if (left.length > 0) await this.#pause(round, deadlineMs);
    }
    return left;
  }

  /** @throws what says that there is no use in trying again */
  async #attempt(group: readonly PendingCommit[], deadlineMs: number): Promise<Ending> {
    try {
      const draft = await this.#read(group);
      const verdicts = group.map((commit) => weigh(draft, commit));
      const plan = planWrites(draft, {
        node: this.#node,
        nextRevision: () => this.#parts.revisions.next(),
        isSequenced: this.#parts.isSequenced,
      });
      if (plan.size > 0) await this.#write(group, plan, deadlineMs);
      for (const [at, verdict] of verdicts.entries()) {
        if ('error' in verdict) group[at]?.reject(verdict.error);
        else group[at]?.resolve(verdict.outcome);
      }
      return 'done';
    } catch (error) {
      if (isConflict(error)) return 'conflict';
      if (!isTransient(error)) throw error;
      this.#parts.logger.warn('store.transaction-repeated', {
        error: error instanceof Error ? error.message : String(error),
      });
      return 'transient';
    }
  }

  async #read(group: readonly PendingCommit[]): Promise<Draft> {
    const wanted = wantedOf(group);
    const { catalog, revisions } = this.#parts;
    const changes = group.reduce((sum, commit) => sum + commit.changes.length, 0);
    const draft = new Draft({
      nextRevision: () => revisions.next(),
      indexes: (collection) => catalog.indexes(collection),
    });
    let countedBytes = 0;
    const read = async (collection: string, { ids, counted }: Wanted) => {
      const records = new Map<string, StoredRecord>();
      const find = async (some: readonly string[], fields: readonly string[]) => {
        if (some.length === 0) return;
        const projection = Object.fromEntries(fields.map((field) => [field, 1]));
        const found = this.#parts
          .records(collection)
          .find({ _id: { $in: some.map(idText) } }, { projection });
        for await (const record of found) {
          records.set(record._id, record);
          countedBytes += record.d?.length ?? 0;
          if (countedBytes > COUNTED_BYTES_MAX) {
            throw new StoreError(
              'bad-document',
              `Documents of over ${COUNTED_BYTES_MAX} bytes are counted in`,
            );
          }
        }
      };
      const possible = [...ids].filter(isPossibleId);
      const uncounted = possible.filter((id) => !counted.has(id));
      await Promise.all([find(uncounted, STATE_FIELDS), find([...counted], [...STATE_FIELDS, 'd'])]);
      for (const id of ids) draft.note(collection, id, null);
      for (const id of possible) draft.note(collection, id, records.get(idText(id)) ?? null);
    };
    await Promise.all([
      catalog.refresh(),
      this.#writers.enrol(),
      // One for each change, and one for each absent document that is a condition.
      revisions.ensure(changes * 2),
      ...[...wanted].map(([collection, some]) => read(collection, some)),
    ]);
    return draft;
  }

  async #write(group: readonly PendingCommit[], plan: WritePlan, deadlineMs: number): Promise<void> {
    const session = this.#session;
    session.startTransaction({
      readConcern: { level: 'snapshot' },
      writeConcern: { w: 'majority', journal: true },
      readPreference: 'primary',
    });
    try {
      for (const [collection, { operations, expected }] of plan) {
        await this.#bulkWrite(collection, operations, expected);
      }
      // Who has been told that nothing was changed must not be made wrong; timers go off up to a millisecond early.
      if (performance.now() >= deadlineMs || group.some(({ isSettled }) => isSettled)) {
        throw new ConflictError('Too late to commit');
      }
      for (const commit of group) commit.isCommitting = true;
    } catch (error) {
      await session.abortTransaction().catch(() => {});
      throw error;
    }
    try {
      await this.#commit(deadlineMs);
    } finally {
      for (const commit of group) commit.isCommitting = false;
    }
  }

  async #bulkWrite(
    collection: string,
    operations: readonly AnyBulkWriteOperation<StoredRecord>[],
    expected: ExpectedCounts,
  ): Promise<void> {
    const result = await this.#parts.database
      .collection<StoredRecord>(collection)
      .bulkWrite(operations, { session: this.#session });
    const isAsExpected =
      result.insertedCount === expected.inserted &&
      result.matchedCount + result.upsertedCount === expected.updated &&
      result.deletedCount === expected.deleted;
    if (!isAsExpected) throw new ConflictError('A document changed between reading and writing');
  }

  /** @throws a transient error where the transaction is known not to be committed; {@link OUTCOME_OPEN} where nothing is known */
  async #commit(deadlineMs: number): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await this.#session.commitTransaction();
        return;
      } catch (error) {
        if (!isOutcomeOpen(error)) throw error;
        this.#parts.logger.warn('store.commit-repeated', {
          error: error instanceof Error ? error.message : String(error),
        });
        if (performance.now() >= deadlineMs) {
          throw new StoreError('unavailable', OUTCOME_OPEN, { cause: error });
        }
        await this.#pause(tries, deadlineMs);
      }
    }
  }

  async #pause(tries: number, deadlineMs: number): Promise<void> {
    const pauseMs = Math.random() * Math.min(PAUSE_MS_MAX, PAUSE_MS * 2 ** Math.min(tries, 10));
    const leftMs = Math.max(0, deadlineMs - performance.now());
    await new Promise((resolve) => setTimeout(resolve, Math.min(pauseMs, leftMs)));
  }
}

function weigh(draft: Draft, commit: PendingCommit): Verdict {
  try {
    return { outcome: draft.weigh(commit.changes) };
  } catch (error) {
    if (error instanceof StoreError) return { error };
    throw error;
  }
}

interface Wanted {
  readonly ids: Set<string>;
  /** Those of `ids` whose content is needed. */
  readonly counted: Set<string>;
}

function wantedOf(group: readonly PendingCommit[]): Map<string, Wanted> {
  const wanted = new Map<string, Wanted>();
  for (const { changes } of group) {
    for (const { change } of changes) {
      const some = wanted.get(change.collection) ?? { ids: new Set(), counted: new Set() };
      wanted.set(change.collection, some);
      some.ids.add(idOf(change));
      if (change.kind === 'count') some.counted.add(idOf(change));
    }
  }
  return wanted;
}
