import type { Turn } from '../../../common/index.js';
import { type Image, type ImageLibrary, imageUuid } from '../../../firmware/index.js';
import type { OperationImage } from '../../../rollout/index.js';

/** Ids that were found lately; the oldest are forgotten first. */
const KEPT_MAX = 10_000;
const PAGE_IMAGES = 1_000;

/** Finds images by the UUIDs that clients know them by, which follow from their numbers and lead nowhere by themselves. */
export class ImageIds {
  readonly #images: Pick<ImageLibrary, 'withNumber' | 'list'>;
  readonly #numbers = new Map<string, number>();

  constructor(images: Pick<ImageLibrary, 'withNumber' | 'list'>) {
    this.#images = images;
  }

  /** The id of an image that is there; null where it is gone. */
  async idOf(image: OperationImage | null): Promise<string | null> {
    const found = image === null ? null : await this.#images.withNumber(image.number);
    return found?.number === undefined ? null : this.#noted(found.number);
  }

  /**
   * The image of an id, whosever it is. One that was not asked for lately is looked for among all.
   * @param turn  when each page of them is read
   */
  async find(id: string, turn: Turn): Promise<Image | null> {
    const known = this.#numbers.get(id);
    if (known !== undefined) return this.#images.withNumber(known);
    let after: string | null = '';
    while (after !== null) {
      const from: string = after;
      const page = await turn(() =>
        this.#images.list({ limit: PAGE_IMAGES, ...(from !== '' && { after: from }) }),
      );
      for (const image of page.items)
        if (image.number !== undefined && this.#noted(image.number) === id) return image;
      after = page.next;
    }
    return null;
  }

  #noted(number: number): string {
    const id = imageUuid(number);
    this.#numbers.delete(id);
    this.#numbers.set(id, number);
    const [oldest] = this.#numbers.keys();
    if (this.#numbers.size > KEPT_MAX && oldest !== undefined) this.#numbers.delete(oldest);
    return id;
  }
}
