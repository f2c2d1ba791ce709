import type { DeviceIds, Devices, Upgrades } from '../../acs/index.js';
import type { MonotonicClock } from '../../common/index.js';
import {
  type ImageLibrary,
  ImageTypes,
  type ImageUuids,
  type UpgraderVersion,
  type Uploads,
} from '../../firmware/index.js';
import type { Batches, BuildUpgrades, DeviceFirmwares, Operations } from '../../rollout/index.js';
import type { Places, Reading, SessionLogins } from '../http/index.js';
import type { NbiLimits } from '../limits.js';
import type { Users } from '../users/index.js';
import type { PageMaker } from './manners/index.js';
import type { UpgradeUses } from './uses.js';

/** What of the firmware upgrader can be set. */
export interface UpgraderOptions {
  /** Whose answers it gives where they differ. */
  readonly version: UpgraderVersion;
  /** The types of images that there are: those of the version, and the installation's own. */
  readonly types: ImageTypes;
  /** Requests of one user a minute, in each process; 0: as many as he likes. */
  readonly userRequestsPerMinuteMax: number;
  /** Requests for a token from one address a day, in each process; 0: as many as it likes. */
  readonly tokenRequestsPerDayMax: number;
  /** Of an image that is uploaded here; what the library takes is a bound as well. */
  readonly imageBytesMax: number;
}

const IMAGE_MIB_DEFAULT = 30;

/** As the reference has it. */
export const UPGRADER_OPTIONS: UpgraderOptions = {
  version: '1.3',
  types: new ImageTypes('1.3'),
  userRequestsPerMinuteMax: 1_000,
  tokenRequestsPerDayMax: 20,
  imageBytesMax: IMAGE_MIB_DEFAULT * 1024 * 1024,
};

/** What upgrades devices, and tells of it. */
export interface UpgradeParts {
  readonly devices: Devices;
  readonly deviceIds: DeviceIds;
  readonly upgrades: Pick<Upgrades, 'get'>;
  readonly batches: Batches;
  readonly operations: Operations;
  readonly deviceFirmwares: DeviceFirmwares;
  readonly buildUpgrades: BuildUpgrades;
}

/** What the API is put together from. */
export interface UpgraderParts extends UpgradeParts {
  readonly images: ImageLibrary;
  readonly imageUuids: ImageUuids;
  readonly uploads: Uploads;
  readonly users: Users;
  readonly sessions: SessionLogins;
  readonly limits: NbiLimits;
  readonly reading: Reading;
  /** Of requests that bring content of images. */
  readonly places: Places;
  /** Of images that are being downloaded. */
  readonly downloads: Places;
  readonly monotonic?: MonotonicClock;
  /** {@link UPGRADER_OPTIONS} unless told. */
  readonly firmwareUpgrader?: UpgraderOptions;
}

/** The same with all that is told or not, as the endpoints have it. */
export interface EndpointContext
  extends Pick<
    UpgraderParts,
    'images' | 'imageUuids' | 'uploads' | 'limits' | 'reading' | 'places' | 'downloads'
  > {
  readonly options: UpgraderOptions;
  readonly uses: UpgradeUses;
  readonly page: PageMaker;
}
