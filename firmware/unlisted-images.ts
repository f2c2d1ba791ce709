import { type Actor, EventLog } from '../events/index.js';
import {
  type Change,
  type Collection,
  type CollectionDefinition,
  type Document,
  type Store,
  type Stored,
  untilCommitted,
} from '../store/index.js';
import {
  IMAGE_NAME_PATTERN,
  type Image,
  ImageError,
  type ImageLibrary,
  UNLISTED_MAX,
  type UnlistedImages,
} from './image.js';
import { type ImageDocument, imageOf } from './image-document.js';
import { comingOrGoing, listed } from './image-events.js';
import { imageIdIn } from './image-id.js';

/** Of each owner what waits (id: the organization's, or `shared`); found anew where it is missing. */
interface WaitingDocument extends Document {
  /** Ids of images. Some may be listed by now, or gone. */
  readonly images: readonly string[];
}

export const IMAGES_UNLISTED: CollectionDefinition = { name: 'images-unlisted', indexes: {} };
/** The owner of what is the installation's; an organization's id is a UUID. */
const SHARED = 'shared';

/**
 * Images that wait to be listed, kept with the others. Each comes in a commit that changes the document of its owner's, so that of uploads at
 * once each knows of those before it.
 */
export class StoredUnlistedImages implements UnlistedImages {
  readonly #images: Collection<ImageDocument>;
  readonly #waiting: Collection<WaitingDocument>;
  readonly #store: Store;
  readonly #events: EventLog;

  constructor(
    parts: ConstructorParameters<typeof EventLog>[0],
    images: Collection<ImageDocument>,
    private readonly library: Pick<ImageLibrary, 'remove'>,
  ) {
    this.#images = images;
    this.#waiting = parts.store.collection<WaitingDocument>(IMAGES_UNLISTED);
    this.#store = parts.store;
    this.#events = new EventLog(parts);
  }

  async of(organization?: string): Promise<readonly Image[]> {
    return this.#thoseOf(await this.#waiting.get(organization ?? SHARED), organization);
  }

  /**
   * For the commit by which one more comes to wait: refused where another did meanwhile.
   * @throws ImageError `too-many-unlisted`
   */
  async adding(id: string, organization: string | undefined): Promise<readonly Change[]> {
    const owner = organization ?? SHARED;
    const stored = await this.#waiting.get(owner);
    const waiting = await this.#thoseOf(stored, organization);
    if (waiting.length >= UNLISTED_MAX) {
      throw new ImageError(
        'too-many-unlisted',
        null,
        `at most ${UNLISTED_MAX} images wait to be listed: have these listed, or remove some`,
      );
    }
    const document = { id: owner, images: [...waiting.map((image) => image.id), id] };
    return [
      stored === null
        ? this.#waiting.inserting(document)
        : this.#waiting.replacing(document, stored.revision),
    ];
  }

  async list(name: string, by: Actor | null, organization?: string): Promise<'listed' | 'was-listed' | null> {
    if (!IMAGE_NAME_PATTERN.test(name)) return null;
    const id = imageIdIn(organization, name);
    return untilCommitted(`The image ${id}`, async () => {
      const stored = await this.#images.get(id);
      if (stored === null) return null;
      const { unlistedAtMs, ...document } = stored.document;
      if (unlistedAtMs === undefined) return 'was-listed';
      const { committed } = await this.#store.commit([
        this.#images.replacing(document, stored.revision),
        this.#events.noting(listed(imageOf(document), by)),
      ]);
      return committed ? 'listed' : undefined;
    });
  }

  giveUp(
    name: string,
    organization: string | undefined,
    mayGo: (image: Image) => Promise<readonly Change[] | null>,
  ): Promise<boolean> {
    return this.library.remove(name, null, organization, async (image) => {
      const going = image.unlistedAtMs === undefined ? null : await mayGo(image);
      return going && [...going, this.#events.noting(comingOrGoing('removed', image, null))];
    });
  }

  async #thoseOf(
    stored: Stored<WaitingDocument> | null,
    organization: string | undefined,
  ): Promise<readonly Image[]> {
    if (stored === null) return this.#found(organization);
    const images = await this.#images.getMany(stored.document.images);
    return images.flatMap((each) =>
      each?.document.unlistedAtMs === undefined ? [] : [imageOf(each.document)],
    );
  }

  /** Looks for them among everybody's: once for an owner, and after a restore. */
  async #found(organization: string | undefined): Promise<readonly Image[]> {
    const found: Image[] = [];
    for await (const { document } of this.#images.scan({ index: 'unlisted' })) {
      const image = imageOf(document);
      if (image.organization === organization) found.push(image);
    }
    return found;
  }
}
