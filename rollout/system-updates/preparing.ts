import { createHash } from 'node:crypto';
import { addAbortSignal } from 'node:stream';
import type { Devices } from '../../acs/index.js';
import { type CpeId, MINUTE_MS } from '../../common/index.js';
import type { Image, ImageLibrary } from '../../firmware/index.js';
import type { OperationImage } from '../operations/index.js';
import type { FittingImages } from './fitting-images.js';

/** What a disk, or a database, may take to give the next bytes of what it has. */
const READ_MS_MAX = MINUTE_MS;

export interface PreparingParts {
  readonly devices: Pick<Devices, 'get' | 'isWaiting'>;
  readonly images: Pick<ImageLibrary, 'withNumber' | 'open'>;
  readonly fitting: FittingImages;
}

/**
 * Looks whether a CPE can be sent an image that was chosen for it: what is known of it now, whether the image is still there and fits, and
 * whether all of its bytes are those that came.
 * @param signal  breaks it off
 * @returns why not, in words; null: it can
 * @throws StoreError, and whatever keeps the bytes from being read
 */
export async function whyNotReady(
  { devices, images, fitting }: PreparingParts,
  cpeid: CpeId,
  chosen: OperationImage,
  signal: AbortSignal,
): Promise<string | null> {
  const device = await devices.get(cpeid);
  if (device === null) return 'the device is not known any more';
  if (devices.isWaiting(device)) return 'the device is not enrolled';
  const image = await images.withNumber(chosen.number);
  if (image === null) return `the image ${chosen.name} is not there any more`;
  const whyNot = await fitting.fitOf(device);
  const unfit = whyNot === null ? 'the device is not known any more' : await whyNot(image);
  if (unfit !== null) return unfit;
  return (await isWhole(images, image, signal))
    ? null
    : `the content of the image ${image.name} is damaged: upload it again`;
}

async function isWhole(
  images: Pick<ImageLibrary, 'open'>,
  image: Image,
  signal: AbortSignal,
): Promise<boolean> {
  const content = await images.open(image);
  if (content === null) return false;
  const hash = createHash('sha256');
  const bytes = addAbortSignal(signal, content.read({ start: 0, end: image.sizeBytes - 1 }));
  const idle = () =>
    bytes.destroy(new Error(`No bytes of image ${image.id} came for ${READ_MS_MAX / 1_000} seconds`));
  let timer = setTimeout(idle, READ_MS_MAX);
  try {
    for await (const chunk of bytes) {
      clearTimeout(timer);
      hash.update(chunk as Buffer);
      timer = setTimeout(idle, READ_MS_MAX);
    }
  } finally {
    clearTimeout(timer);
  }
  return hash.digest('hex') === image.sha256;
}
