import type { Clock, Logger } from '../../common/index.js';
import {
  type Belonging,
  OrganizationDirectory,
  Organizations,
  type OrganizationUsers,
} from '../../organizations/index.js';
import type { Rules, StandingConditions } from '../../rules/index.js';
import type { Store } from '../../store/index.js';
import type { Devices } from '../device/device.js';
import { DeviceStore } from '../device/device-store.js';
import { belongingsIn } from './belongings.js';
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
  readonly rules: Pick<Rules, 'scan'> & { readonly standing: StandingConditions };
  readonly users: OrganizationUsers;
  /** What belongs to organizations in the rooms above. */
  readonly belongings?: readonly Belonging[];
  readonly clock: Clock;
  readonly logger: Logger;
}): OpenedOrganizations {
  const { store, rules, users, clock, logger } = parts;
  const directory = new OrganizationDirectory({ store });
  const devices = new DeviceStore({ store, clock, logger, directory });
  const organizations = new Organizations({
    store,
    directory,
    clock,
    logger,
    checkCondition: membershipConditionCheck(rules.standing),
    belongings: [...belongingsIn({ store, clock, devices, rules }), ...(parts.belongings ?? [])],
    users,
  });
  return {
    organizations,
    placements: new Placements({ store, devices, organizations, clock }),
    devices,
    close: () => devices.close(),
  };
}
