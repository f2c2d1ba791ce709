import type { Device, Devices } from '../../acs/index.js';
import { type CpeId, uuidV5 } from '../../common/index.js';
import { targetVersionOf } from '../../firmware/index.js';
import type { Operations } from '../operations/index.js';
import type { Boards } from './boards.js';
import type { BuildImages, PlacedImage } from './build-images.js';
import type { DeviceFirmware } from './device-firmware.js';
import type { FirmwareRecord } from './firmware-record.js';

/** The id of a CPE's firmware is the UUID of this name under the CPE's own. */
const FIRMWARE_NAME = 'firmware';

export interface KnownFirmwareParts {
  readonly devices: Pick<Devices, 'organizations' | 'parameters'>;
  readonly deviceIds: { idOf(cpeid: CpeId): string };
  readonly operations: Pick<Operations, 'get'>;
  readonly boards: Boards;
  /** The parameter that names a CPE's board; absent: its ModelName, else its ProductClass. */
  readonly modelParameter?: string;
}

/** What firmware CPEs have: as it was given, else as follows from what they report. */
export class KnownFirmwares {
  readonly #parts: KnownFirmwareParts;

  constructor(parts: KnownFirmwareParts) {
    this.#parts = parts;
  }

  /** @param kept  what is kept of it @throws StoreError */
  async of(device: Device, kept: FirmwareRecord | null, images: BuildImages): Promise<DeviceFirmware | null> {
    const record = kept !== null && isOf(device, kept) ? kept : null;
    // Somebody has taken it away.
    if (record?.image === null) return null;
    const given = record === null ? null : await this.#given(device, record, images);
    return given ?? this.#reported(device, images);
  }

  /** By which types are told; undefined: it says none. @throws StoreError */
  async modelOf(device: Device): Promise<string | undefined> {
    const { modelParameter } = this.#parts;
    const told =
      modelParameter === undefined
        ? undefined
        : (await this.#parts.devices.parameters(device.id))[modelParameter];
    if (told !== undefined) return String(told);
    // An empty name says nothing.
    return device.modelName || device.productClass || undefined;
  }

  /** The organization that a CPE belongs to; null: the default, and nobody has made that yet. */
  async organizationOf({ organization }: Pick<Device, 'organization'>): Promise<string | null> {
    return (await this.#parts.devices.organizations()).of(organization)?.id ?? null;
  }

  async #given(device: Device, record: FirmwareRecord, images: BuildImages): Promise<DeviceFirmware | null> {
    const placed = record.image === null ? null : await images.withNumber(record.image.number);
    // With its image it is gone.
    if (placed === null) return null;
    const { operation, createdAtMs, modifiedAtMs } = record;
    const installed = operation === null || (await this.#isInstalled(device, operation, placed));
    return { ...this.#whatIs(device, placed), installed, operation, createdAtMs, modifiedAtMs };
  }

  async #isInstalled(
    device: Device,
    operation: NonNullable<FirmwareRecord['operation']>,
    { build }: PlacedImage,
  ): Promise<boolean> {
    const found = await this.#parts.operations.get(operation);
    // What gave way to another upgrade says nothing of what that one brings.
    const gaveWay = found?.state === 'skipped' && found.reason === 'already-under-way';
    if (found !== null && !gaveWay) return found.state === 'verified';
    // Operations go in time, and with their batch.
    return device.softwareVersion === targetVersionOf(build);
  }

  /** That of the build that it runs by its `os`, where one of its images is for the model. */
  async #reported(device: Device, images: BuildImages): Promise<DeviceFirmware | null> {
    const { softwareVersion, registeredMs } = device;
    if (softwareVersion === undefined || softwareVersion === '') return null;
    const builds = await images.ofOs(softwareVersion, await this.organizationOf(device));
    if (builds.length === 0) return null;
    const model = await this.modelOf(device);
    if (model === undefined) return null;
    for (const build of builds) {
      const ofBuild = await images.of(build);
      const type = this.#parts.boards.typeFor(model, [...ofBuild.keys()]);
      const image = type === undefined ? undefined : ofBuild.get(type);
      if (type === undefined || image === undefined) continue;
      const times = { createdAtMs: registeredMs, modifiedAtMs: registeredMs };
      return { ...this.#whatIs(device, { build, type, image }), installed: true, operation: null, ...times };
    }
    return null;
  }

  #whatIs({ id: cpeid }: Device, { image, build, type }: PlacedImage) {
    const id = uuidV5(this.#parts.deviceIds.idOf(cpeid), FIRMWARE_NAME);
    return { id, cpeid, image, build: build.id, category: build.category, type };
  }
}

/** Whether what is kept is of this device, and not of one that was removed before it came anew. */
export function isOf({ registeredMs }: Device, { createdAtMs }: FirmwareRecord): boolean {
  return createdAtMs >= registeredMs;
}
