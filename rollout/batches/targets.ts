import type { BatchId, CpeId, Turn } from '../../common/index.js';
import type { Build } from '../../firmware/index.js';
import type { Change } from '../../store/index.js';
import type { OperationImage, OperationReason } from '../operations/index.js';

/** One CPE of a batch, and what it is to get. */
export interface BatchTarget {
  readonly cpeid: CpeId;
  readonly image: OperationImage;
  /** Why it is not sent that, whatever it does: its operation is `skipped` from the first. Absent: it waits. */
  readonly skipped?: OperationReason;
  /** What is said of `skipped` in words. */
  readonly detail?: string;
  /** Goes into the commit by which its operation comes to be. */
  readonly along?: readonly Change[];
}

/** Whose CPEs of a build are looked at. */
export interface BuildDevices {
  /** The batch that is made for them: ids of its operations follow from it. */
  readonly batch: BatchId;
  /** Also those that have no firmware of any build and fit an image of this one. */
  readonly firmwareless: boolean;
  /** The id of the organization whose CPEs alone; null: everybody's, as far as the build goes. */
  readonly within: string | null;
}

/** The devices of builds. What it gives is checked already: known, enrolled, of the organization, and the image fits. */
export interface BuildTargets {
  /**
   * The devices of a build as they are when each is come to, newest first, each once. Where it is asked again for the same batch (another
   * process goes on with it) it gives those again that have their operation already, and they are to be passed over.
   * @param turn  see `Collection.scan`
   */
  targetsOf(build: Build, devices: BuildDevices, turn?: Turn): AsyncIterable<BatchTarget>;
}
