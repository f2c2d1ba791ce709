import type { Devices } from '../../acs/index.js';
import type { Clock, CpeId } from '../../common/index.js';
import type { Store } from '../../store/index.js';
import type { Batches, BuildTargets } from '../batches/index.js';
import type { Operations } from '../operations/index.js';
import { Boards, type BoardTypes } from './boards.js';
import type { BuildLibrary } from './build-images.js';
import { WalkedTargets } from './build-targets.js';
import { WalkedBuildUpgrades } from './build-upgrades.js';
import { BuildWalk } from './build-walk.js';
import type { BuildUpgrades, DeviceFirmwares } from './device-firmware.js';
import { DeviceFirmwareStore } from './device-firmware-store.js';
import { DEVICE_FIRMWARES, type FirmwareRecord } from './firmware-record.js';
import { KnownFirmwares } from './known-firmwares.js';

export interface BuildFirmwareParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly devices: Pick<Devices, 'get' | 'newest' | 'isWaiting' | 'organizations' | 'parameters'>;
  readonly deviceIds: { idOf(cpeid: CpeId): string };
  readonly library: BuildLibrary;
  readonly operations: Operations;
  readonly types: BoardTypes;
  /** The parameter that names a CPE's board; absent: its ModelName, else its ProductClass. */
  readonly modelParameter?: string;
}

/** The firmware of CPEs by builds, put together. */
export interface BuildFirmware {
  /** For whoever makes batches. */
  readonly targets: BuildTargets;
  /** What makes batches itself, once there is who makes them. */
  with(batches: Pick<Batches, 'create'>): {
    readonly deviceFirmwares: DeviceFirmwares;
    readonly buildUpgrades: BuildUpgrades;
  };
}

export function openBuildFirmware(parts: BuildFirmwareParts): BuildFirmware {
  const records = parts.store.collection<FirmwareRecord>(DEVICE_FIRMWARES);
  const boards = new Boards(parts.types);
  const firmwares = new KnownFirmwares({ ...parts, boards });
  const walk = new BuildWalk({ ...parts, records, firmwares, boards });
  return {
    targets: new WalkedTargets({ ...parts, walk, records }),
    with: (batches) => ({
      deviceFirmwares: new DeviceFirmwareStore({ ...parts, firmwares, boards, batches }),
      buildUpgrades: new WalkedBuildUpgrades({ walk, batches }),
    }),
  };
}
