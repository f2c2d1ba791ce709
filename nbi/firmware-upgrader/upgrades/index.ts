import type { Endpoint } from '../manners/index.js';
import { batchEndpoints } from './batches.js';
import { buildUpgradeEndpoint } from './build-upgrade.js';
import type { UpgradeContext } from './context.js';
import { deviceFirmwareEndpoint } from './device-firmware.js';
import { ImageIds } from './image-ids.js';
import { operationEndpoints } from './operations.js';

export { usesOfBuilds } from './uses-of-builds.js';

/** What upgrades devices, and tells of it. */
export function upgradeEndpoints(context: UpgradeContext): readonly Endpoint[] {
  const parts = { ...context, imageIds: new ImageIds(context.images, context.imageUuids) };
  return [
    buildUpgradeEndpoint(parts),
    ...batchEndpoints(parts),
    ...operationEndpoints(parts),
    deviceFirmwareEndpoint(parts),
  ];
}
