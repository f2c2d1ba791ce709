import type { BatchId, OperationId, Turn } from '../../common/index.js';
import type { Actor } from '../../events/index.js';
import type { Condition, Limits } from '../../rules/index.js';
import type { OperationCounts } from '../operations/index.js';
import type { Batch, BatchState, BatchThrough, BatchWhat, Progress } from './batch.js';
import type { BatchTarget } from './targets.js';

/** Most characters of a batch's name. */
export const BATCH_NAME_CHARACTERS_MAX = 200;

/** Most characters of what is said of a batch. */
export const BATCH_NOTE_CHARACTERS_MAX = 1_000;

/** Whom a new batch is for. */
export type NewWhom =
  /** As they come: a list of any length is never held as a whole. A serial number may stand for a cpeid where it names one CPE. */
  | { readonly kind: 'list'; readonly cpeids: AsyncIterable<string> | Iterable<string> }
  | { readonly kind: 'all' }
  | { readonly kind: 'condition'; readonly condition: Condition }
  | { readonly kind: 'build'; readonly firmwareless: boolean }
  /**
   * Those that whoever makes it has looked at already; stored and made as a list is. Where an `along` of theirs is refused nothing is left
   * of the batch.
   */
  | { readonly kind: 'targets'; readonly targets: (batch: BatchId) => AsyncIterable<BatchTarget> };

export interface NewBatch {
  readonly name: string;
  readonly what: BatchWhat;
  readonly whom: NewWhom;
  readonly notBefore?: string;
  readonly notAfter?: string;
  /** True unless said. */
  readonly persistent?: boolean;
  readonly limits?: Limits;
  /** 0 unless said. */
  readonly priority?: number;
  /** 10 unless said. */
  readonly wakePerSecond?: number;
  readonly options?: Readonly<Record<string, boolean>>;
  /** True unless said: whether lists of batches show it. */
  readonly listed?: boolean;
  /** The id of the organization that it becomes a thing of; absent: the installation's. */
  readonly organization?: string;
  /** Through which API it is made. */
  readonly through?: BatchThrough;
  /** What whoever makes it says of it; at most {@link BATCH_NOTE_CHARACTERS_MAX} characters. */
  readonly note?: string;
}

export type BatchErrorCode =
  | 'not-found'
  | 'invalid'
  /** The image or build that it names is not there. */
  | 'no-image'
  | 'no-build'
  /** It is not in a state in which that can be done. */
  | 'state'
  /** The CPE's Download is being carried out already. */
  | 'under-way'
  /** What it was to be made along with has moved meanwhile: plan anew. */
  | 'moved';

/** What is wrong with what was asked of a batch; each API words it. */
export class BatchError extends Error {
  override readonly name = 'BatchError';
  constructor(
    readonly code: BatchErrorCode,
    readonly field: string | null,
    /** What should be there, or how to go on. */
    readonly expected: string,
  ) {
    super(field === null ? expected : `${field}: ${expected}`);
  }
}

/** Where nobody sees the batch or operation that was asked for. */
export function notFound(): BatchError {
  return new BatchError('not-found', null, 'one that there is');
}

/** Where somebody else has the batch, or has changed it meanwhile. */
export function busy(): BatchError {
  return new BatchError('state', null, 'a batch that nobody else changes: somebody does; try again');
}

/** Which operations are started again. */
export interface RetryFilter {
  readonly reason?: string;
  readonly operation?: OperationId;
}

export interface BatchPlace {
  readonly createdAtMs: number;
  readonly id: string;
}

export interface BatchFilter {
  readonly build?: string;
  /** Only those of this organization; null: only the installation's own; absent: all. */
  readonly organization?: string | null;
  readonly after?: BatchPlace;
}

/** Batches of upgrades: made, watched, cancelled and tried again. */
export interface Batches {
  /**
   * Stores a batch that nothing decides on yet, and makes it in portions. Of a list it resolves when all is made, as only the caller has it;
   * of all others once it is stored: it is made in the background, and another process goes on with it where this one dies.
   * @throws BatchError `invalid`, `no-image`, `no-build`, `moved`; OrganizationError; whatever the list throws, and then nothing is left of it
   */
  create(batch: NewBatch, by: Actor): Promise<Batch>;
  /** Resolves once this process makes or withdraws nothing of it any more. */
  made(id: BatchId): Promise<void>;
  get(id: BatchId): Promise<Batch | null>;
  /** Newest first, ties by id; those that are listed. */
  scan(filter: BatchFilter, turn?: Turn): AsyncIterable<Batch>;
  /** @returns null where there is none */
  progress(id: BatchId): Promise<Progress | null>;
  /** What people are told of one that was read. @param counts  those of its operations */
  stateOf(batch: Batch, counts: OperationCounts): BatchState;
  /**
   * Withdraws what has not been sent, in one commit that no node can send after; what is under way goes on, and is asked to be given up where
   * the CPE has not begun (CancelTransfer). Without effect where it is cancelled already, or has ended.
   * @throws BatchError `not-found`
   */
  cancel(id: BatchId, by: Actor): Promise<Batch>;
  /**
   * The same for one CPE.
   * @returns the state that its operation has now: `running` where the CPE is to be asked first
   * @throws BatchError `not-found`; `state` where it has ended; `under-way` where the file was transferred
   */
  cancelOne(id: OperationId, by: Actor): Promise<'cancelled' | 'running'>;
  /**
   * The same, but only where nothing was sent to it.
   * @returns whether it was cancelled: false where something was sent, or it has ended
   * @throws BatchError `not-found`
   */
  cancelWaiting(id: OperationId, by: Actor): Promise<boolean>;
  /**
   * Starts again what has failed, timed out or was cancelled; what was verified, runs or waits stays. Opens the batch again.
   * @returns how many operations wait again
   * @throws BatchError `not-found`; `state` while it is being made, or where its time is over
   */
  retry(id: BatchId, filter: RetryFilter, by: Actor): Promise<number>;
  /** Cancels it, and deletes it with its rules and operations once nothing of it runs; results stay. @throws BatchError `not-found`, `state` */
  remove(id: BatchId, by: Actor): Promise<void>;
  /** What is due of all batches: those that end or have grown old, what waits for nobody, what a dead process left: one round of all of that. */
  round(): Promise<void>;
  close(): Promise<void>;
}
