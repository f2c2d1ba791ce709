import type { BatchId } from '../../common/index.js';
import type { Actor } from '../../events/index.js';
import type { OwnedRules } from '../../rules/index.js';
import { type Stored, untilCommitted } from '../../store/index.js';
import type { Operation, OperationLedger } from '../operations/index.js';
import type { Batch } from './batch.js';
import { fleetRuleId } from './batch-rules.js';
import { type BatchStore, shown } from './batch-store.js';
import { notFound } from './batches.js';
import type { Hold } from './hold.js';
import { ownRules, type Portioning } from './withdrawing.js';

export interface RemovingParts {
  readonly kept: BatchStore;
  readonly ledger: Pick<OperationLedger, 'removing' | 'droppingCounts'>;
  readonly rules: Pick<OwnedRules, 'withdraw'>;
}

/** Deletes batches with their operations and rules; the results of their upgrades stay. */
export class Removing {
  readonly #parts: RemovingParts;

  constructor(parts: RemovingParts) {
    this.#parts = parts;
  }

  /**
   * Closes a batch and hides it: from that commit on nobody sees it, and nothing of it begins.
   * @param by  null: it has grown old, or was never made
   * @throws BatchError `not-found`
   */
  async hide(id: BatchId, by: Actor | null): Promise<Batch> {
    const { kept } = this.#parts;
    return untilCommitted(`The batch ${id}`, async () => {
      const stored = await kept.seen(id);
      if (stored === null) throw notFound();
      const { listedAtMs: _, endsAtMs: _ends, ...rest } = stored.document;
      const after: Batch = { ...rest, phase: 'removing', updatedAtMs: kept.clock() };
      const { committed } = await kept.store.commit([
        kept.batches.replacing(after, stored.revision),
        kept.gatePut(id, 'closed'),
        ...(by === null && wasNeverSeen(stored.document)
          ? []
          : [kept.noting('removed', stored.document, { by, before: shown(stored.document) })]),
      ]);
      return committed ? after : undefined;
    });
  }

  /** Deletes what is left of a batch that is hidden, but for what runs: that goes once it has ended. */
  async run(batch: Batch, { hold, isOver }: Portioning): Promise<void> {
    for await (const portion of this.#parts.kept.portions({ batch: batch.id }))
      if (isOver() || !(await this.#remove(batch, portion, hold))) return;
    if (!(await this.#parts.kept.hasOperations(batch.id))) await this.#finish(batch, hold);
  }

  /** @returns false where the batch is another's by now */
  async #remove(batch: Batch, portion: readonly Stored<Operation>[], hold: Hold): Promise<boolean> {
    const { kept, ledger, rules } = this.#parts;
    return untilCommitted(`The batch ${batch.id}`, async () => {
      const now = await kept.operationsWith(portion.map(({ document }) => document.id));
      const gone = now.flatMap((stored) =>
        stored === null || stored.document.state === 'running' ? [] : [stored],
      );
      if (gone.length === 0) return true;
      const { held } = hold;
      const outcome = await rules.withdraw(ownRules(batch, gone), [held, ...ledger.removing(gone)]);
      if (outcome.committed) return true;
      return (await hold.isLost(held, outcome.refused)) ? false : undefined;
    });
  }

  async #finish(batch: Batch, hold: Hold): Promise<void> {
    const { kept, ledger, rules } = this.#parts;
    await untilCommitted(`The batch ${batch.id}`, async () => {
      const [stored, gate] = await Promise.all([kept.batches.get(batch.id), kept.gate(batch.id)]);
      if (stored === null) return true;
      const { held } = hold;
      const outcome = await rules.withdraw(batch.whom.kind === 'condition' ? [fleetRuleId(batch)] : [], [
        held,
        kept.batches.deleting(batch.id, stored.revision),
        ...(gate === null ? [] : [kept.gateRemoved(gate)]),
        ...(await ledger.droppingCounts(batch.id)),
      ]);
      // Where it is another's by now that one sees to it.
      return outcome.committed || (await hold.isLost(held, outcome.refused)) || undefined;
    });
  }
}

/** One that is made at once is noted as added once all of it is there. */
function wasNeverSeen({ whom, phase }: Batch): boolean {
  return whom.kind === 'list' && phase === 'preparing';
}
