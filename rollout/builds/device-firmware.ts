import type { CpeId, OperationId } from '../../common/index.js';
import type { Actor } from '../../events/index.js';
import type { Build, BuildImage } from '../../firmware/index.js';
import type { Batch } from '../batches/batch.js';
import type { OperationImage } from '../operations/operation.js';

/** The firmware that a CPE has, or is to have, as far as builds go: one for a CPE. */
export interface DeviceFirmware {
  /** A UUID of version 5 of the CPE's own. */
  readonly id: string;
  readonly cpeid: CpeId;
  readonly image: OperationImage;
  readonly build: string;
  readonly category: string;
  /** Of its build. */
  readonly type: string;
  /** The CPE runs it: its last operation was verified, or it reported the build's `os` when nothing else was known. */
  readonly installed: boolean;
  /** The operation that is to bring it; null: none was needed. */
  readonly operation: OperationId | null;
  readonly modifiedAtMs: number;
}

/** Whom a build would upgrade. */
export interface BuildPlan {
  /** The firmware of CPEs in the build's category that do not run this build, newest first. */
  readonly firmwares: readonly DeviceFirmware[];
  /** CPEs without a firmware that fit one of the build's images, newest first. */
  readonly devices: readonly CpeId[];
}

/** Who asks: the CPEs and images of one organization (and the shared images), or everybody's. */
export type Within = string | null;

export type DeviceFirmwareErrorCode =
  /** Not enrolled: it may not be upgraded. */
  | 'deactivated'
  | 'no-device'
  | 'no-image'
  /** Neither the CPE's model nor the image's boards fit. */
  | 'model-mismatch';

export class DeviceFirmwareError extends Error {
  override readonly name = 'DeviceFirmwareError';
  constructor(readonly code: DeviceFirmwareErrorCode) {
    super(code);
  }
}

/** What CPEs have of builds. */
export interface DeviceFirmwares {
  /** @returns null where it has none */
  get(cpeid: CpeId): Promise<DeviceFirmware | null>;
  /**
   * Gives a CPE an image. An upgrade begins (a batch of one CPE that no list shows) where the image is another or is not installed.
   * @returns `created`: it had none; `operation`: the one that begins, else the last that the CPE had, else null
   * @throws DeviceFirmwareError
   */
  assign(
    cpeid: CpeId,
    image: OperationImage,
    options: { readonly by: Actor; readonly within: Within; readonly persistent: boolean },
  ): Promise<{
    readonly firmware: DeviceFirmware;
    readonly created: boolean;
    readonly operation: OperationId | null;
  }>;
  /** Forgets it; what runs goes on, operations stay. @returns whether it had one */
  remove(cpeid: CpeId, by: Actor): Promise<boolean>;
  /** Whether an image of a build may be given to a CPE by the type of its board (the last type that lists the board is the only one). */
  accepts(model: string | undefined, image: BuildImage): 'yes' | 'other-type' | 'other-model';
}

/** Whole builds on all their devices. */
export interface BuildUpgrades {
  /** What {@link start} with `firmwareless` would do now; without it only its `firmwares`. */
  plan(build: Build, within: Within): Promise<BuildPlan>;
  /** @returns null where there is nobody to upgrade, and then nothing is made */
  start(
    build: Build,
    options: {
      readonly firmwareless: boolean;
      readonly by: Actor;
      readonly within: Within;
      readonly persistent: boolean;
      /** Also where there is nobody. */
      readonly evenEmpty?: boolean;
    },
  ): Promise<Batch | null>;
}
