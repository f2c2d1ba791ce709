import type { Device, Devices } from '../../acs/index.js';
import { type BatchId, type Clock, type CpeId, cutText, type OperationId } from '../../common/index.js';
import { type Actor, EventLog, type Happening } from '../../events/index.js';
import type { BuildImage } from '../../firmware/index.js';
import { type Change, type Collection, type Store, type Stored, untilCommitted } from '../../store/index.js';
import { BATCH_NAME_CHARACTERS_MAX, BatchError, type Batches, type BatchTarget } from '../batches/index.js';
import { type OperationImage, type Operations, operationIdOf } from '../operations/index.js';
import type { Boards } from './boards.js';
import { BuildImages, type BuildLibrary, type PlacedImage } from './build-images.js';
import { isBusy } from './busy.js';
import {
  type Assigned,
  type Assignment,
  type DeviceFirmware,
  DeviceFirmwareError,
  type DeviceFirmwares,
  type Within,
} from './device-firmware.js';
import { DEVICE_FIRMWARES, type FirmwareRecord } from './firmware-record.js';
import { isOf, type KnownFirmwares } from './known-firmwares.js';

export interface DeviceFirmwareParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly devices: Pick<Devices, 'get' | 'isWaiting'>;
  readonly library: BuildLibrary;
  readonly firmwares: KnownFirmwares;
  readonly boards: Boards;
  readonly operations: Operations;
  readonly batches: Pick<Batches, 'create'>;
}

/** What there is to go by when a CPE is given an image. */
interface Standing {
  readonly device: Device;
  readonly stored: Stored<FirmwareRecord> | null;
  readonly before: DeviceFirmware | null;
  readonly placed: PlacedImage;
}

/** What CPEs have of builds, kept in the store. */
export class DeviceFirmwareStore implements DeviceFirmwares {
  readonly #parts: DeviceFirmwareParts;
  readonly #records: Collection<FirmwareRecord>;
  readonly #events: EventLog;

  constructor(parts: DeviceFirmwareParts) {
    this.#parts = parts;
    this.#records = parts.store.collection<FirmwareRecord>(DEVICE_FIRMWARES);
    this.#events = new EventLog(parts);
  }

  async get(cpeid: CpeId): Promise<DeviceFirmware | null> {
    const device = await this.#parts.devices.get(cpeid);
    return device === null ? null : this.#of(device, await this.#records.get(cpeid));
  }

  accepts(
    model: string | undefined,
    { type }: Pick<BuildImage, 'type'>,
  ): 'yes' | 'other-type' | 'other-model' {
    return this.#parts.boards.accepts(model, type);
  }

  assign(cpeid: CpeId, image: OperationImage | null, how: Assignment): Promise<Assigned> {
    return untilCommitted(`The firmware of ${cpeid}`, async () => {
      const standing = await this.#standing(cpeid, image, how);
      const { before, placed } = standing;
      const isAsItIs = before?.installed === true && before.image.number === placed.image.number;
      return isAsItIs ? this.#confirmed(standing, before, how.by) : this.#upgrading(standing, how);
    });
  }

