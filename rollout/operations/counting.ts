import type { BatchId, OperationId } from '../../common/index.js';
import type { Change, Collection } from '../../store/index.js';
import {
  OPERATION_SHARES_OF_A_BATCH,
  OPERATION_STATES,
  type Operation,
  type OperationCounts,
  type OperationShare,
  type OperationState,
} from './operation.js';

const REASON_PREFIX = 'reason:';
const HEX = 16;

/** The ids of the documents that hold a batch's counts. */
export function shareIdsOf(batch: BatchId): readonly string[] {
  return Array.from({ length: OPERATION_SHARES_OF_A_BATCH }, (_, share) => `${batch}/${share}`);
}

/** Which of these counts an operation: its id is a hash already, whose first digit is one of sixteen. */
export function shareIdOf({ id, batch }: { readonly id: OperationId; readonly batch: BatchId }): string {
  return `${batch}/${Number.parseInt(id.slice(0, 1), HEX) % OPERATION_SHARES_OF_A_BATCH}`;
}

/** What operations are counted as that appear, go, or change: one change for each share that they are in. */
export class CountTally {
  readonly #shares = new Map<string, Map<string, number>>();

  add(operation: Operation): void {
    this.#count(operation, 1);
  }

  remove(operation: Operation): void {
    this.#count(operation, -1);
  }

  /** How many shares it is about. */
  get size(): number {
    return this.#shares.size;
  }

  changes(shares: Pick<Collection<OperationShare>, 'counting'>): readonly Change[] {
    return [...this.#shares].flatMap(([id, amounts]) => {
      const moved = [...amounts].filter(([, amount]) => amount !== 0);
      return moved.length === 0 ? [] : [shares.counting(id, Object.fromEntries(moved))];
    });
  }

  #count(operation: Operation, sign: 1 | -1): void {
    const id = shareIdOf(operation);
    const amounts = this.#shares.get(id) ?? new Map<string, number>();
    this.#shares.set(id, amounts);
    for (const field of fieldsOf(operation)) amounts.set(field, (amounts.get(field) ?? 0) + sign);
  }
}

/** The sum of a batch's shares. */
export function countsOf(shares: readonly OperationShare[]): OperationCounts {
  const byState = new Map<string, number>(OPERATION_STATES.map((state) => [state, 0]));
  const byReason = new Map<string, number>();
  for (const [field, amount] of shares.flatMap((share) => Object.entries(share))) {
    if (typeof amount !== 'number' || amount === 0) continue;
    if (field.startsWith(REASON_PREFIX)) addTo(byReason, field.slice(REASON_PREFIX.length), amount);
    else addTo(byState, field, amount);
  }
  const inState = (state: OperationState): number => byState.get(state) ?? 0;
  return {
    total: OPERATION_STATES.reduce((sum, state) => sum + inState(state), 0),
    byState: {
      pending: inState('pending'),
      running: inState('running'),
      verified: inState('verified'),
      failed: inState('failed'),
      'timed-out': inState('timed-out'),
      cancelled: inState('cancelled'),
      skipped: inState('skipped'),
    },
    byReason: Object.fromEntries([...byReason].filter(([, amount]) => amount !== 0).sort()),
  };
}

function addTo(counts: Map<string, number>, field: string, amount: number): void {
  counts.set(field, (counts.get(field) ?? 0) + amount);
}

function fieldsOf({ state, reason }: Operation): readonly string[] {
  return reason === undefined ? [state] : [state, `${REASON_PREFIX}${reason}`];
}
