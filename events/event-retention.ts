import {
  Background,
  type Clock,
  DAY_MS,
  HOUR_MS,
  type Logger,
  type MonotonicClock,
  Rounds,
  SECOND_MS,
  type Turn,
} from '../common/index.js';
import { Duty, type DutyRecords, type DutyReport, type Store } from '../store/index.js';
import type { EventLog } from './event-log.js';

const LEASE_MS = 20 * SECOND_MS;
/** How often it is asked whose this is: well within the lease. */
const ASK_EVERY_MS = LEASE_MS / 4;
/** What goes by days need not be looked at more often. */
const ROUND_EVERY_MS = 6 * HOUR_MS;
const ROUND_AGE_MS_MAX = 3 * ROUND_EVERY_MS;
const CLIENT = 'event-retention';

export interface EventRetentionParts {
  readonly store: Store;
  readonly events: EventLog;
  readonly duties: DutyRecords;
  readonly clock: Clock;
  readonly monotonic: MonotonicClock;
  readonly logger: Logger;
  /** Events are kept for so many days. */
  readonly days: number;
}

/** Forgets events that are older than so many days: one process for all, in the background. */
export class EventRetention {
  readonly #parts: EventRetentionParts;
  readonly #duty: Duty;
  readonly #done: DutyReport;
  readonly #rounds: Rounds;
  readonly #background = new Background();
  #doneAtMs = Number.NEGATIVE_INFINITY;
  #isOver = false;

  constructor(parts: EventRetentionParts) {
    const { store, clock, monotonic, duties } = parts;
    this.#parts = parts;
    this.#duty = new Duty({ store, clock, monotonic, id: 'event-retention', leaseMs: LEASE_MS });
    this.#done = duties.expect({ id: 'auditRetention', ageMsMax: ROUND_AGE_MS_MAX });
    this.#rounds = new Rounds({ everyMs: ASK_EVERY_MS, run: () => this.#round() });
  }

  async close(): Promise<void> {
    this.#isOver = true;
    await this.#rounds.stop();
    // Where the store fails the lease runs out by itself.
    await this.#duty
      .release()
      .catch((error: unknown) => this.#parts.logger.warn('audit.lease-not-released', { error }));
  }

  async #round(): Promise<void> {
    const { logger, monotonic } = this.#parts;
    try {
      if (!(await this.#duty.isOurs()) || monotonic() - this.#doneAtMs < ROUND_EVERY_MS) return;
      const count = await this.forget();
      if (count === null) return;
      this.#doneAtMs = monotonic();
      this.#done();
      if (count > 0) logger.info('audit.retention', { count });
    } catch (error) {
      logger.error('audit.retention-failed', { error });
    }
  }

  /**
   * Forgets what is too old now, and nothing where even the latest event would be: then it is rather the clock that is wrong.
   * @returns how many that were; null where it was not done to its end
   */
  async forget(): Promise<number | null> {
    const { events, clock, days, logger } = this.#parts;
    const beforeMs = clock() - days * DAY_MS;
    const latestMs = await events.latestMs();
    if (latestMs === null) return 0;
    if (latestMs < beforeMs) {
      logger.warn('audit.retention-refused', { days, latest: new Date(latestMs).toISOString() });
      return 0;
    }
    const turn: Turn = (work) => this.#background.turn(CLIENT, work);
    let forgotten = 0;
    for (;;) {
      // Between two portions another may have taken over, as a machine slept.
      if (this.#isOver || !(await this.#duty.isOurs())) return null;
      const removed = await turn(() => events.forgetSomeBefore(beforeMs));
      if (removed === 0) return forgotten;
      forgotten += removed;
    }
  }
}