  remove(cpeid: CpeId, { by, within }: Pick<Assignment, 'by' | 'within'>): Promise<boolean> {
    return untilCommitted(`The firmware of ${cpeid}`, async () => {
      const device = await this.#device(cpeid, within);
      if (device === null) return false;
      const stored = await this.#records.get(cpeid);
      const before = await this.#of(device, stored);
      if (before === null) return false;
      if (this.#parts.devices.isWaiting(device)) throw new DeviceFirmwareError('deactivated');
      const { committed } = await this.#parts.store.commit([
        this.#keeping(stored, { id: cpeid, image: null, operation: null, ...this.#times(device, stored) }),
        await this.#noting('firmware-taken', device, { by, before: shown(before) }),
      ]);
      return committed ? true : undefined;
    });
  }

  /** @throws DeviceFirmwareError */
  async #standing(cpeid: CpeId, image: OperationImage | null, how: Assignment): Promise<Standing> {
    const device = await this.#device(cpeid, how.within);
    if (device === null) throw new DeviceFirmwareError('no-device');
    if (this.#parts.devices.isWaiting(device)) throw new DeviceFirmwareError('deactivated');
    const stored = await this.#records.get(cpeid);
    const before = await this.#of(device, stored);
    const { number } = image ?? before?.image ?? {};
    const placed =
      number === undefined ? null : await new BuildImages(this.#parts.library).withNumber(number);
    if (placed === null || !(await this.#mayHave(device, placed, before, how)))
      throw new DeviceFirmwareError('no-image');
    const model = await this.#parts.firmwares.modelOf(device);
    if (image === null) {
      // A build may have given it one of a type that is not the last for its board: that it has stays its own.
      if (model === undefined || !this.#parts.boards.fits(model, placed.type))
        throw new DeviceFirmwareError('model-mismatch');
      return { device, stored, before, placed };
    }
    const accepted = this.accepts(model, placed);
    switch (accepted) {
      case 'yes':
        return { device, stored, before, placed };
      case 'other-type':
        throw new DeviceFirmwareError('no-image');
      case 'other-model':
        throw new DeviceFirmwareError('model-mismatch');
      default:
        return accepted satisfies never;
    }
  }

  async #mayHave(
    device: Device,
    { image, build }: PlacedImage,
    before: DeviceFirmware | null,
    { acrossCategories = false }: Assignment,
  ): Promise<boolean> {
    const isSeen =
      image.organization === undefined ||
      image.organization === (await this.#parts.firmwares.organizationOf(device));
    return isSeen && (before === null || acrossCategories || before.category === build.category);
  }

  /** @returns undefined where something has moved meanwhile */
  async #upgrading(
    standing: Standing,
    { by, within, persistent, through }: Assignment,
  ): Promise<Assigned | undefined> {
    const { device, stored, before, placed } = standing;
    const { image, build } = placed;
    const times = this.#times(device, stored);
    const noting = await this.#noting('firmware-given', device, {
      by,
      before: before === null ? null : shown(before),
      after: shown({ image, build: build.id }),
    });
    const record = (batch: BatchId): FirmwareRecord => {
      return { id: device.id, image, operation: operationIdOf(batch, device.id), ...times };
    };
    const target = async (batch: BatchId): Promise<BatchTarget> => {
      const along = [this.#keeping(stored, record(batch)), noting];
      const busy = await isBusy(this.#parts.operations, device, batch);
      return { cpeid: device.id, image, along, ...(busy && { skipped: 'already-under-way' }) };
    };
    const owner = image.organization ?? within;
    try {
      const batch = await this.#parts.batches.create(
        {
          name: cutText(`${build.version} for ${device.id}`, BATCH_NAME_CHARACTERS_MAX),
          // Its target is what the build says, as where the whole build is sent.
          what: { build: build.id },
          whom: { kind: 'targets', targets: (id) => one(target(id)) },
          persistent,
          listed: false,
          ...(through !== undefined && { through }),
          ...(owner !== null && { organization: owner }),
        },
        by,
      );
      const firmware = await this.#parts.firmwares.of(
        device,
        record(batch.id),
        new BuildImages(this.#parts.library),
      );
      // Its image is gone again by now.
      if (firmware === null) throw new DeviceFirmwareError('no-image');
      return { firmware, created: before === null, operation: firmware.operation };
    } catch (error) {
      if (!(error instanceof BatchError)) throw error;
      if (error.code === 'moved') return undefined;
      throw error.code === 'no-build' ? new DeviceFirmwareError('no-image') : error;
    }
  }

  /** It has it and runs it: nothing is to be done, but that somebody said so. @returns undefined where something has moved meanwhile */
  async #confirmed(
    { device, stored, placed }: Standing,
    before: DeviceFirmware,
    by: Actor,
  ): Promise<Assigned | undefined> {
    const { image } = placed;
    const times = this.#times(device, stored, before);
    const record: FirmwareRecord = { id: device.id, image, operation: before.operation, ...times };
    const { committed } = await this.#parts.store.commit([
      this.#keeping(stored, record),
      await this.#noting('firmware-given', device, { by, before: shown(before), after: shown(before) }),
    ]);
    if (!committed) return undefined;
    const { modifiedAtMs } = times;
    const operation = before.operation ?? (await this.#lastOf(device.id));
    return { firmware: { ...before, modifiedAtMs }, created: false, operation };
  }

  async #lastOf(cpeid: CpeId): Promise<OperationId | null> {
    for await (const { id } of this.#parts.operations.scan({ cpeid })) return id;
    return null;
  }

  /** Null where none of that id is known to those who are `within`. */
  async #device(cpeid: CpeId, within: Within): Promise<Device | null> {
    const device = await this.#parts.devices.get(cpeid);
    if (device === null || within === null) return device;
    return (await this.#parts.firmwares.organizationOf(device)) === within ? device : null;
  }

  #of(device: Device, stored: Stored<FirmwareRecord> | null): Promise<DeviceFirmware | null> {
    const images = new BuildImages(this.#parts.library);
    return this.#parts.firmwares.of(device, stored?.document ?? null, images);
  }

  #keeping(stored: Stored<FirmwareRecord> | null, record: FirmwareRecord): Change {
    return stored === null
      ? this.#records.inserting(record)
      : this.#records.replacing(record, stored.revision);
  }

  /** One that was taken away and is given again is a new one. */
  #times(device: Device, stored: Stored<FirmwareRecord> | null, reported?: DeviceFirmware) {
    const nowMs = this.#parts.clock();
    const record = stored?.document ?? null;
    const isThere = record !== null && record.image !== null && isOf(device, record);
    const kept = isThere ? record : reported;
    return { createdAtMs: kept?.createdAtMs ?? nowMs, modifiedAtMs: nowMs };
  }

  async #noting(
    action: string,
    device: Device,
    how: Pick<Happening, 'by' | 'before' | 'after'>,
  ): Promise<Change> {
    const organization = await this.#parts.firmwares.organizationOf(device);
    return this.#events.noting({ action, subject: 'device', subjectId: device.id, organization, ...how });
  }
}

async function* one<T>(only: Promise<T>): AsyncGenerator<T, void> {
  yield await only;
}

/** What the log of events says of a firmware. */
function shown({ image, build }: Pick<DeviceFirmware, 'image' | 'build'>) {
  return { image: image.name, build };
}
