import type { Collection, Store } from '../store/index.js';
import type { Numbers } from './builds/index.js';
import type { ImageDocument } from './image-document.js';

/**
 * Gives a number to each image that has none: an older Ferry has added it, or a backup of one has brought it. Where another process does the
 * same, or the image changes, the one that is second leaves it; what is left over is seen to the next time.
 * @throws StoreError
 */
export async function numberImages(
  store: Store,
  images: Collection<ImageDocument>,
  numbers: Numbers,
): Promise<void> {
  for await (const { document, revision } of images.scan({})) {
    if (document.number !== undefined) continue;
    const { number, changes } = await numbers.forImage(document.id);
    await store.commit([images.replacing({ ...document, number }, revision), ...changes]);
  }
}
