import { type Clock, type Logger, type MonotonicClock, monotonicClock, SECOND_MS } from '../common/index.js';
import type { Collection, CollectionDefinition, Document, Store } from './collection.js';

/** Who did a round of a duty last, and when by that process's clock. */
export interface DutyDocument extends Document {
  readonly id: string;
  readonly doneAtMs: number;
  readonly by: string;
}

/** Worth nothing once no process runs: each reckons from its own start. */
export const DUTIES: CollectionDefinition = { name: 'duties', indexes: {}, passing: true };

/** Says that a round of a duty has been done by this process. Never throws, and waits for nothing. */
export type DutyReport = () => void;

export interface DutyState {
  readonly id: string;
  /** How long ago a round was done by any process of the installation, as far as this one knows. */
  readonly ageMs: number;
  readonly isOverdue: boolean;
  /** Who did; null where none has since this process started. */
  readonly by: string | null;
}

/** For what is done every few seconds: longer than a take-over takes where a machine is slow. */
export const DUTY_AGE_MS_MAX = 120 * SECOND_MS;
/** A duty may have a round every few seconds; the others need not hear of each. */
const TOLD_EVERY_MS = 10 * SECOND_MS;
const LOOK_EVERY_MS = 10 * SECOND_MS;
const DUTIES_MAX = 100;

interface Expected {
  readonly ageMsMax: number;
  /** When it was known to be done last, by the monotonic clock; when it began to be expected, where it was not done since. */
  knownAtMs: number;
  toldAtMs: number;
  /** What the store said last; another word means that it has been done since. */
  seenAtMs: number | null;
  by: string | null;
  wasOverdue: boolean;
}

/**
 * When each duty of an installation was done last, whoever has it. Each process says in the store what it has done, and how long ago
 * others did theirs it reckons from when it saw their word change: so no clock need be right, and none agree with another.
 *
 * @example const done = records.expect({ id: 'sweep', ageMsMax: 120_000 }); if (await duty.isOurs()) { await sweep(); done(); }
 */
export class DutyRecords {
  readonly #duties: Collection<DutyDocument>;
  readonly #clock: Clock;
  readonly #monotonic: MonotonicClock;
  readonly #logger: Logger;
  readonly #by: string;
  readonly #expected = new Map<string, Expected>();
  readonly #looking: NodeJS.Timeout;
  readonly #telling = new Set<Promise<void>>();

  constructor(parts: {
    readonly store: Store;
    readonly clock: Clock;
    readonly monotonic?: MonotonicClock;
    readonly logger: Logger;
    /** Names this process to people. */
    readonly by: string;
  }) {
    this.#duties = parts.store.collection<DutyDocument>(DUTIES);
    this.#clock = parts.clock;
    this.#monotonic = parts.monotonic ?? monotonicClock;
    this.#logger = parts.logger;
    this.#by = parts.by;
    // What it finds is said by events; that the store does not answer is for others to say.
    this.#looking = setInterval(() => void this.look().catch(() => {}), LOOK_EVERY_MS);
    this.#looking.unref();
  }

  /** From now on some process of the installation has to do it at least this often. */
  expect({ id, ageMsMax }: { readonly id: string; readonly ageMsMax: number }): DutyReport {
    this.#expected.set(id, {
      ageMsMax,
      knownAtMs: this.#monotonic(),
      toldAtMs: Number.NEGATIVE_INFINITY,
      seenAtMs: null,
      by: null,
      wasOverdue: false,
    });
    return () => this.#done(id);
  }

  /** What is known now, without asking the store. */
  get states(): readonly DutyState[] {
    const nowMs = this.#monotonic();
    return [...this.#expected].map(([id, { knownAtMs, ageMsMax, by }]) => {
      const ageMs = nowMs - knownAtMs;
      return { id, ageMs, isOverdue: ageMs > ageMsMax, by };
    });
  }

  /** Asks the store what others have done, and says what is overdue, or is done again. @throws StoreError */
  async look(): Promise<readonly DutyState[]> {
    try {
      const { items } = await this.#duties.find({ limit: DUTIES_MAX });
      for (const { document } of items) this.#heard(document);
    } finally {
      this.#report();
    }
    return this.states;
  }

  /** Stops looking, and waits for what is being told. */
  async close(): Promise<void> {
    clearInterval(this.#looking);
    await Promise.all(this.#telling);
  }

  #heard({ id, doneAtMs, by }: DutyDocument): void {
    const expected = this.#expected.get(id);
    if (expected === undefined || expected.seenAtMs === doneAtMs) return;
    // What is found first may be old: its age is not known.
    const isNews = expected.seenAtMs !== null;
    expected.seenAtMs = doneAtMs;
    if (!isNews || by === this.#by) return;
    expected.knownAtMs = this.#monotonic();
    expected.by = by;
  }

  #done(id: string): void {
    const expected = this.#expected.get(id);
    if (expected === undefined) return;
    const nowMs = this.#monotonic();
    expected.knownAtMs = nowMs;
    expected.by = this.#by;
    if (nowMs - expected.toldAtMs < TOLD_EVERY_MS) return;
    expected.toldAtMs = nowMs;
    const telling = this.#duties
      .put({ id, doneAtMs: this.#clock(), by: this.#by })
      // It is told again with a later round.
      .then(
        () => {},
        () => {},
      )
      .finally(() => this.#telling.delete(telling));
    this.#telling.add(telling);
  }

  #report(): void {
    for (const { id, ageMs, isOverdue, by } of this.states) {
      const expected = this.#expected.get(id);
      if (expected === undefined || expected.wasOverdue === isOverdue) continue;
      expected.wasOverdue = isOverdue;
      const fields = { duty: id, seconds: Math.round(ageMs / SECOND_MS), ...(by !== null && { by }) };
      if (isOverdue) this.#logger.error('duty.overdue', fields);
      else this.#logger.info('duty.resumed', fields);
    }
  }
}
