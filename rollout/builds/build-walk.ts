import type { Device, Devices } from '../../acs/index.js';
import type { CpeId, OrganizationId, Turn } from '../../common/index.js';
import type { Build } from '../../firmware/index.js';
import type { Collection, Stored } from '../../store/index.js';
import type { OperationImage } from '../operations/index.js';
import type { Boards } from './boards.js';
import { BuildImages, type BuildLibrary } from './build-images.js';
import type { BuildPlan, DeviceFirmware, Within } from './device-firmware.js';
import type { FirmwareRecord } from './firmware-record.js';
import { isOf, type KnownFirmwares } from './known-firmwares.js';

interface Walked {
  readonly device: Device;
  /** What is kept of its firmware, as it was when the CPE was looked at. */
  readonly stored: Stored<FirmwareRecord> | null;
}

/** A CPE that a build would upgrade. */
export type WalkedDevice =
  /** It has a firmware of the build's category; image null: the build has none of its type. */
  | (Walked & {
      readonly kind: 'firmware';
      readonly firmware: DeviceFirmware;
      readonly image: OperationImage | null;
    })
  /** It has no firmware of any build, and one of the build's images is for its model. */
  | (Walked & { readonly kind: 'firmwareless'; readonly image: OperationImage });

export interface BuildWalkParts {
  readonly devices: Pick<Devices, 'get' | 'newest' | 'isWaiting' | 'organizations'>;
  readonly records: Collection<FirmwareRecord>;
  readonly library: BuildLibrary;
  readonly firmwares: KnownFirmwares;
  readonly boards: Boards;
}

/** So many CPEs are looked at side by side: their firmware is read in one go. */
const CPES_AT_ONCE = 50;
const atOnce: Turn = (work) => work();

/** Goes through the CPEs that a build may be for. What a dry run tells and what a batch does both come from here. */
export class BuildWalk {
  readonly #parts: BuildWalkParts;

  constructor(parts: BuildWalkParts) {
    this.#parts = parts;
  }

  /** Those that the build would upgrade, by when they came first, newest first. @throws StoreError */
  async *walk(build: Build, within: Within, turn: Turn = atOnce): AsyncGenerator<WalkedDevice, void> {
    const images = new BuildImages(this.#parts.library);
    for await (const portion of this.#portions(build, within, turn)) {
      const records = await turn(() => this.#parts.records.getMany(portion.map(({ id }) => id)));
      yield* await this.#judged(
        build,
        portion.map((device, at) => ({ device, stored: records[at] ?? null })),
        images,
      );
    }
  }

  plan(build: Build, within: Within, turn: Turn = atOnce): BuildPlan {
    return { firmwares: this.#firmwares(build, within, turn), devices: this.#devices(build, within, turn) };
  }

  async *#devices(build: Build, within: Within, turn: Turn): AsyncGenerator<CpeId, void> {
    for await (const walked of this.walk(build, within, turn))
      if (walked.kind === 'firmwareless') yield walked.device.id;
  }

  /** Those that were given and those that are reported, each newest first, put together so. */
  async *#firmwares(build: Build, within: Within, turn: Turn): AsyncGenerator<DeviceFirmware, void> {
    const reported = this.#reported(build, within, turn);
    let next = await reported.next();
    for await (const given of this.#given(build, within, turn)) {
      while (next.done !== true && next.value.createdAtMs > given.createdAtMs) {
        yield next.value;
        next = await reported.next();
      }
      yield given;
    }
    if (next.done !== true) yield next.value;
    yield* reported;
  }

  async *#reported(build: Build, within: Within, turn: Turn): AsyncGenerator<DeviceFirmware, void> {
    for await (const walked of this.walk(build, within, turn))
      if (walked.kind === 'firmware' && !isGiven(walked)) yield walked.firmware;
  }

  async *#given(build: Build, within: Within, turn: Turn): AsyncGenerator<DeviceFirmware, void> {
    const images = new BuildImages(this.#parts.library);
    const isTheirs = await this.#whose(build, within);
    if (isTheirs === null) return;
    const given = this.#parts.records.scan({ index: 'list', order: 'descending' }, turn);
    for await (const records of inPortions(given)) {
      const read = () => Promise.all(records.map(({ document }) => this.#parts.devices.get(document.id)));
      const devices = await turn(read);
      const there = records.flatMap((stored, at) => {
        const device = devices[at];
        return device != null && isTheirs(device) ? [{ stored, device }] : [];
      });
      for (const each of await this.#judged(build, there, images))
        if (each.kind === 'firmware' && isGiven(each)) yield each.firmware;
    }
  }

  async *#portions(build: Build, within: Within, turn: Turn): AsyncGenerator<readonly Device[], void> {
    const isTheirs = await this.#whose(build, within);
    if (isTheirs === null) return;
    const organization = build.organization ?? within;
    const { byDefault } = await this.#parts.devices.organizations();
    // Not all of the default's are in the index.
    const only = organization === null || organization === byDefault?.id ? undefined : organization;
    yield* inPortions(this.#parts.devices.newest(only as OrganizationId | undefined, turn), isTheirs);
  }

  /** Whose CPEs a build is for, as far as whoever asks may see them; null: nobody's. */
  async #whose(build: Build, within: Within): Promise<((device: Device) => boolean) | null> {
    if (build.organization !== undefined && within !== null && build.organization !== within) return null;
    const organization = build.organization ?? within;
    const organizations = await this.#parts.devices.organizations();
    return (device) =>
      (organization === null || organizations.of(device.organization)?.id === organization) &&
      // It goes by another name now.
      device.supersededBy === undefined &&
      !this.#parts.devices.isWaiting(device);
  }

  async #judged(build: Build, all: readonly Walked[], images: BuildImages): Promise<readonly WalkedDevice[]> {
    const judged = await Promise.all(
      all.map(({ device, stored }) => this.#judge(build, device, stored, images)),
    );
    return judged.filter((each) => each !== null);
  }

  async #judge(
    build: Build,
    device: Device,
    stored: Stored<FirmwareRecord> | null,
    images: BuildImages,
  ): Promise<WalkedDevice | null> {
    const { firmwares, boards } = this.#parts;
    const firmware = await firmwares.of(device, stored?.document ?? null, images);
    const ofBuild = await images.of(build);
    if (firmware !== null) {
      if (firmware.category !== build.category || (firmware.build === build.id && firmware.installed))
        return null;
      return { kind: 'firmware', device, stored, firmware, image: ofBuild.get(firmware.type) ?? null };
    }
    const model = await firmwares.modelOf(device);
    const type = model === undefined ? undefined : boards.typeFor(model, [...ofBuild.keys()]);
    const image = type === undefined ? undefined : ofBuild.get(type);
    return image === undefined ? null : { kind: 'firmwareless', device, stored, image };
  }
}

/** Whether its firmware is what it was given, rather than what it reports. */
function isGiven({ device, firmware, stored }: Extract<WalkedDevice, { kind: 'firmware' }>): boolean {
  return (
    stored !== null &&
    isOf(device, stored.document) &&
    stored.document.image?.number === firmware.image.number
  );
}

/** So many together, in the same order. */
export async function* inPortions<T>(
  all: AsyncIterable<T>,
  counts: (each: T) => boolean = () => true,
): AsyncGenerator<readonly T[], void> {
  let portion: T[] = [];
  for await (const each of all) {
    if (!counts(each)) continue;
    portion.push(each);
    if (portion.length < CPES_AT_ONCE) continue;
    yield portion;
    portion = [];
  }
  if (portion.length > 0) yield portion;
}
