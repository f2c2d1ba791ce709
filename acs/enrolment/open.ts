import type { Clock, Logger } from '../../common/index.js';
import type { Store } from '../../store/index.js';
import { DeviceStore } from '../device/device-store.js';
import { Approvals } from './approvals.js';

/** For a process that holds no sessions, beside a running server or without one. */
export function openApprovals(parts: {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
}): { readonly approvals: Approvals; readonly devices: DeviceStore; close(): Promise<void> } {
  const devices = new DeviceStore(parts);
  return {
    approvals: new Approvals({ ...parts, devices }),
    devices,
    close: () => devices.close(),
  };
}
