import type {
  BatchId,
  CountKey,
  CpeId,
  OperationId,
  OrganizationId,
  ResultId,
  RuleId,
} from '../../common/index.js';
import type { CollectionDefinition, Document } from '../../store/index.js';

/**
 * What became of one CPE of a batch. `pending`: nothing was sent yet. `skipped`: nothing will be, whatever the CPE does (`reason` says why).
 * The others as the states of an upgrade.
 */
export const OPERATION_STATES = [
  'pending',
  'running',
  'verified',
  'failed',
  'timed-out',
  'cancelled',
  'skipped',
] as const;
export type OperationState = (typeof OPERATION_STATES)[number];

/** An image as an operation names it. */
export interface OperationImage {
  /** Its number in the installation: its own for good. */
  readonly number: number;
  readonly name: string;
  /** Whose it is; absent: a shared one. */
  readonly organization?: string;
}

/** One CPE of one batch: moved in the commits that move its upgrade. */
export interface Operation extends Document {
  readonly id: OperationId;
  readonly batch: BatchId;
  readonly cpeid: CpeId;
  /** Whose CPE it is, as it was when the operation was made; absent: the default's. Who may see it goes by this. */
  readonly organization?: OrganizationId;
  /** By which rule it acts; absent where it was skipped from the first. */
  readonly ruleId?: RuleId;
  /** What is to be sent; null once that image is gone. */
  readonly image: OperationImage | null;
  readonly state: OperationState;
  /** Of an end that is no success, from a bounded list: `fault-9010`, `old-version`, `not-heard-of`, `does-not-fit`, `unknown-device` … */
  readonly reason?: string;
  /** The same in words, for people. */
  readonly detail?: string;
  /** The upgrade that runs, or ran last. */
  readonly resultId?: ResultId;
  /** What that was counted against: another once its rule was restarted. */
  readonly countKey?: CountKey;
  /** How often it was begun. */
  readonly attempts: number;
  /** What has happened, oldest first, a line each; the last 50. */
  readonly log: readonly { readonly atMs: number; readonly text: string }[];
  /** Somebody wants it ended although it is running: CancelTransfer is due. */
  readonly cancelAskedAtMs?: number;
  /** Its CPE has the file, or goes on with it: nobody need ask again. */
  readonly isTooLateToCancel?: true;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/**
 * In which order there are operations: `list` is all, newest first. Those by state are beside those that are not, as what moves from one
 * state to another while somebody pages through would be missed by them.
 */
export const OPERATIONS: CollectionDefinition = {
  name: 'operations',
  indexes: {
    list: ['createdAtMs'],
    state: ['state', 'createdAtMs'],
    organization: ['organization', 'createdAtMs'],
    // Of CPEs of the default, where there is no other organization, nothing is in these.
    organizationState: ['organization', 'state', 'createdAtMs'],
    batch: ['batch', 'createdAtMs'],
    batchState: ['batch', 'state', 'createdAtMs'],
    batchReason: ['batch', 'reason', 'createdAtMs'],
    cpe: ['cpeid', 'createdAtMs'],
    image: ['image.number', 'createdAtMs'],
    result: ['resultId'],
  },
};

/** A sixteenth of a batch's counts: the id is `{batch}/{share}`; fields are {@link OperationState}s and `reason:{reason}`, all numbers. */
export interface OperationShare extends Document {
  readonly [count: string]: number | string;
}

export const OPERATION_SHARES: CollectionDefinition = { name: 'operation-shares', indexes: {} };
export const OPERATION_SHARES_OF_A_BATCH = 16;

/** What a batch has come to; of {@link OPERATION_SHARES_OF_A_BATCH} documents, whatever its size. */
export interface OperationCounts {
  readonly total: number;
  readonly byState: Readonly<Record<OperationState, number>>;
  /** Of those that failed, timed out, were cancelled or skipped. */
  readonly byReason: Readonly<Record<string, number>>;
}
