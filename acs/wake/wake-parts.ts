import type { Clock, Logger, MonotonicClock } from '../../common/index.js';
import type { Rules, Waking } from '../../rules/index.js';
import type { DutyReport, Store } from '../../store/index.js';
import type { DeviceStore } from '../device/device-store.js';
import type { Caller } from './caller.js';

/** What waking works with: the waker and both kinds of rounds. */
export interface WakeParts {
  readonly store: Store;
  readonly devices: DeviceStore;
  readonly rules: Rules;
  readonly waking: Waking;
  readonly caller: Caller;
  readonly clock: Clock;
  readonly monotonic: MonotonicClock;
  /** Told when a round was this process's, or there was nothing to be done in it. */
  readonly onDone: DutyReport;
  readonly logger: Logger;
}
