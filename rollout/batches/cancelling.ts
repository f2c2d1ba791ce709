import type { Upgrades } from '../../acs/index.js';
import type { BatchId, CpeId, OperationId } from '../../common/index.js';
import type { Actor } from '../../events/index.js';
import { type Stored, untilCommitted } from '../../store/index.js';
import {
  cancelAsked,
  hasOperationEnded,
  type Operation,
  tooLateToCancel,
  withdrawn,
} from '../operations/index.js';
import { type Batch, isForWhoeverComes } from './batch.js';
import { BatchError, notFound } from './batches.js';
import type { LeftBehind } from './left-behind.js';
import {
  ownRules,
  type Portioning,
  stillIn,
  type WithdrawingParts,
  withdrawFleetRule,
  withdrawWaiting,
} from './withdrawing.js';

/** How upgrades that are under way are given up. */
export interface UnderWay extends Pick<Upgrades, 'withdraw'> {
  /** Has the CPE come for what it is to be asked, as soon as may be. */
  call(cpeid: CpeId): void;
}

export interface CancellingParts extends WithdrawingParts {
  /** Null in a process without sessions: those that have some see to it. */
  readonly underWay: UnderWay | null;
  readonly leftBehind: Pick<LeftBehind, 'mend'>;
}

/** Who is named in the log of operations that nobody cancelled by name. */
const NOBODY = 'Ferry';

export class Cancelling {
  readonly #parts: CancellingParts;

  constructor(parts: CancellingParts) {
    this.#parts = parts;
  }

