import { untilCommitted } from '../../store/index.js';
import { failedFor, type Operation } from '../operations/index.js';
import type { Batch } from './batch.js';
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
    if (batch.whom.kind === 'condition' && batch.phase === 'made') {
      // It waits for whoever may come, until its time is over.
      return whyOver(batch, kept.clock()) !== null;
    }
    if (whyOver(batch, kept.clock()) !== null && (await kept.hasAny(batch.id, ['pending']))) return true;
    return !(await kept.hasAny(batch.id, ['pending', 'running']));
  }

  /** @returns false where it did not come to its end */
  async run(batch: Batch, portioning: Portioning): Promise<boolean> {
    const { kept } = this.#parts;
    const why = whyOver(batch, kept.clock());
    if (why !== null) {
      const after = (operation: Operation, nowMs: number) => failedFor(operation, why, nowMs);
      if (!(await withdrawWaiting(this.#parts, batch, after, portioning))) return false;
    }
    // What runs by the rule of a condition goes on behind a gate that is closed; only nothing begins any more.
    return this.#close(batch, portioning.hold);
  }

  async #close(batch: Batch, hold: Hold): Promise<boolean> {
    const { kept } = this.#parts;
    return untilCommitted(`The batch ${batch.id}`, async () => {
      const [stored, gate] = await Promise.all([kept.batches.get(batch.id), kept.gate(batch.id)]);
      if (stored === null || gate === null || stored.document.phase !== batch.phase) return true;
      if (await kept.hasAny(batch.id, ['pending', 'running'])) return true;
      const { endsAtMs: _, ...rest } = stored.document;
      const { held } = hold;
      const outcome = await kept.store.commit([
        held,
        kept.batches.replacing({ ...rest, phase: 'ended', updatedAtMs: kept.clock() }, stored.revision),
        // What begins meanwhile has required the gate as it was: of the two commits one is refused.
        kept.gateMoved(gate, 'closed'),
      ]);
      if (outcome.committed) return true;
      return outcome.refused === held && hold.held === held ? false : undefined;
    });
  }
}
