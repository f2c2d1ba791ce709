import type { Clock, Logger } from '../../common/index.js';
import type { Store } from '../../store/index.js';
import type { CpeIdentity } from './cpeid.js';
import type { Devices } from './device.js';
import { DeviceStore } from './device-store.js';

/** The CPEs of an installation for a process that holds no sessions; what sessions have just seen it learns within a minute. */
export function openKnownCpes(parts: {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly cpeIdentity?: CpeIdentity;
}): Devices & { close(): Promise<void> } {
  return new DeviceStore(parts);
}
