import { newestFirst, type Upgrade } from '../../acs/index.js';
import type { UpgradeEnd } from '../../rules/index.js';
import type { Operation } from './operation.js';
import { afterEnd, begun, foundAtTarget } from './operation-life.js';

/**
 * An operation brought forward to an upgrade of its CPE by its batch's rule, which may have begun, ended or been corrected after the operation
 * was read. To be told of all of these, the oldest first; the same object where it knows already.
 * @param last  the upgrade that the operation names; null: it names none, or that is gone
 */
export function broughtForward(operation: Operation, upgrade: Upgrade, last: Upgrade | null): Operation {
  if (operation.resultId === upgrade.id) return asEnded(operation, upgrade);
  if (!isLater(upgrade, operation, last)) return operation;
  const end = endOf(upgrade);
  // What has no share of its rule's counts was never sent.
  if (end === 'verified' && upgrade.share === undefined) return foundAtTarget(operation, upgrade);
  const running = begun(operation, upgrade);
  return end === null ? running : afterEnd(running, upgrade, end);
}

function isLater(upgrade: Upgrade, operation: Operation, last: Upgrade | null): boolean {
  if (operation.resultId === undefined) return true;
  if (last !== null) return newestFirst(upgrade, last) < 0;
  return upgrade.startedAtMs > operation.updatedAtMs;
}

/** By the upgrade that it names. */
function asEnded(operation: Operation, upgrade: Upgrade): Operation {
  const end = endOf(upgrade);
  switch (operation.state) {
    case 'running':
      return end === null ? operation : afterEnd(operation, upgrade, end);
    // What was given back, or is to be tried again, has ended without success and waits all the same.
    case 'pending':
    case 'failed':
    case 'cancelled':
    case 'skipped':
      return end === 'verified' ? afterEnd(operation, upgrade, end) : operation;
    case 'timed-out':
    case 'verified':
      return end === null || end === operation.state
        ? operation
        : afterEnd(operation, upgrade, end, operation.state);
    default:
      return operation.state satisfies never;
  }
}

function endOf({ state }: Upgrade): Exclude<UpgradeEnd, 'given-back'> | null {
  switch (state) {
    case 'sent':
    case 'accepted':
    case 'transferred':
      return null;
    case 'verified':
    case 'failed':
    case 'timed-out':
    case 'cancelled':
      return state;
    default:
      return state satisfies never;
  }
}
