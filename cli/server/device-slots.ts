import type { Acs } from '../../acs/index.js';
import { MINUTE_MS, Rounds } from '../../common/index.js';
import { type DeviceSlots, openDeviceSlots } from '../../rollout/index.js';
import type { RuleEngine } from '../../rules/index.js';
import type { InstallationBatches } from '../batches.js';
import type { Building } from './building.js';

/** The firmware slots of CPEs; what is fetched into them is put there every minute, whether or not anybody looks. */
export function serveDeviceSlots(
  { installation, ambient, closers }: Pick<Building, 'installation' | 'ambient' | 'closers'>,
  acs: Acs,
  rules: RuleEngine,
  upgrading: InstallationBatches,
): DeviceSlots {
  const { clock, logger } = ambient;
  const slots = openDeviceSlots({
    store: installation.store,
    clock,
    devices: acs.devices,
    connectionRequests: acs.connectionRequests,
    rules,
    library: installation.images,
    uploads: installation.uploads,
    upgrades: upgrading.cpeUpgrades,
    operations: upgrading.operations,
  });
  const run = () =>
    slots.settle().catch((error: unknown) => logger.error('device-slots.settling-failed', { error }));
  const rounds = new Rounds({ everyMs: MINUTE_MS, run });
  closers.push(() => rounds.stop());
  return slots;
}
