import {
  Background,
  type Clock,
  type CpeId,
  DAY_MS,
  type Logger,
  type MonotonicClock,
  type Turn,
} from '../../common/index.js';
import { type DutyRecords, SeldomDuty, type Store } from '../../store/index.js';
import type { Device } from './device.js';
import type { DeviceStore } from './device-store.js';

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
  readonly #duty: SeldomDuty;
  readonly #background = new Background();

  constructor(parts: RetentionParts) {
    this.#parts = parts;
    this.#duty = new SeldomDuty({
      ...parts,
      id: 'retention',
      part: 'deviceRetention',
      word: 'devices',
      run: () => this.forget(),
    });
  }

  close(): Promise<void> {
    return this.#duty.close();
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
      if (this.#duty.isOver) return null;
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
      if (!(await this.#duty.goesOn())) return null;
    }
    await flush();
    return forgotten;
  }
}
