import type { CwmpNamespace } from '../soap/index.js';
import type { Upgrade } from './upgrade.js';

/** A CPE that answers with passing faults, or nothing that can be read, is asked so often. */
export const WITHDRAWAL_TRIES_MAX = 3;

export const WITHDRAWN_MESSAGE = 'Upgrade was cancelled: withdrawn before the device began';

/**
 * What a CPE that was asked has answered. `given-up`: what it had of the Download is gone. `refused`: it goes on with it. `failed`: neither, and
 * it may be asked again.
 */
export type WithdrawalOutcome = 'given-up' | 'refused' | 'failed';

export function isWithdrawn({ withdrawal }: Pick<Upgrade, 'withdrawal'>): boolean {
  return withdrawal !== undefined;
}

/** Whether its CPE is still to be asked to give it up. */
export function isWithdrawalDue({ state, withdrawal }: Pick<Upgrade, 'state' | 'withdrawal'>): boolean {
  if (state !== 'sent' && state !== 'accepted') return false;
  return withdrawal !== undefined && withdrawal.isRefused !== true && withdrawal.tries < WITHDRAWAL_TRIES_MAX;
}

/** The upgrade after an answer by which it goes on, for now or for good. */
export function answered(upgrade: Upgrade, outcome: Exclude<WithdrawalOutcome, 'given-up'>): Upgrade {
  const { withdrawal } = upgrade;
  if (withdrawal === undefined) return upgrade;
  switch (outcome) {
    case 'refused':
      return withdrawal.isRefused === true
        ? upgrade
        : { ...upgrade, withdrawal: { ...withdrawal, isRefused: true } };
    case 'failed':
      return { ...upgrade, withdrawal: { ...withdrawal, tries: withdrawal.tries + 1 } };
    default:
      return outcome satisfies never;
  }
}

/** CancelTransfer came with cwmp-1-2: in an older namespace there is no such message. */
export function hasCancelTransfer(namespace: CwmpNamespace): boolean {
  return namespace !== 'urn:dslforum-org:cwmp-1-0' && namespace !== 'urn:dslforum-org:cwmp-1-1';
}
