import { uuidV5 } from '../common/index.js';

/** Of images by their numbers; made for this alone. */
const IMAGE_NAMESPACE = '6f1d2f0e-5b0a-4c3e-9d52-2f3c8a1b7e64';

/** By which clients know an image that want UUIDs: of its number in the installation, which is its own for good. */
export function imageUuid(number: number): string {
  return uuidV5(IMAGE_NAMESPACE, String(number));
}
