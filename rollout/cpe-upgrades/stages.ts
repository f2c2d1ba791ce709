import type { Upgrade } from '../../acs/index.js';
import { type Operation, type OperationReason, whyFailed, wordsOf } from '../operations/index.js';
import type { CpeUpgrade, CpeUpgradeStage } from './cpe-upgrade.js';

type Failure = NonNullable<CpeUpgrade['failure']>;

/** Where an upgrade is of which something was sent, or that was found to be done. */
export function stageOfUpgrade({ state }: Pick<Upgrade, 'state'>): CpeUpgradeStage {
  switch (state) {
    case 'sent':
    case 'accepted':
      return 'sent';
    case 'timed-out':
      return 'not-heard-of';
    case 'transferred':
    case 'verified':
    case 'failed':
    case 'cancelled':
      return state;
    default:
      return state satisfies never;
  }
}

/** Why it ended as it did; null where it has not, or is verified. */
export function failureOfUpgrade(upgrade: Upgrade): Failure | null {
  const { state, fault = null, result } = upgrade;
  const failed = (reason: OperationReason): Failure => ({ code: fault, reason, text: result.message });
  switch (state) {
    case 'sent':
    case 'accepted':
    case 'transferred':
    case 'verified':
      return null;
    case 'failed':
      return failed(whyFailed(upgrade));
    case 'timed-out':
      return failed('not-heard-of');
    case 'cancelled':
      return failed('withdrawn');
    default:
      return state satisfies never;
  }
}

/** Where what a batch has for a CPE is, by itself: nothing of it was sent since it waited last. */
export function stageOfOperation({ state, reason }: Pick<Operation, 'state' | 'reason'>): CpeUpgradeStage {
  switch (state) {
    case 'pending':
      return 'waiting';
    case 'running':
      return 'sent';
    case 'failed':
      // What ran when its CPE was deleted was sent.
      return reason === 'device-gone' ? 'failed' : 'refused';
    case 'skipped':
      return 'refused';
    case 'timed-out':
      return 'not-heard-of';
    case 'verified':
    case 'cancelled':
      return state;
    default:
      return state satisfies never;
  }
}

/** Why it ended so, in the batch's words. */
export function failureOfOperation({ reason, detail }: Pick<Operation, 'reason' | 'detail'>): Failure | null {
  return reason === undefined ? null : { code: null, reason, text: detail ?? wordsOf(reason) };
}
