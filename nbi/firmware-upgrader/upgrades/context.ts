import type { DeviceIds, Devices, Upgrades } from '../../../acs/index.js';
import type { Batches, BuildUpgrades, DeviceFirmwares, Operations } from '../../../rollout/index.js';
import type { EndpointContext } from '../parts.js';

/** What the endpoints of upgrades are put together from, beside what all have. */
export interface UpgradeParts {
  readonly devices: Devices;
  readonly deviceIds: DeviceIds;
  readonly upgrades: Pick<Upgrades, 'get'>;
  readonly batches: Batches;
  readonly operations: Operations;
  readonly deviceFirmwares: DeviceFirmwares;
  readonly buildUpgrades: BuildUpgrades;
}

export interface UpgradeContext extends EndpointContext, UpgradeParts {}
