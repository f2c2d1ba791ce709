import type { Devices } from '../../acs/index.js';
import type { CpeId, Logger } from '../../common/index.js';
import type { OperationImage } from '../operations/index.js';
import type { FittingImages } from './fitting-images.js';
import type { WholeContents } from './whole-contents.js';

export interface PreparingParts {
  readonly devices: Pick<Devices, 'get' | 'isWaiting'>;
  readonly fitting: FittingImages;
  readonly contents: WholeContents;
  readonly logger: Logger;
}

/**
 * Looks whether a CPE can be sent an image that was chosen for it: what is known of it now, whether the image is still there and fits, and
 * whether all of its bytes are those that came.
 * @param signal  whether it was broken off: what then fails says nothing of the image
 * @returns why not, in words; null: it can
 * @throws StoreError; whatever comes of breaking it off
 */
export async function whyNotReady(
  { devices, fitting, contents, logger }: PreparingParts,
  cpeid: CpeId,
  chosen: OperationImage,
  signal: AbortSignal,
): Promise<string | null> {
  const device = await devices.get(cpeid);
  if (device === null) return 'the device is not known any more';
  if (devices.isWaiting(device)) return 'the device is not enrolled';
  const image = await fitting.withNumber(device, chosen.number);
  if (image === null) return `the image ${chosen.name} is not there any more, or does not fit the device`;
  const unsent = await fitting.whyNotSent(image);
  if (unsent !== null) return `the image ${image.name} would not be sent: ${unsent}`;
  try {
    return (await contents.isWhole(image))
      ? null
      : `the content of the image ${image.name} is damaged: upload it again`;
  } catch (error) {
    if (signal.aborted) throw error;
    logger.warn('system-update.content-not-read', { cpeid, image: image.id, error });
    return `the content of the image ${image.name} cannot be read now: reset the update, and begin again`;
  }
}
