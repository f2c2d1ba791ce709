import { epochMsOf, HOUR_MS } from '../../common/index.js';
import type { OperationCounts } from '../operations/index.js';
import { isFailure } from '../operations/index.js';
import { type Batch, type BatchState, isForWhoeverComes } from './batch.js';

/** So long what is not persistent waits for CPEs that are away. */
export const WAIT_MS = HOUR_MS;

type Times = Pick<Batch, 'notBefore' | 'notAfter' | 'endsAtMs'>;

/** When what is not persistent is given up: an hour after it may begin. */
export function endOfWaiting({ notBefore }: Pick<Batch, 'notBefore'>, nowMs: number): number {
  return Math.max(nowMs, msOf(notBefore) ?? nowMs) + WAIT_MS;
}

/** Whether it may begin upgrades by now, and still (half-open). */
export function isBegun({ notBefore }: Pick<Batch, 'notBefore'>, nowMs: number): boolean {
  return (msOf(notBefore) ?? nowMs) <= nowMs;
}

/** As which reason what still waits has failed by now; null: it goes on waiting. */
export function whyOver({ notAfter, endsAtMs }: Times, nowMs: number): 'too-late' | 'not-reached' | null {
  if ((msOf(notAfter) ?? Number.POSITIVE_INFINITY) <= nowMs) return 'too-late';
  return endsAtMs !== undefined && endsAtMs <= nowMs ? 'not-reached' : null;
}

/** What a batch comes to. */
export function batchState(batch: Batch, counts: OperationCounts, nowMs: number): BatchState {
  if (batch.phase === 'preparing') return 'preparing';
  if (batch.isCancelled === true) return 'cancelled';
  const { pending, running, verified, failed, 'timed-out': timedOut, cancelled } = counts.byState;
  const hasBegun = running + verified + failed + timedOut > 0;
  const goesOn = pending + running > 0 || (isForWhoeverComes(batch) && batch.phase !== 'ended');
  if (goesOn) {
    if (hasBegun) return 'in-progress';
    return isBegun(batch, nowMs) ? 'idle' : 'scheduled';
  }
  const hasFailed =
    failed + timedOut > 0 ||
    Object.entries(counts.byReason).some(([reason, count]) => count > 0 && isFailure(reason));
  if (hasFailed) return 'failed';
  return cancelled > 0 ? 'cancelled' : 'success';
}

/** What was checked when it was said. */
function msOf(time: string | undefined): number | null {
  return time === undefined ? null : epochMsOf(time);
}
