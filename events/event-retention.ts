import {
  Background,
  type Clock,
  DAY_MS,
  type Logger,
  type MonotonicClock,
  type Turn,
} from '../common/index.js';
import { type DutyRecords, SeldomDuty, type Store } from '../store/index.js';
import type { EventLog } from './event-log.js';

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
  readonly #duty: SeldomDuty;
  readonly #background = new Background();

  constructor(parts: EventRetentionParts) {
    this.#parts = parts;
    this.#duty = new SeldomDuty({
      ...parts,
      id: 'event-retention',
      part: 'auditRetention',
      word: 'audit',
      run: () => this.forget(),
    });
  }

  close(): Promise<void> {
    return this.#duty.close();
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
      if (!(await this.#duty.goesOn())) return null;
      const removed = await turn(() => events.forgetSomeBefore(beforeMs));
      if (removed === 0) return forgotten;
      forgotten += removed;
    }
  }
}
