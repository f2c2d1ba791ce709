import type { CpeId, OperationId, Turn } from '../../common/index.js';
import type { Actor } from '../../events/index.js';
import type { Build, BuildImage } from '../../firmware/index.js';
import type { Batch, BatchThrough } from '../batches/index.js';
import type { OperationImage } from '../operations/index.js';

/** The firmware that a CPE has, or is to have, as far as builds go: one for a CPE. */
export interface DeviceFirmware {
  /** A UUID of version 5 of the CPE's own. */
  readonly id: string;
  readonly cpeid: CpeId;
  readonly image: OperationImage;
  /** Where its image stands now. */
  readonly build: string;
  readonly category: string;
  /** Of its image in the build. */
  readonly type: string;
  /** The CPE runs it: its last operation was verified, or it reported the build's `os` when nothing else was known. */
  readonly installed: boolean;
  /** The operation that is to bring it; null: none was needed. */
  readonly operation: OperationId | null;
  /** By which lists of them are sorted: when it was given first, or when its CPE came first. */
  readonly createdAtMs: number;
  readonly modifiedAtMs: number;
}

/** Whom a build would upgrade: both are read as they are asked for, so that nobody holds a whole fleet. */
export interface BuildPlan {
  /** The firmware of CPEs in the build's category that do not run this build, newest first. */
  readonly firmwares: AsyncIterable<DeviceFirmware>;
  /** CPEs without a firmware that fit one of the build's images, newest first. */
  readonly devices: AsyncIterable<CpeId>;
}

/** Who asks: the CPEs and images of one organization (and the shared images), or everybody's. */
export type Within = string | null;

export type DeviceFirmwareErrorCode =
  /** Not enrolled: it may not be upgraded. */
  | 'deactivated'
  | 'no-device'
  /** None that may be given to this CPE: not there, another organization's, or of a type that is for other boards. */
  | 'no-image'
  /** Neither is the CPE's model a known board, nor the image for it. */
  | 'model-mismatch';

export class DeviceFirmwareError extends Error {
  override readonly name = 'DeviceFirmwareError';
  constructor(readonly code: DeviceFirmwareErrorCode) {
    super(code);
  }
}

export interface Assignment {
  readonly by: Actor;
  readonly within: Within;
  /** A CPE that is away gets it when it comes; else it is given up after an hour. */
  readonly persistent: boolean;
  /** One that has a firmware may go to another category of builds. */
  readonly acrossCategories?: boolean;
  /** Through which API it is given. */
  readonly through?: BatchThrough;
}

export interface Assigned {
  readonly firmware: DeviceFirmware;
  /** It had none. */
  readonly created: boolean;
  /** The one that begins, else the last that the CPE had, else null. */
  readonly operation: OperationId | null;
}

/** What CPEs have of builds. */
export interface DeviceFirmwares {
  /** @returns null where it has none, or is not known */
  get(cpeid: CpeId): Promise<DeviceFirmware | null>;
  /**
   * Gives a CPE an image. An upgrade begins (a batch of one CPE that no list shows) where the image is another or is not installed; where
   * another operation of the CPE waits or runs its own is skipped (`already-under-way`).
   * @param image  null: the one that it has, whose type need only list its board
   * @throws DeviceFirmwareError; StoreError
   */
  assign(cpeid: CpeId, image: OperationImage | null, how: Assignment): Promise<Assigned>;
  /**
   * Forgets it; what runs goes on, operations stay.
   * @returns whether it had one
   * @throws DeviceFirmwareError `deactivated`; StoreError
   */
  remove(cpeid: CpeId, how: Pick<Assignment, 'by' | 'within'>): Promise<boolean>;
  /** Whether an image of a build may be given to a CPE by the type of its board (the last type that lists the board is the only one). */
  accepts(model: string | undefined, image: Pick<BuildImage, 'type'>): 'yes' | 'other-type' | 'other-model';
}

/** Whole builds on all their devices. */
export interface BuildUpgrades {
  /** Whom {@link start} with `firmwareless` would look at now; without it only its `firmwares`. @param turn  see `Collection.scan` */
  plan(build: Build, within: Within, turn?: Turn): BuildPlan;
  /**
   * A batch of them. One whose build has no image of the type that it has is looked at, and gets no operation.
   * @returns null where there is nobody to upgrade, and then nothing is made
   * @throws BatchError, OrganizationError, StoreError
   */
  start(
    build: Build,
    options: {
      readonly firmwareless: boolean;
      readonly by: Actor;
      readonly within: Within;
      readonly persistent: boolean;
      /** Also where there is nobody. */
      readonly evenEmpty?: boolean;
      /** Through which API it is made. */
      readonly through?: BatchThrough;
    },
    turn?: Turn,
  ): Promise<Batch | null>;
}
