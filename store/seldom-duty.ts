import { type Clock, HOUR_MS, type Logger, type MonotonicClock, Rounds, SECOND_MS } from '../common/index.js';
import type { Store } from './collection.js';
import { Duty } from './duty.js';
import type { DutyRecords, DutyReport } from './duty-records.js';

const LEASE_MS = 20 * SECOND_MS;
/** How often it is asked whose this is: well within the lease. */
const ASK_EVERY_MS = LEASE_MS / 4;
/** What goes by days need not be looked at more often. */
const ROUND_EVERY_MS = 6 * HOUR_MS;
const ROUND_AGE_MS_MAX = 3 * ROUND_EVERY_MS;

export interface SeldomDutyParts {
  readonly store: Store;
  readonly duties: DutyRecords;
  readonly clock: Clock;
  readonly monotonic: MonotonicClock;
  readonly logger: Logger;
  /** Of the lease. */
  readonly id: string;
  /** As health and metrics call it. */
  readonly part: string;
  /** What its events are called: `WORD.retention`, `WORD.retention-failed`. */
  readonly word: string;
  /** Does it now. @returns how many were forgotten; null where it was not done to its end */
  readonly run: () => Promise<number | null>;
}

/** Forgetting what is so many days old: done by one process for all, every six hours. */
export class SeldomDuty {
  readonly #parts: SeldomDutyParts;
  readonly #duty: Duty;
  readonly #done: DutyReport;
  readonly #rounds: Rounds;
  #doneAtMs = Number.NEGATIVE_INFINITY;
  #isOver = false;

  constructor(parts: SeldomDutyParts) {
    const { store, clock, monotonic, duties, id, part } = parts;
    this.#parts = parts;
    this.#duty = new Duty({ store, clock, monotonic, id, leaseMs: LEASE_MS });
    this.#done = duties.expect({ id: part, ageMsMax: ROUND_AGE_MS_MAX });
    this.#rounds = new Rounds({ everyMs: ASK_EVERY_MS, run: () => this.#round() });
  }

  /** Whether this process is stopping: then nothing more is begun. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether it is this process's still: between two portions another may have taken over, as a machine slept. */
  async goesOn(): Promise<boolean> {
    return !this.#isOver && (await this.#duty.isOurs());
  }

  async close(): Promise<void> {
    const { logger, word } = this.#parts;
    this.#isOver = true;
    await this.#rounds.stop();
    // Where the store fails the lease runs out by itself.
    await this.#duty
      .release()
      .catch((error: unknown) => logger.warn(`${word}.lease-not-released`, { error }));
  }

  async #round(): Promise<void> {
    const { logger, monotonic, word, run } = this.#parts;
    try {
      if (!(await this.#duty.isOurs()) || monotonic() - this.#doneAtMs < ROUND_EVERY_MS) return;
      const count = await run();
      if (count === null) return;
      this.#doneAtMs = monotonic();
      this.#done();
      if (count > 0) logger.info(`${word}.retention`, { count });
    } catch (error) {
      logger.error(`${word}.retention-failed`, { error });
    }
  }
}
