import type { Upgrade } from '../../acs/index.js';
import {
  type BatchId,
  type CpeId,
  cutText,
  type OperationId,
  type OrganizationId,
  type RuleId,
  uuidV5,
} from '../../common/index.js';
import type { UpgradeEnd } from '../../rules/index.js';
import type { Operation, OperationImage, OperationState } from './operation.js';
import { type OperationReason, reasonOfFault, wordsOf } from './reasons.js';

/** Most lines of an operation's log: the last are kept. */
export const OPERATION_LOG_LINES_MAX = 50;
/** Fault strings come from CPEs. */
const TEXT_CHARACTERS_MAX = 500;

/** The id of what a batch has for a CPE: the same for whoever asks. @param batch  a UUID */
export function operationIdOf(batch: BatchId, cpeid: CpeId): OperationId {
  return uuidV5(batch, cpeid) as OperationId;
}

/** Of what a new operation is. */
export interface OperationOf {
  readonly batch: BatchId;
  readonly cpeid: CpeId;
  readonly organization?: OrganizationId;
  readonly ruleId?: RuleId;
  readonly image: OperationImage | null;
}

/** What waits for its CPE, and was not begun. */
export function pendingOperation(of: OperationOf, nowMs: number): Operation {
  return made(of, { state: 'pending' }, 'waits for the device', nowMs);
}

/** What will not be done, as is known from the first. @param detail  the reason in more words */
export function skippedOperation(
  of: OperationOf,
  reason: OperationReason,
  nowMs: number,
  detail: string = wordsOf(reason),
): Operation {
  const told = cutText(detail, TEXT_CHARACTERS_MAX);
  return made(of, { state: 'skipped', reason, detail: told }, `skipped: ${told}`, nowMs);
}

function made(
  of: OperationOf,
  standing: Pick<Operation, 'state' | 'reason' | 'detail'>,
  text: string,
  nowMs: number,
): Operation {
  return {
    id: operationIdOf(of.batch, of.cpeid),
    ...of,
    ...standing,
    attempts: 0,
    log: [{ atMs: nowMs, text }],
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  };
}

/** Nothing will become of it any more, unless it is tried again or proves otherwise. */
export function hasOperationEnded({ state }: Pick<Operation, 'state'>): boolean {
  return state !== 'pending' && state !== 'running';
}

/**
 * Whether an upgrade may begin for an operation that is there. One that a list made runs only while it waits. One that a condition made runs
 * once more where its rule allows that, but not where the rule was restarted for others: those that are meant then wait.
 */
export function mayBegin(
  operation: Operation,
  upgrade: Pick<Upgrade, 'countKey'>,
  isPinned: boolean,
): boolean {
  switch (operation.state) {
    case 'pending':
      return true;
    // Its CPE has no other upgrade under way, or this one could not be reserved: what it runs by its record is gone.
    case 'running':
    case 'failed':
    case 'timed-out':
      return !isPinned && operation.countKey === upgrade.countKey;
    case 'verified':
    case 'cancelled':
    case 'skipped':
      return false;
    default:
      return operation.state satisfies never;
  }
}

/** Its Download is about to be sent. */
export function begun(operation: Operation, upgrade: Upgrade): Operation {
  const { id, countKey, file, fromVersion, startedAtMs } = upgrade;
  const attempts = operation.attempts + 1;
  const from = fromVersion === null ? '' : `, the device runs ${fromVersion}`;
  const text = `attempt ${attempts}: ${file} is sent${from}`;
  return { ...told(operation, 'running', text, startedAtMs), resultId: id, countKey, attempts };
}

/** Its CPE runs the target already: nothing is sent. */
export function foundAtTarget(operation: Operation, upgrade: Upgrade): Operation {
  const { id, countKey, result, startedAtMs } = upgrade;
  return {
    ...told(operation, 'verified', `already runs it: ${result.message}`, startedAtMs),
    resultId: id,
    countKey,
  };
}

/** Nothing will be sent, for a reason that lies in what was asked. */
export function skipped(
  operation: Operation,
  reason: OperationReason,
  nowMs: number,
  detail: string = wordsOf(reason),
): Operation {
  return endedBy(operation, 'skipped', { reason, detail }, `skipped: ${detail}`, nowMs);
}

/** It ends without a word of its CPE. */
export function failedFor(
  operation: Operation,
  reason: OperationReason,
  nowMs: number,
  detail: string = wordsOf(reason),
): Operation {
  return endedBy(operation, 'failed', { reason, detail }, `failed: ${detail}`, nowMs);
}

/** Somebody has taken back what was not sent. @param by  who, for its log */
export function withdrawn(operation: Operation, by: string, nowMs: number): Operation {
  const because = { reason: 'withdrawn', detail: `cancelled by ${by}` } as const;
  return endedBy(operation, 'cancelled', because, because.detail, nowMs);
}

