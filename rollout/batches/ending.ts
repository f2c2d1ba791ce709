import { OWNED_RULES_PER_COMMIT_MAX } from '../../rules/index.js';
import { untilCommitted } from '../../store/index.js';
import { failedFor, type Operation } from '../operations/index.js';
import { type Batch, isForWhoeverComes } from './batch.js';
import { fleetRuleId } from './batch-rules.js';
import { ownerOf } from './batch-store.js';
import type { Hold } from './hold.js';
import { whyOver } from './state.js';
import { type Portioning, type WithdrawingParts, withdrawWaiting } from './withdrawing.js';

/** Ends batches whose time is over, and those of which nothing waits or runs any more. */
export class Ending {
  readonly #parts: WithdrawingParts;

  constructor(parts: WithdrawingParts) {
    this.#parts = parts;
  }

  /** Whether there is anything to be done. */
  async isDue(batch: Batch): Promise<boolean> {
    const { kept } = this.#parts;
    const isOver = whyOver(batch, kept.clock()) !== null;
    // One by condition waits for whoever may come, until its time is over.
    if (isForWhoeverComes(batch) && batch.phase === 'made') return isOver;
    const { pending, running } = await kept.live(batch.id);
    return (isOver && pending > 0) || pending + running === 0;
  }

  /** @returns false where it did not come to its end */
  async run(batch: Batch, portioning: Portioning): Promise<boolean> {
    const { kept } = this.#parts;
    const why = whyOver(batch, kept.clock());
    if (why !== null) {
      const after = (operation: Operation, nowMs: number) => failedFor(operation, why, nowMs);
      if (!(await withdrawWaiting(this.#parts, batch, after, portioning))) return false;
    }
    for (;;) {
      if (portioning.isOver()) return false;
      const step = await this.#step(batch, portioning.hold);
      if (step !== 'more') return step === 'ended';
    }
  }

  /**
   * Takes back the rules that are left of a batch of which nothing waits or runs, so that no session reads them any more; with the last of
   * them it ends. Each commit requires the batch's counts: where something of it begins, or waits again, meanwhile, it goes on.
   */
  async #step(batch: Batch, hold: Hold): Promise<'more' | 'ended' | 'left'> {
    const { kept, rules } = this.#parts;
    const { id, organization } = batch;
    return untilCommitted(`The batch ${id}`, async () => {
      const [stored, gate, live] = await Promise.all([kept.batches.get(id), kept.gate(id), kept.live(id)]);
      if (stored === null || stored.document.phase !== batch.phase || live.pending + live.running > 0)
        return 'ended';
      const left = await rules.some(ownerOf(id), organization);
      const { held } = hold;
      const isLast = left.length < OWNED_RULES_PER_COMMIT_MAX;
      const fleet = isLast && batch.whom.kind === 'condition' ? [fleetRuleId(batch)] : [];
      const outcome = await rules.withdraw(
        [...left, ...fleet],
        [
          held,
          ...live.held,
          ...(isLast
            ? [
                kept.batches.replacing(ended(stored.document, kept.clock()), stored.revision),
                kept.gateFrom(gate, id, 'closed'),
              ]
            : []),
        ],
      );
      if (outcome.committed) return isLast ? 'ended' : 'more';
      return (await hold.isLost(held, outcome.refused)) ? 'left' : undefined;
    });
  }
}

/** A batch once it has ended. */
function ended(batch: Batch, nowMs: number): Batch {
  const { endsAtMs: _, ...rest } = batch;
  return {
    ...rest,
    phase: 'ended',
    ...(batch.whom.kind === 'condition' && { isOfThoseTriedAgain: true }),
    updatedAtMs: nowMs,
  };
}
