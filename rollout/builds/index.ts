/** What CPEs have of builds, and builds for all their devices. */
export { Boards, type BoardTypes } from './boards.js';
export { isBusy } from './busy.js';
export {
  type Assigned,
  type Assignment,
  type BuildPlan,
  type BuildUpgrades,
  type DeviceFirmware,
  DeviceFirmwareError,
  type DeviceFirmwareErrorCode,
  type DeviceFirmwares,
} from './device-firmware.js';
export { DEVICE_FIRMWARES } from './firmware-record.js';
export { type BuildFirmware, type BuildFirmwareParts, openBuildFirmware } from './open.js';
