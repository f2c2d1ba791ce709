import type { Clock, Logger } from '../../common/index.js';
import { OrganizationDirectory, Organizations } from '../../organizations/index.js';
import type { StandingConditions } from '../../rules/index.js';
import type { Store } from '../../store/index.js';
import type { Devices } from '../device/device.js';
import { DeviceStore } from '../device/device-store.js';
import { membershipConditionCheck } from './membership.js';
import { Placements } from './placements.js';

export interface OpenedOrganizations {
  readonly organizations: Organizations;
  readonly placements: Placements;
  readonly devices: Devices;
  close(): Promise<void>;
}

/** The organizations of an installation, and their CPEs, for a process that holds no sessions. */
export function openOrganizations(parts: {
  readonly store: Store;
  readonly conditions: StandingConditions;
  readonly clock: Clock;
  readonly logger: Logger;
}): OpenedOrganizations {
  const { store, conditions, clock, logger } = parts;
  const directory = new OrganizationDirectory({ store });
  const devices = new DeviceStore({ store, clock, logger, directory });
  const organizations = new Organizations({
    store,
    directory,
    clock,
    logger,
    checkCondition: membershipConditionCheck(conditions),
    countCpes: (organization) => devices.count({ organization }),
  });
  return {
    organizations,
    placements: new Placements({ store, devices, organizations, clock }),
    devices,
    close: () => devices.close(),
  };
}
