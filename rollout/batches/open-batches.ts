import {
  type BatchId,
  type Clock,
  type Logger,
  type MonotonicClock,
  type OperationId,
  systemClock,
  type Turn,
} from '../../common/index.js';
import type { Actor } from '../../events/index.js';
import type { OwnedRules, Rules } from '../../rules/index.js';
import type { Store } from '../../store/index.js';
import type { OperationCounts, OperationLedger, Operations } from '../operations/index.js';
import type { AimsParts } from './aims.js';
import type { Batch, BatchState, Progress } from './batch.js';
import { BatchStore } from './batch-store.js';
import { type Batches, type BatchFilter, busy, type NewBatch, type RetryFilter } from './batches.js';
import { Cancelling, type UnderWay } from './cancelling.js';
import { Creating } from './creating.js';
import { Ending } from './ending.js';
import { Hold } from './hold.js';
import { Housekeeping } from './housekeeping.js';
import { LeftBehind } from './left-behind.js';
import { Maker } from './maker.js';
import { Removing } from './removing.js';
import { Retrying } from './retrying.js';
import { batchState } from './state.js';
import { Strays } from './strays.js';
import { Tasks } from './tasks.js';
import { BatchWaking, type Calling } from './waking.js';

export interface BatchesParts extends AimsParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly monotonic: MonotonicClock;
  readonly logger: Logger;
  /** When each page of what is looked for in the background is read: sessions go first. */
  readonly turn: Turn;
  readonly rules: Pick<Rules, 'check' | 'scan' | 'freezeState'> & { readonly owned: OwnedRules };
  readonly operations: Operations;
  readonly ledger: Pick<OperationLedger, 'adding' | 'moving' | 'removing' | 'droppingCounts'>;
  /** By what CPEs are called; null in a process without sessions: those that have some see to it. */
  readonly calling: Calling | null;
  /** By what upgrades under way are given up; null likewise. */
  readonly underWay: UnderWay | null;
  /** For how many days batches that have ended are kept. */
  readonly resultDays: number;
}

/** Batches, and what is due of them from time to time. */
export interface OpenedBatches extends Batches {
  /** Calls CPEs that wait; to be called about once a second, by one process of the installation. Never throws. */
  wake(): Promise<void>;
  /** Ends what waits for CPEs that will never come for it, as {@link Batches.round} does now and then. */
  endStrays(): Promise<void>;
}

/**
 * Opens the batches of an installation. Any number of processes may.
 * @example const batches = openBatches({ store, clock, rules, … }); await batches.create({ name, what: { image }, whom: { kind: 'all' } }, by)
 */
export function openBatches(parts: BatchesParts): OpenedBatches {
  return new StoredBatches(parts);
}

/** Batches as they are stored, to be read alone. */
export function batchesIn(store: Store): Pick<Batches, 'get'> {
  const kept = new BatchStore({ store, clock: systemClock });
  return { get: async (id) => (await kept.seen(id))?.document ?? null };
}