/** Somebody wants it ended although it runs; it runs until its CPE has said so. The same object where that is asked already. */
export function cancelAsked(operation: Operation, by: string, nowMs: number): Operation {
  if (operation.state !== 'running' || operation.cancelAskedAtMs !== undefined) return operation;
  const text = `${by} wants it cancelled: the device is asked to give it up`;
  return { ...noted(operation, text, nowMs), cancelAskedAtMs: nowMs };
}

/** What its CPE is not to be asked any more. The same object where it does not run, or that is known. */
export function tooLateToCancel(operation: Operation): Operation {
  if (operation.state !== 'running' || operation.isTooLateToCancel === true) return operation;
  return { ...operation, isTooLateToCancel: true };
}

/** It is tried again: it waits for its CPE as it did at first, and word of what ran last is believed only where that proves it. */
export function waitingAgain(operation: Operation, by: string, nowMs: number): Operation {
  return told(operation, 'pending', `${by} has it tried again`, nowMs);
}

/**
 * The operation after an upgrade of its CPE by its batch's rule has ended, or was found to have ended otherwise; the same object where that
 * is not what it stands or falls with. Its own last upgrade moves it. What is heard late of an earlier one moves it only where that proves
 * that the CPE runs the target, and nothing else is under way.
 * @param previously  how that upgrade was counted before; absent: it was running
 */
export function afterEnd(
  operation: Operation,
  upgrade: Upgrade,
  end: UpgradeEnd,
  previously?: UpgradeEnd,
): Operation {
  const isOwn = operation.resultId === upgrade.id;
  if (operation.state === 'running') {
    return isOwn ? ended(operation, upgrade, end) : operation;
  }
  if (end === 'verified') return operation.state === 'verified' ? operation : ended(operation, upgrade, end);
  // It stands as this upgrade left it: not tried again, and not cancelled since.
  return isOwn && operation.state === previously ? ended(operation, upgrade, end) : operation;
}

function ended(operation: Operation, upgrade: Upgrade, end: UpgradeEnd): Operation {
  const { id, result, updatedAtMs } = upgrade;
  const detail = result.message;
  switch (end) {
    case 'given-back':
      // Whoever wants it cancelled has that at once, as nothing is under way any more.
      if (operation.cancelAskedAtMs !== undefined)
        return endedBy(operation, 'cancelled', { reason: 'withdrawn', detail }, detail, updatedAtMs);
      return told(operation, 'pending', `the device is busy, it waits again: ${detail}`, updatedAtMs);
    case 'verified':
      return { ...told(operation, 'verified', detail, updatedAtMs), resultId: id };
    case 'failed':
      return endedBy(operation, 'failed', { reason: whyFailed(upgrade), detail }, detail, updatedAtMs);
    case 'timed-out':
      return endedBy(operation, 'timed-out', { reason: 'not-heard-of', detail }, detail, updatedAtMs);
    case 'cancelled':
      return endedBy(operation, 'cancelled', { reason: 'withdrawn', detail }, detail, updatedAtMs);
    default:
      return end satisfies never;
  }
}

/** Why an upgrade has failed: what its CPE said, or how that was seen. */
export function whyFailed({
  fault,
  notReached,
  concludedFrom,
  fromVersion,
}: Pick<Upgrade, 'fault' | 'notReached' | 'concludedFrom' | 'fromVersion'>): OperationReason {
  if (fault !== undefined) return reasonOfFault(fault);
  if (notReached) return 'not-reached';
  return concludedFrom !== undefined && concludedFrom === fromVersion ? 'old-version' : 'other-version';
}

function endedBy(
  operation: Operation,
  state: OperationState,
  { reason, detail }: { readonly reason: OperationReason; readonly detail: string },
  text: string,
  atMs: number,
): Operation {
  const after = told(operation, state, text, atMs);
  return { ...after, reason, detail: cutText(detail, TEXT_CHARACTERS_MAX) };
}

/** In another state, and so without what was said of the one before. */
function told(operation: Operation, state: OperationState, text: string, atMs: number): Operation {
  const {
    reason: _,
    detail: _detail,
    cancelAskedAtMs: _asked,
    isTooLateToCancel: _late,
    ...rest
  } = noted(operation, text, atMs);
  return { ...rest, state };
}

function noted(operation: Operation, text: string, atMs: number): Operation {
  const line = { atMs, text: cutText(text, TEXT_CHARACTERS_MAX) };
  const log = [...operation.log, line].slice(-OPERATION_LOG_LINES_MAX);
  return { ...operation, log, updatedAtMs: atMs };
}
