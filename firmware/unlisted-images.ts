import { type Actor, EventLog } from '../events/index.js';
import { type Collection, type Store, untilCommitted } from '../store/index.js';
import { IMAGE_NAME_PATTERN, type Image, type ImageLibrary, type UnlistedImages } from './image.js';
import { type ImageDocument, imageOf } from './image-document.js';
import { comingOrGoing, listed } from './image-events.js';
import { imageIdIn } from './image-id.js';

/** Images that wait to be listed, kept with the others. */
export class StoredUnlistedImages implements UnlistedImages {
  readonly #images: Collection<ImageDocument>;
  readonly #store: Store;
  readonly #events: EventLog;

  constructor(
    parts: ConstructorParameters<typeof EventLog>[0],
    images: Collection<ImageDocument>,
    private readonly library: Pick<ImageLibrary, 'remove'>,
  ) {
    this.#images = images;
    this.#store = parts.store;
    this.#events = new EventLog(parts);
  }

  async *scan(beforeMs?: number): AsyncGenerator<Image, void> {
    const before = beforeMs === undefined ? {} : { below: beforeMs };
    for await (const { document } of this.#images.scan({ index: 'unlisted', ...before }))
      yield imageOf(document);
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

  giveUp(name: string, organization?: string): Promise<boolean> {
    return this.library.remove(name, null, organization, async (image) =>
      image.unlistedAtMs === undefined ? null : [this.#events.noting(comingOrGoing('removed', image, null))],
    );
  }
}