class StoredBatches implements OpenedBatches {
  readonly #parts: BatchesParts;
  readonly #kept: BatchStore;
  readonly #creating: Creating;
  readonly #cancelling: Cancelling;
  readonly #retrying: Retrying;
  readonly #removing: Removing;
  readonly #strays: Strays;
  readonly #housekeeping: Housekeeping;
  readonly #waking: BatchWaking | null;
  readonly #tasks: Tasks;
  #rounds: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(parts: BatchesParts) {
    const { store, clock, monotonic, logger, rules, ledger, images, devices, calling, underWay } = parts;
    this.#parts = parts;
    const kept = new BatchStore({ store, clock });
    this.#kept = kept;
    this.#tasks = new Tasks(logger);
    const moving = { kept, ledger, rules: rules.owned };
    const hold = (id: BatchId) => Hold.take({ store, clock, logger }, id);
    const isOver = () => this.#isClosed;
    const leftBehind = new LeftBehind({ ...moving, monotonic, turn: parts.turn });
    this.#cancelling = new Cancelling({ ...moving, underWay, leftBehind });
    this.#retrying = new Retrying({ kept, ledger, images, rules });
    this.#removing = new Removing(moving);
    const ending = new Ending(moving);
    this.#creating = new Creating({
      ...parts,
      kept,
      maker: new Maker(moving),
      cancelling: this.#cancelling,
      removing: this.#removing,
      tasks: this.#tasks,
      hold,
      isOver,
    });
    this.#strays = new Strays({
      ...moving,
      devices,
      monotonic,
      turn: parts.turn,
      hold: ({ id }) => hold(id),
    });
    this.#housekeeping = new Housekeeping({
      kept,
      cancelling: this.#cancelling,
      ending,
      removing: this.#removing,
      strays: this.#strays,
      leftBehind,
      logger,
      monotonic,
      resultDays: parts.resultDays,
      hold,
      goOn: (batch, taken) => this.#creating.goOn(batch, taken),
      isOver,
    });
    this.#waking =
      calling === null
        ? null
        : new BatchWaking({
            kept,
            devices,
            rules,
            calling,
            clock,
            monotonic,
          });
  }

  create(said: NewBatch, by: Actor): Promise<Batch> {
    return this.#creating.create(said, by);
  }

  async made(id: BatchId): Promise<void> {
    await this.#tasks.of(id);
  }

  async get(id: BatchId): Promise<Batch | null> {
    return (await this.#kept.seen(id))?.document ?? null;
  }

  scan(filter: BatchFilter, turn?: Turn): AsyncIterable<Batch> {
    return this.#kept.listed(filter, turn);
  }

  async progress(id: BatchId): Promise<Progress | null> {
    const batch = await this.get(id);
    if (batch === null) return null;
    const { operations } = this.#parts;
    const counts = await operations.counts(id);
    const examples = await operations.examples(id, Object.keys(counts.byReason));
    return { ...counts, state: this.stateOf(batch, counts), examples };
  }

  stateOf(batch: Batch, counts: OperationCounts): BatchState {
    return batchState(batch, counts, this.#parts.clock());
  }

  async cancel(id: BatchId, by: Actor): Promise<Batch> {
    const batch = await this.#cancelling.close(id, by);
    if (batch.phase === 'cancelled') this.#tasks.afterwards(id, () => this.#housekeeping.withdraw(batch));
    return batch;
  }

  cancelOne(id: OperationId, by: Actor): Promise<'cancelled' | 'running'> {
    return this.#cancelling.one(id, by);
  }

  cancelWaiting(id: OperationId, by: Actor): Promise<boolean> {
    return this.#cancelling.oneWaiting(id, by);
  }

  async retry(id: BatchId, filter: RetryFilter, by: Actor): Promise<number> {
    const asked = await this.#retrying.check(id);
    // What this process withdraws of it in the background is nobody else's.
    await this.#tasks.of(id);
    const hold = await Hold.takeSoon(this.#parts, id);
    if (hold === null) throw busy();
    try {
      const portioning = { hold, isOver: () => this.#isClosed };
      const before = await this.#retrying.check(id);
      const { phase, isCancelled } = before.document;
      // Whoever has cancelled it meanwhile does not want it tried again.
      if (isCancelled === true && asked.document.isCancelled !== true) throw busy();
      if (phase !== 'cancelled') return await this.#retrying.run(before, filter, by, portioning);
      if (!(await this.#cancelling.withdraw(before.document, portioning))) throw busy();
      const withdrawn = await this.#retrying.check(id);
      if (withdrawn.document.phase !== phase) throw busy();
      return await this.#retrying.run(withdrawn, filter, by, portioning);
    } finally {
      await hold.release();
    }
  }

  async remove(id: BatchId, by: Actor): Promise<void> {
    const batch = await this.#removing.hide(id, by);
    this.#tasks.afterwards(id, () => this.#housekeeping.remove(batch));
  }

  round(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#rounds = this.#rounds.catch(() => {}).then(() => this.#housekeeping.round());
    return this.#rounds;
  }

  async wake(): Promise<void> {
    if (this.#isClosed) return;
    await this.#waking
      ?.tick()
      .catch((error: unknown) => this.#parts.logger.error('batches.wake-failed', { error }));
  }

  endStrays(): Promise<void> {
    return this.#strays.all();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#rounds.catch(() => {});
    await this.#tasks.ended();
  }
}
