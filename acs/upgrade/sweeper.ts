import {
  type Clock,
  ClockSteps,
  HOUR_MS,
  type Logger,
  type MonotonicClock,
  Rounds,
  SECOND_MS,
} from '../../common/index.js';
import { DUTY_AGE_MS_MAX, Duty, type DutyRecords, type DutyReport, type Store } from '../../store/index.js';
import type { UpgradeStore } from './upgrade-store.js';

/** So long after the process that sweeps died another sweeps in its place; deadlines are minutes at least. */
const SWEEP_LEASE_MS = 20 * SECOND_MS;
const PURGE_EVERY_MS = HOUR_MS;
const PURGE_AGE_MS_MAX = 3 * PURGE_EVERY_MS;

export interface SweeperParts {
  readonly store: Store;
  readonly upgrades: UpgradeStore;
  readonly duties: DutyRecords;
  readonly clock: Clock;
  readonly monotonic: MonotonicClock;
  readonly logger: Logger;
  /** How often deadlines are looked at. */
  readonly sweepIntervalMs: number;
  /** How long results of ended upgrades are kept. */
  readonly resultDays: number;
}

/** Ends what passed its deadline, and deletes results that are old enough: one process for all. */
export class Sweeper {
  readonly #parts: SweeperParts;
  readonly #duty: Duty;
  readonly #steps: ClockSteps;
  readonly #swept: DutyReport;
  readonly #purged: DutyReport;
  readonly #rounds: readonly Rounds[];
  /** By how much the clock was set, that deadlines have not been mended for. */
  #steppedMs = 0;
  #knowsDeadlines = false;
  /** Whoever is started anew more often than that would never do it. */
  #hasPurged = false;

  constructor(parts: SweeperParts) {
    const { store, clock, monotonic, duties } = parts;
    this.#parts = parts;
    this.#duty = new Duty({ store, clock, monotonic, id: 'upgrades', leaseMs: SWEEP_LEASE_MS });
    this.#steps = new ClockSteps({ clock, monotonic });
    this.#swept = duties.expect({ id: 'sweep', ageMsMax: DUTY_AGE_MS_MAX });
    this.#purged = duties.expect({ id: 'purge', ageMsMax: PURGE_AGE_MS_MAX });
    this.#rounds = [
      new Rounds({ everyMs: parts.sweepIntervalMs, run: () => this.#told('sweep', () => this.#sweep()) }),
      new Rounds({ everyMs: PURGE_EVERY_MS, run: () => this.#told('purge', () => this.#purge()) }),
    ];
  }

  async close(): Promise<void> {
    for (const rounds of this.#rounds) await rounds.stop();
    // Where the store fails the lease runs out by itself.
    await this.#duty
      .release()
      .catch((error: unknown) => this.#parts.logger.warn('upgrades.lease-not-released', { error }));
  }

  async #sweep(): Promise<number> {
    // Whoever sweeps: another may have to go on from here.
    this.#steppedMs += this.#steps.takeMs();
    if (!(await this.#duty.isOurs())) {
      this.#steppedMs = 0;
      this.#knowsDeadlines = false;
      return 0;
    }
    if (!this.#knowsDeadlines || this.#steppedMs !== 0) {
      await this.#parts.upgrades.mendDeadlines(this.#steppedMs);
      this.#knowsDeadlines = true;
      this.#steppedMs = 0;
    }
    const count = await this.#parts.upgrades.sweep();
    this.#swept();
    if (!this.#hasPurged) void this.#told('purge', () => this.#purge());
    return count;
  }

  async #purge(): Promise<number> {
    if (!(await this.#duty.isOurs())) return 0;
    this.#hasPurged = true;
    const count = await this.#parts.upgrades.purge(this.#parts.resultDays);
    this.#purged();
    return count;
  }

  async #told(what: string, run: () => Promise<number>): Promise<void> {
    try {
      const count = await run();
      if (count > 0) this.#parts.logger.info(`upgrades.${what}`, { count });
    } catch (error) {
      this.#parts.logger.error(`upgrades.${what}-failed`, { error });
    }
  }
}
