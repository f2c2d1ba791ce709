export { type Acs, type AcsOptions, type AcsParts, createAcs, DEFAULT_ACS_OPTIONS } from './acs.js';
export { subnetList } from './connection-request/address-policy.js';
export type {
  ConnectionRequestOutcome,
  ConnectionRequests,
} from './connection-request/connection-requests.js';
export type { CpeAuthentication } from './cpe-auth.js';
export { type CpeDescription, DescriptionError, describedCpe } from './described-cpe.js';
export type { Device, DeviceFilter, Devices } from './device/device.js';
export type { LocateFile } from './session/work.js';
export {
  type Upgrade,
  type UpgradeFilter,
  UpgradeRunningError,
  type UpgradeState,
  type Upgrades,
} from './upgrade/upgrade.js';