  /**
   * Closes the gate of a batch: from that commit on no node begins anything of it. One that has ended stays as it is.
   * @param by  null: nobody; it cannot be made
   * @throws BatchError `not-found`
   */
  async close(id: BatchId, by: Actor | null): Promise<Batch> {
    const { kept } = this.#parts;
    return untilCommitted(`The batch ${id}`, async () => {
      const stored = await kept.seen(id);
      if (stored === null) throw notFound();
      const { document, revision } = stored;
      if (document.isCancelled === true || (await this.#hasEnded(document))) return document;
      const after = cancelled(document, kept.clock());
      const { committed } = await kept.store.commit([
        kept.batches.replacing(after, revision),
        kept.gatePut(id, 'closed'),
        kept.noting('cancelled', document, { by, before: { cancelled: false }, after: { cancelled: true } }),
      ]);
      return committed ? after : undefined;
    });
  }

  /** Cancels a batch that should be open, and whose gate is not: a backup that was made meanwhile has the one before, and the other after it. */
  async closeShut(id: BatchId): Promise<void> {
    const { kept } = this.#parts;
    await untilCommitted(`The batch ${id}`, async () => {
      const [stored, gate] = await Promise.all([kept.seen(id), kept.gate(id)]);
      if (stored?.document.phase !== 'made' || gate?.document.state === 'open') return true;
      const after = cancelled(stored.document, kept.clock());
      const { committed } = await kept.store.commit([
        kept.batches.replacing(after, stored.revision),
        gate === null ? kept.gatePut(id, 'closed') : kept.gateHeld(gate),
        kept.noting('cancelled', after, {
          by: null,
          before: { cancelled: false },
          after: { cancelled: true },
        }),
      ]);
      return committed ? true : undefined;
    });
  }

  /**
   * Withdraws what waits of a batch whose gate is closed, and asks for what runs to be given up.
   * @returns false where it did not come to its end: it is another's by now, or this process stops
   */
  async withdraw(batch: Batch, portioning: Portioning): Promise<boolean> {
    const after = (operation: Operation, nowMs: number) => withdrawn(operation, NOBODY, nowMs);
    if (!(await withdrawWaiting(this.#parts, batch, after, portioning))) return false;
    if (!(await withdrawFleetRule(this.#parts, batch, portioning.hold))) return false;
    return this.askRunning(batch, portioning);
  }

  /** @throws BatchError as `Batches.cancelOne` */
  async one(id: OperationId, by: Actor): Promise<'cancelled' | 'running'> {
    const { kept } = this.#parts;
    return untilCommitted(`The operation ${id}`, async () => {
      const stored = await kept.operation(id);
      const batch = stored === null ? null : await kept.seen(stored.document.batch);
      if (stored === null || batch === null) throw notFound();
      const { state } = stored.document;
      if (hasOperationEnded(stored.document))
        throw new BatchError('state', null, `one that has not ended: it is ${state}`);
      return state === 'running'
        ? this.#giveUp(batch.document, stored, by)
        : this.#takeBack(batch.document, stored, by);
    });
  }

  /** @throws BatchError as `Batches.cancelWaiting` */
  async oneWaiting(id: OperationId, by: Actor): Promise<boolean> {
    const { kept } = this.#parts;
    return untilCommitted(`The operation ${id}`, async () => {
      const stored = await kept.operation(id);
      const batch = stored === null ? null : await kept.seen(stored.document.batch);
      if (stored === null || batch === null) throw notFound();
      if (stored.document.state !== 'pending') return false;
      return (await this.#takeBack(batch.document, stored, by)) === undefined ? undefined : true;
    });
  }

  /** Whether there is nothing that could be cancelled, also where no round has seen that yet. */
  async #hasEnded(batch: Batch): Promise<boolean> {
    const { id, phase } = batch;
    if (phase !== 'made' || isForWhoeverComes(batch)) return phase === 'ended';
    const { pending, running } = await this.#parts.kept.live(id);
    return pending + running === 0;
  }

  async #takeBack(batch: Batch, stored: Stored<Operation>, by: Actor): Promise<'cancelled' | undefined> {
    const { kept, ledger, rules } = this.#parts;
    const after = withdrawn(stored.document, by.name, kept.clock());
    const outcome = await rules.withdraw(ownRules(batch, [stored]), [
      ...ledger.moving([{ stored, after }]),
      this.#noted(batch, stored.document, by),
    ]);
    return outcome.committed ? 'cancelled' : undefined;
  }

  /** Its Download was sent: its CPE is to be asked. */
  async #giveUp(batch: Batch, stored: Stored<Operation>, by: Actor): Promise<'running' | undefined> {
    const { kept, ledger, underWay } = this.#parts;
    const { resultId, cpeid } = stored.document;
    if (underWay === null)
      throw new BatchError(
        'state',
        null,
        'one that waits: what runs is given up by a server, through its API',
      );
    if (resultId !== undefined) {
      const asked = await underWay.withdraw(resultId);
      if (asked === 'transferred')
        throw new BatchError(
          'under-way',
          null,
          'one whose device has not begun: this one has the file already',
        );
      // It has ended between two looks, or was left behind: what it came to is read anew.
      if (asked === 'ended') {
        await this.#parts.leftBehind.mend([stored]);
        return undefined;
      }
    }
    const after = cancelAsked(stored.document, by.name, kept.clock());
    if (after === stored.document) return 'running';
    const { committed } = await kept.store.commit([
      ...ledger.moving([{ stored, after }]),
      this.#noted(batch, stored.document, by),
    ]);
    if (!committed) return undefined;
    underWay.call(cpeid);
    return 'running';
  }

  /**
   * Asks for what runs of a batch to be given up, where its CPEs have not begun. Behind a closed gate nothing more begins: each is asked once,
   * and so is the whole.
   * @returns false where it did not come to its end
   */
  async askRunning(batch: Batch, { hold, isOver }: Portioning): Promise<boolean> {
    const { kept, underWay } = this.#parts;
    if (underWay === null || batch.hasAskedRunning === true) return true;
    for await (const portion of kept.portions({ batch: batch.id, state: 'running' })) {
      for (const stored of portion) {
        if (isOver()) return false;
        await this.#ask(stored, underWay);
      }
    }
    return untilCommitted(`The batch ${batch.id}`, async () => {
      const stored = await kept.batches.get(batch.id);
      if (stored?.document.phase !== batch.phase) return false;
      const { held } = hold;
      const after: Batch = { ...stored.document, hasAskedRunning: true };
      const outcome = await kept.store.commit([held, kept.batches.replacing(after, stored.revision)]);
      if (outcome.committed) return true;
      return (await hold.isLost(held, outcome.refused)) ? false : undefined;
    });
  }

  async #ask(stored: Stored<Operation>, underWay: UnderWay): Promise<void> {
    const { kept, ledger } = this.#parts;
    const { id, resultId, cancelAskedAtMs, isTooLateToCancel, cpeid } = stored.document;
    if (resultId === undefined || cancelAskedAtMs !== undefined || isTooLateToCancel === true) return;
    const answer = await underWay.withdraw(resultId);
    // What has ended is moved in the commit that ends it.
    if (answer !== 'asked' && answer !== 'transferred') return;
    await untilCommitted(`The operation ${id}`, async () => {
      const [now] = await stillIn(kept, [stored], ['running']);
      if (now === undefined || now.document.resultId !== resultId) return true;
      const after =
        answer === 'asked' ? cancelAsked(now.document, NOBODY, kept.clock()) : tooLateToCancel(now.document);
      const { committed } = await kept.store.commit(ledger.moving([{ stored: now, after }]));
      if (!committed) return undefined;
      if (answer === 'asked') underWay.call(cpeid);
      return true;
    });
  }

  #noted(batch: Batch, { id, cpeid, state }: Operation, by: Actor) {
    return this.#parts.kept.noting('operation-cancelled', batch, {
      by,
      after: { operation: id, cpeid, wasRunning: state === 'running' },
    });
  }
}

/** A batch once it is cancelled. */
function cancelled(batch: Batch, nowMs: number): Batch {
  const { endsAtMs: _, ...rest } = batch;
  return {
    ...rest,
    phase: 'cancelled',
    isCancelled: true,
    ...(batch.whom.kind === 'condition' && { isOfThoseTriedAgain: true }),
    updatedAtMs: nowMs,
  };
}
