import {
  Background,
  type Clock,
  type CpeId,
  DAY_MS,
  HOUR_MS,
  type Logger,
  type MonotonicClock,
  Rounds,
  SECOND_MS,
  type Turn,
} from '../../common/index.js';
import { Duty, type DutyRecords, type DutyReport, type Store } from '../../store/index.js';
import type { Device } from './device.js';
import type { DeviceStore } from './device-store.js';

const LEASE_MS = 20 * SECOND_MS;
/** How often it is asked whose this is: well within the lease. */
const ASK_EVERY_MS = LEASE_MS / 4;
/** All CPEs are read for it, and what goes by days need not be looked at more often. */
const ROUND_EVERY_MS = 6 * HOUR_MS;
const ROUND_AGE_MS_MAX = 3 * ROUND_EVERY_MS;
/** So many are removed before more are looked for. */
const BATCH = 200;
/** So many may go though they are most of those that are known, as where there are hardly any. */
const FEW = 10;
const CLIENT = 'retention';

export interface RetentionParts {
  readonly store: Store;
  readonly devices: DeviceStore;
  readonly duties: DutyRecords;
  readonly clock: Clock;
  readonly monotonic: MonotonicClock;
  readonly logger: Logger;
  /** CPEs not heard of for so long are forgotten. */
  readonly deviceDays: number;
}

/** Forgets CPEs that have not been heard of for so many days: one process for all, in the background. */
export class Retention {
  readonly #parts: RetentionParts;
  readonly #duty: Duty;
  readonly #done: DutyReport;
  readonly #rounds: Rounds;
  readonly #background = new Background();
  #doneAtMs = Number.NEGATIVE_INFINITY;
  #isOver = false;

  constructor(parts: RetentionParts) {
    const { store, clock, monotonic, duties } = parts;
    this.#parts = parts;
    this.#duty = new Duty({ store, clock, monotonic, id: 'retention', leaseMs: LEASE_MS });
    this.#done = duties.expect({ id: 'deviceRetention', ageMsMax: ROUND_AGE_MS_MAX });
    this.#rounds = new Rounds({ everyMs: ASK_EVERY_MS, run: () => this.#round() });
  }

  async close(): Promise<void> {
    this.#isOver = true;
    await this.#rounds.stop();
    // Where the store fails the lease runs out by itself.
    await this.#duty
      .release()
      .catch((error: unknown) => this.#parts.logger.warn('devices.lease-not-released', { error }));
  }

  async #round(): Promise<void> {
    const { logger, monotonic } = this.#parts;
    try {
      if (!(await this.#duty.isOurs()) || monotonic() - this.#doneAtMs < ROUND_EVERY_MS) return;
      const count = await this.forget();
      if (count === null) return;
      this.#doneAtMs = monotonic();
      this.#done();
      if (count > 0) logger.info('devices.retention', { count });
    } catch (error) {
      logger.error('devices.retention-failed', { error });
    }
  }

  /**
   * Looks at all CPEs now, and forgets none where that would be most of them: then it is rather the clock, or the way to the CPEs, that
   * is wrong.
   * @returns how many were forgotten; null where it was not done to its end
   */
  async forget(): Promise<number | null> {
    const { devices, clock, deviceDays, logger } = this.#parts;
    const beforeMs = clock() - deviceDays * DAY_MS;
    const isOld = ({ lastInformMs }: Device) => lastInformMs < beforeMs;
    const turn: Turn = (work) => this.#background.turn(CLIENT, work);
    let known = 0;
    let old = 0;
    for await (const device of devices.scan({}, turn)) {
      if (this.#isOver) return null;
      known++;
      if (isOld(device)) old++;
    }
    if (old > Math.max(FEW, known / 2)) {
      logger.error('devices.retention-refused', { known, old, deviceDays });
      return 0;
    }
    return old === 0 ? 0 : this.#forget(isOld, turn);
  }

  async #forget(isOld: (device: Device) => boolean, turn: Turn): Promise<number | null> {
    const { devices } = this.#parts;
    let forgotten = 0;
    let batch: CpeId[] = [];
    const flush = async () => {
      forgotten += (await devices.remove(batch, { why: 'not-heard', only: isOld, turn })).removed;
      batch = [];
    };
    for await (const device of devices.scan({}, turn)) {
      if (isOld(device)) batch.push(device.id);
      if (batch.length < BATCH) continue;
      await flush();
      // Between two batches another may have taken over, as a machine slept.
      if (this.#isOver || !(await this.#duty.isOurs())) return null;
    }
    await flush();
    return forgotten;
  }
}
