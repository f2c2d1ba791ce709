import type { Change, Collection, CollectionDefinition, Document, Store } from '../store/index.js';
import { ImageError } from './image.js';
import type { ImageDocument } from './image-document.js';
import { placeBefore } from './image-lists.js';

/** What the images of one organization take, with what is reserved for uploads under way (id: the organization's). */
interface ImageRoomDocument extends Document {
  readonly bytes: number;
}

export const IMAGE_ROOM: CollectionDefinition = { name: 'image-room', indexes: {} };

const MIB = 1024 * 1024;

/**
 * How much the images of each organization take: kept in the commits by which images come and go, and by which uploads reserve what they
 * bring. Each image counts with its size, also where others hold the same bytes: so nobody learns of another's.
 */
export class ImageRoom {
  readonly #room: Collection<ImageRoomDocument>;

  /**
   * @param bytesMax  of one organization; null: as much as it likes. What is the installation's own has no bound
   */
  constructor(
    store: Store,
    private readonly images: Collection<ImageDocument>,
    private readonly bytesMax: number | null,
  ) {
    this.#room = store.collection<ImageRoomDocument>(IMAGE_ROOM);
  }

  /**
   * The change by which an organization's images take so much more or less. What they take is counted first where nobody has: images come and
   * go only together with that document, so that none does meanwhile.
   * @param isBound  whether more is refused where it would be too much
   */
  async taking(
    organization: string | undefined,
    bytes: number,
    { isBound }: { readonly isBound: boolean },
  ): Promise<readonly Change[]> {
    if (organization === undefined || bytes === 0) return [];
    if ((await this.#room.get(organization)) === null) {
      await this.#room.insert({ id: organization, bytes: await this.#count(organization) });
    }
    const bound = isBound && bytes > 0 && this.bytesMax !== null ? { bytes: this.bytesMax } : {};
    return [this.#room.counting(organization, { bytes }, bound)];
  }

  /**
   * To be asked of each change that a commit was refused for.
   * @throws ImageError `no-space` where that is one of {@link taking}
   */
  requireRoom(refused: Change): void {
    if (refused.kind !== 'count' || refused.collection !== this.#room.name) return;
    const mib = Math.floor((this.bytesMax ?? 0) / MIB);
    throw new ImageError(
      'no-space',
      null,
      `the images of one organization may take ${mib} MiB together (organizationImageMibMax), uploads under way among them: remove images first`,
    );
  }

  async #count(organization: string): Promise<number> {
    let bytes = 0;
    const own = { atLeast: placeBefore(organization), below: `/${organization}0` };
    for await (const { document } of this.images.scan(own)) bytes += document.sizeBytes;
    return bytes;
  }
}
