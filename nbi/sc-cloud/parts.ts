import type { Devices, Upgrades } from '../../acs/index.js';
import type { Clock, Logger } from '../../common/index.js';
import type { ImageLibrary, Uploads } from '../../firmware/index.js';
import type { Organizations } from '../../organizations/index.js';
import type { Batches, CpeUpgrades, Operations } from '../../rollout/index.js';
import type { Rules } from '../../rules/index.js';
import type { Places, Reading } from '../http/index.js';
import type { UserSessions } from '../sessions/index.js';
import type { Users } from '../users/index.js';

/** What the API is put together from. */
export interface CloudParts {
  readonly users: Users;
  readonly sessions: UserSessions;
  readonly organizations: Pick<Organizations, 'directory'>;
  readonly devices: Devices;
  readonly images: ImageLibrary;
  readonly rules: Rules;
  readonly uploads: Uploads;
  readonly upgrades: Pick<Upgrades, 'scan'>;
  readonly batches: Pick<Batches, 'get'>;
  readonly operations: Pick<Operations, 'of'>;
  readonly cpeUpgrades: CpeUpgrades;
  readonly reading: Reading;
  /** Of requests that bring content of images. */
  readonly places: Places;
  readonly clock: Clock;
  readonly logger: Logger;
}
