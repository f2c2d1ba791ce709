import type { OwnedRules } from '../../rules/index.js';
import { type Stored, untilCommitted } from '../../store/index.js';
import type { Operation, OperationLedger, OperationState } from '../operations/index.js';
import type { Batch } from './batch.js';
import { fleetRuleId } from './batch-rules.js';
import type { BatchStore } from './batch-store.js';
import type { Hold } from './hold.js';

export interface WithdrawingParts {
  readonly kept: BatchStore;
  readonly ledger: Pick<OperationLedger, 'moving'>;
  readonly rules: Pick<OwnedRules, 'withdraw' | 'some'>;
}

/** Of whoever writes portions of a batch. */
export interface Portioning {
  readonly hold: Hold;
  /** Asked between portions: true ends it there, and another goes on. */
  readonly isOver: () => boolean;
}

/**
 * Moves what waits to where it will not be begun any more, portion by portion, and takes back its rules in the same commits. What was begun
 * meanwhile stays.
 * @param after  what becomes of an operation
 * @returns false where it did not come to its end
 */
export async function withdrawWaiting(
  parts: WithdrawingParts,
  batch: Batch,
  after: (operation: Operation, nowMs: number) => Operation,
  { hold, isOver }: Portioning,
): Promise<boolean> {
  for await (const portion of parts.kept.portions({ batch: batch.id, state: 'pending' })) {
    if (isOver()) return false;
    if (!(await withdrawPortion(parts, batch, portion, after, hold))) return false;
  }
  return true;
}

/** @returns false where the batch is another's by now */
export async function withdrawPortion(
  { kept, ledger, rules }: WithdrawingParts,
  batch: Batch,
  portion: readonly Stored<Operation>[],
  after: (operation: Operation, nowMs: number) => Operation,
  hold: Hold,
): Promise<boolean> {
  return untilCommitted(`The batch ${batch.id}`, async () => {
    const waiting = await stillIn(kept, portion, ['pending']);
    if (waiting.length === 0) return true;
    const nowMs = kept.clock();
    const moves = waiting.map((stored) => ({ stored, after: after(stored.document, nowMs) }));
    const { held } = hold;
    const outcome = await rules.withdraw(ownRules(batch, waiting), [held, ...ledger.moving(moves)]);
    if (outcome.committed) return true;
    return (await hold.isLost(held, outcome.refused)) ? false : undefined;
  });
}

/**
 * Takes back the fleet rule of a batch by condition that was cancelled: whoever is tried again gets a rule of its own.
 * @returns false where the batch is another's by now
 */
export async function withdrawFleetRule(
  { rules }: WithdrawingParts,
  batch: Batch,
  hold: Hold,
): Promise<boolean> {
  if (batch.whom.kind !== 'condition') return true;
  return untilCommitted(`The batch ${batch.id}`, async () => {
    const { held } = hold;
    const outcome = await rules.withdraw([fleetRuleId(batch)], [held]);
    if (outcome.committed) return true;
    return (await hold.isLost(held, outcome.refused)) ? false : undefined;
  });
}

/** Those of a portion that are in one of these states by now, as they are. */
export async function stillIn(
  kept: BatchStore,
  portion: readonly Stored<Operation>[],
  states: readonly OperationState[],
): Promise<readonly Stored<Operation>[]> {
  const now = await kept.operationsWith(portion.map(({ document }) => document.id));
  return now.flatMap((stored) => (stored !== null && states.includes(stored.document.state) ? [stored] : []));
}

/** The rules that are of these operations alone: that of a batch by condition is everybody's. */
export function ownRules(batch: Batch, operations: readonly Stored<Operation>[]) {
  const fleet = fleetRuleId(batch);
  return operations.flatMap(({ document: { ruleId } }) =>
    ruleId === undefined || ruleId === fleet ? [] : [ruleId],
  );
}
