export type {
  ConnectionRequestOutcome,
  ConnectionRequests,
} from './connection-request/connection-requests.js';
export type { Device, DeviceFilter, Devices } from './device/device.js';
export {
  type Upgrade,
  type UpgradeFilter,
  UpgradeRunningError,
  type UpgradeState,
  type Upgrades,
} from './upgrade/upgrade.js';
