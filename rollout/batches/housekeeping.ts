import { type BatchId, DAY_MS, type Logger, type MonotonicClock, SECOND_MS } from '../../common/index.js';
import type { Batch } from './batch.js';
import type { BatchStore } from './batch-store.js';
import type { Cancelling } from './cancelling.js';
import type { Ending } from './ending.js';
import type { Hold } from './hold.js';
import type { LeftBehind } from './left-behind.js';
import type { Removing } from './removing.js';
import type { Strays } from './strays.js';
import type { Portioning } from './withdrawing.js';

/** So long one batch is worked on in one round: others have their turn, and the round comes to its end. */
const WORK_MS_MAX = 20 * SECOND_MS;

export interface HousekeepingParts {
  readonly kept: BatchStore;
  readonly cancelling: Cancelling;
  readonly ending: Ending;
  readonly removing: Removing;
  readonly strays: Strays;
  readonly leftBehind: LeftBehind;
  readonly logger: Logger;
  readonly monotonic: MonotonicClock;
  /** For how many days batches that have ended are kept, as results are. */
  readonly resultDays: number;
  readonly hold: (id: BatchId) => Promise<Hold | null>;
  /** Goes on with the making of a batch that another process has left, in the background; lets go of the hold. */
  readonly goOn: (batch: Batch, hold: Hold) => void;
  readonly isOver: () => boolean;
}

/** What is due of all batches, whoever began it. */
export class Housekeeping {
  readonly #parts: HousekeepingParts;

  constructor(parts: HousekeepingParts) {
    this.#parts = parts;
  }

  /** @throws StoreError */
  async round(): Promise<void> {
    const { strays, leftBehind } = this.#parts;
    // First, as a batch may end by it.
    await leftBehind.advance();
    await this.#each('preparing', (batch) => this.#goOn(batch));
    await this.#each('cancelled', (batch) => this.withdraw(batch));
    await this.#each('made', (batch) => this.#end(batch));
    await this.#each('removing', (batch) => this.remove(batch));
    await this.#forget();
    await strays.advance();
  }

  /** Deletes what is left of a batch that is hidden, as far as it can be. */
  async remove(batch: Batch): Promise<void> {
    const { cancelling, removing } = this.#parts;
    await this.held(batch, async (now, portioning) => {
      await cancelling.askRunning(now, portioning);
      await removing.run(now, portioning);
    });
  }

  /** Withdraws what waits of a batch that was cancelled. */
  async withdraw(batch: Batch): Promise<void> {
    await this.held(batch, (now, portioning) => this.#withdraw(now, portioning));
  }

  /** Does something with a batch, where nobody else has it, and it is where it was when that was found to be due. */
  async held(batch: Batch, work: (batch: Batch, portioning: Portioning) => Promise<unknown>): Promise<void> {
    const { kept, hold: take, isOver, monotonic } = this.#parts;
    const hold = await take(batch.id);
    if (hold === null) return;
    const untilMs = monotonic() + WORK_MS_MAX;
    try {
      // Whoever has let go of it may have opened it again.
      const now = await kept.batches.get(batch.id);
      if (now?.document.phase !== batch.phase) return;
      await work(now.document, { hold, isOver: () => isOver() || monotonic() > untilMs });
    } finally {
      await hold.release();
    }
  }

  async #each(phase: Batch['phase'], work: (batch: Batch) => Promise<void>): Promise<void> {
    const { kept, isOver, logger } = this.#parts;
    for await (const { document } of kept.inPhase(phase)) {
      if (isOver()) return;
      // What is wrong with one keeps nobody from the others.
      await work(document).catch((error: unknown) =>
        logger.error('batches.round-failed', { batch: document.id, phase, error }),
      );
    }
  }

  async #goOn(batch: Batch): Promise<void> {
    const { kept, hold: take, goOn, removing } = this.#parts;
    const hold = await take(batch.id);
    if (hold === null) return;
    let isHandedOn = false;
    try {
      // Whoever has let go of it may have made it.
      const stored = await kept.seen(batch.id);
      if (stored?.document.phase !== 'preparing') return;
      if (batch.whom.kind !== 'list') {
        // So it is but where a backup was made as its gate was opened.
        await kept.store.commit([hold.held, kept.gatePut(batch.id, 'closed')]);
        isHandedOn = true;
        goOn(stored.document, hold);
        return;
      }
      // Only whoever has died knew the rest of its list, and nobody was told of what there is.
      const hidden = await removing.hide(batch.id, null);
      await removing.run(hidden, { hold, isOver: this.#parts.isOver });
    } finally {
      if (!isHandedOn) await hold.release();
    }
  }

  async #withdraw(batch: Batch, portioning: Portioning): Promise<void> {
    const { cancelling, ending } = this.#parts;
    if (await cancelling.withdraw(batch, portioning)) await ending.run(batch, portioning);
  }

  async #end(batch: Batch): Promise<void> {
    const { kept, cancelling, ending } = this.#parts;
    // A backup that was made as it was cancelled has it so: nothing of it would run, and it would wait for ever.
    if ((await kept.gate(batch.id))?.document.state !== 'open') {
      await cancelling.closeShut(batch.id);
      return;
    }
    if (await ending.isDue(batch)) await this.held(batch, (now, held) => ending.run(now, held));
  }

  async #forget(): Promise<void> {
    const { kept, removing, resultDays } = this.#parts;
    const beforeMs = kept.clock() - resultDays * DAY_MS;
    for await (const { document } of kept.inPhase('ended')) {
      if (document.updatedAtMs >= beforeMs) return;
      await removing.hide(document.id, null);
    }
  }
}
