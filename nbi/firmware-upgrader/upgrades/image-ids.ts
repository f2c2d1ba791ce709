import type { Image, ImageLibrary, ImageUuids } from '../../../firmware/index.js';
import type { OperationImage } from '../../../rollout/index.js';

/** Finds images by the UUIDs that clients know them by. */
export class ImageIds {
  constructor(
    private readonly images: Pick<ImageLibrary, 'withNumber'>,
    private readonly uuids: ImageUuids,
  ) {}

  /** The id of an image that is there; null where it is gone. */
  async idOf(image: OperationImage | null): Promise<string | null> {
    const found = image === null ? null : await this.images.withNumber(image.number);
    return found?.number === undefined ? null : this.uuids.of(found.number);
  }

  /** The image of an id, whosever it is. */
  async find(id: string): Promise<Image | null> {
    const number = this.uuids.numberOf(id);
    return number === null ? null : this.images.withNumber(number);
  }
}
