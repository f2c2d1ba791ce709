import { type Devices, deviceIdsBy, upgradesIn } from '../acs/index.js';
import type { Clock, Logger, MonotonicClock, Turn } from '../common/index.js';
import {
  type BatchesParts,
  type BuildUpgrades,
  type CpeUpgrades,
  type DeviceFirmwares,
  FittingImages,
  type OpenedBatches,
  OperationLedger,
  OperationStore,
  type Operations,
  openBatches,
  openBuildFirmware,
  openCpeUpgrades,
  SystemUpdates,
} from '../rollout/index.js';
import type { RuleEngine } from '../rules/index.js';
import { imageTypesOf } from './firmware-upgrader.js';
import type { Installation } from './installation.js';
import type { Config } from './options.js';

export interface InstallationBatchesParts extends Pick<BatchesParts, 'calling' | 'underWay'> {
  readonly config: Pick<
    Config,
    | 'resultDays'
    | 'requireSignature'
    | 'firmwareUpgraderVersion'
    | 'firmwareUpgraderType'
    | 'firmwareUpgraderModelParameter'
  >;
  readonly installation: Pick<Installation, 'store' | 'secrets' | 'images'>;
  readonly rules: RuleEngine;
  readonly devices: Devices;
  readonly clock: Clock;
  readonly monotonic: MonotonicClock;
  readonly logger: Logger;
  /** When each page of CPEs is read by what goes on in the background. */
  readonly turn: Turn;
}

/** Batches, what becomes of each of their CPEs, and the firmware of CPEs by builds. */
export interface InstallationBatches {
  readonly batches: OpenedBatches;
  readonly operations: Operations;
  readonly deviceFirmwares: DeviceFirmwares;
  readonly buildUpgrades: BuildUpgrades;
  /** Those of single CPEs, whoever began them. */
  readonly cpeUpgrades: CpeUpgrades;
  /** What a CPE could be updated to, and the updates that are made ready, started and put away. */
  readonly fitting: FittingImages;
  readonly systemUpdates: SystemUpdates;
}

/** Puts them together for an installation that is open: for a server, or for a command beside it. */
export function openInstallationBatches(parts: InstallationBatchesParts): InstallationBatches {
  const { installation, config, devices, clock } = parts;
  const { store, images, secrets } = installation;
  const operations = new OperationStore(store);
  const modelParameter = config.firmwareUpgraderModelParameter;
  const firmware = openBuildFirmware({
    store,
    clock,
    devices,
    deviceIds: { idOf: deviceIdsBy(secrets) },
    library: images,
    operations,
    types: imageTypesOf(config),
    ...(modelParameter !== '' && { modelParameter }),
  });
  const batches = openBatches({
    ...parts,
    store,
    images,
    operations,
    ledger: new OperationLedger({ store, clock, images }),
    buildTargets: firmware.targets,
    resultDays: config.resultDays,
  });
  const cpeUpgrades = openCpeUpgrades({
    ...parts,
    store,
    upgrades: upgradesIn(store),
    operations,
    batches,
    images,
  });
  const fitting = new FittingImages({
    ...parts,
    images,
    requiresSignature: config.requireSignature,
  });
  const systemUpdates = new SystemUpdates({ ...parts, store, images, fitting, operations, cpeUpgrades });
  return { batches, operations, cpeUpgrades, fitting, systemUpdates, ...firmware.with(batches) };
}
