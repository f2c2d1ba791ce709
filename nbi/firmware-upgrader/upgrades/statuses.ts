import type { Upgrade } from '../../../acs/index.js';
import type { UpgraderVersion } from '../../../firmware/index.js';
import {
  type BatchState,
  OPERATION_STATES,
  type Operation,
  type OperationCounts,
  type OperationState,
} from '../../../rollout/index.js';

export type OperationStatus = 'in-progress' | 'success' | 'failed' | 'aborted' | 'cancelled';
export type BatchStatus = 'idle' | 'in-progress' | 'success' | 'failed' | 'cancelled';

/** What a state of an operation is called; version 1.2 knows nobody who cancels. */
export function operationStatus(state: OperationState, version: UpgraderVersion): OperationStatus {
  switch (state) {
    case 'pending':
    case 'running':
      return 'in-progress';
    case 'verified':
      return 'success';
    case 'failed':
    case 'timed-out':
      return 'failed';
    case 'skipped':
      return 'aborted';
    case 'cancelled':
      return version === '1.2' ? 'aborted' : 'cancelled';
    default:
      return state satisfies never;
  }
}

/** All that an operation can be called, in the order of the reference. */
export function operationStatuses(version: UpgraderVersion): readonly OperationStatus[] {
  const all: readonly OperationStatus[] = ['in-progress', 'success', 'failed', 'aborted'];
  return version === '1.2' ? all : [...all, 'cancelled'];
}

/** All that a batch can be called, in the order of the reference. */
export function batchStatuses(version: UpgraderVersion): readonly BatchStatus[] {
  const all: readonly BatchStatus[] = ['idle', 'in-progress', 'success', 'failed'];
  return version === '1.2' ? all : [...all, 'cancelled'];
}

/** Which states are called so. */
export function statesOf(status: string, version: UpgraderVersion): readonly OperationState[] {
  return OPERATION_STATES.filter((state) => operationStatus(state, version) === status);
}

/** What a batch is called. Of version 1.2 it fails by operations that have failed alone, and one that came to nobody never ends. */
export function batchStatus(
  state: BatchState,
  { total, byState }: Pick<OperationCounts, 'total' | 'byState'>,
  version: UpgraderVersion,
): BatchStatus {
  switch (state) {
    case 'preparing':
    case 'scheduled':
    case 'idle':
      return 'idle';
    case 'in-progress':
      return 'in-progress';
    case 'success':
    case 'failed':
    case 'cancelled':
      if (version !== '1.2') return state;
      if (total === 0) return 'in-progress';
      return byState.failed + byState['timed-out'] > 0 ? 'failed' : 'success';
    default:
      return state satisfies never;
  }
}

/** How many operations there are, and how many have come to what. */
export interface Report {
  readonly total: number;
  readonly byStatus: Readonly<Record<OperationStatus, number>>;
}

export function reportOf(
  byState: Readonly<Record<OperationState, number>>,
  version: UpgraderVersion,
): Report {
  const byStatus = { 'in-progress': 0, success: 0, failed: 0, aborted: 0, cancelled: 0 };
  let total = 0;
  for (const state of OPERATION_STATES) {
    byStatus[operationStatus(state, version)] += byState[state];
    total += byState[state];
  }
  return { total, byStatus };
}

/** `3 out of 4`: those that have ended, of all. */
export function progressReport({ total, byStatus }: Report): string {
  return `${total - byStatus['in-progress']} out of ${total}`;
}

const PERCENT = 100;

/** In percent, cut off behind the point; 0 of none. */
export function rateOf({ total, byStatus }: Report, status: OperationStatus): number {
  return total === 0 ? 0 : Math.trunc((byStatus[status] * PERCENT) / total);
}

/** How far an operation is, at the marks where the reference has it: connected, file being fetched, flashing, come back. */
const MARKS = { waiting: 0, sent: 10, accepted: 20, transferred: 65, back: 90, done: 100 } as const;
/** From here on nobody can stop it. */
export const FLASHING = MARKS.transferred;

/**
 * How far an operation is, or had come when it ended without success; in percent.
 * @param upgrade  that runs for it or ran last; null: none, or its result is gone
 */
export function progressOf(
  { state, attempts }: Pick<Operation, 'state' | 'attempts'>,
  upgrade: Pick<Upgrade, 'state' | 'concludedFrom' | 'fault'> | null,
): number {
  switch (state) {
    case 'verified':
      return MARKS.done;
    case 'pending':
    case 'skipped':
      return MARKS.waiting;
    case 'running':
    case 'failed':
    case 'timed-out':
    case 'cancelled':
      if (attempts === 0) return MARKS.waiting;
      return upgrade === null ? MARKS.sent : progressOfUpgrade(upgrade);
    default:
      return state satisfies never;
  }
}

function progressOfUpgrade({
  state,
  concludedFrom,
  fault,
}: Parameters<typeof progressOf>[1] & object): number {
  switch (state) {
    case 'sent':
      return MARKS.sent;
    case 'accepted':
      return MARKS.accepted;
    case 'transferred':
      return MARKS.transferred;
    case 'verified':
      return MARKS.done;
    case 'failed':
    case 'timed-out':
    case 'cancelled':
      // It came back with a version that was not awaited.
      if (concludedFrom !== undefined) return MARKS.back;
      return fault === undefined ? MARKS.sent : MARKS.accepted;
    default:
      return state satisfies never;
  }
}
