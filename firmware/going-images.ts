import { randomUUID } from 'node:crypto';
import type { Change, Collection, CollectionDefinition, Document, Store } from '../store/index.js';
import { imageNameIn } from './named-image.js';

/** One document while images are collected, and none else. Worth nothing to whoever comes later. */
export const IMAGES_GOING: CollectionDefinition = { name: 'images-going', indexes: {} };
const GOING_ID = 'going';
const ATTEMPTS_MAX = 100;

interface GoingDocument extends Document {
  /** The collection that has marked them. */
  readonly run: string;
  /** Names of images, whosever. */
  readonly names: readonly string[];
}

/**
 * The names of images that are about to be removed. Whoever writes a rule takes the name it has out of here in the commit that writes it, and
 * what is no longer in here is not removed: so a rule is either seen by the collection, which looks for rules after it has marked the names, or
 * saves its image. Neither waits for the other.
 */
export class GoingImages {
  readonly #store: Store;
  readonly #collection: Collection<GoingDocument>;

  constructor({ store }: { readonly store: Store }) {
    this.#store = store;
    this.#collection = store.collection<GoingDocument>(IMAGES_GOING);
  }

  /** For a commit that writes rules with these files: refused where images were marked since. */
  async keeping(files: readonly string[]): Promise<readonly Change[]> {
    const stored = await this.#collection.get(GOING_ID);
    if (stored === null) return [this.#collection.requiring(GOING_ID, null)];
    const { document, revision } = stored;
    const named = new Set(files.map(imageNameIn));
    const names = document.names.filter((name) => !named.has(name));
    return names.length === document.names.length
      ? [this.#collection.requiring(GOING_ID, revision)]
      : [this.#collection.replacing({ ...document, names }, revision)];
  }

  /** Marks names, in place of those of any other collection, which then removes no more. @returns the run that they are marked for */
  async mark(names: readonly string[]): Promise<string> {
    const run = randomUUID();
    await this.#collection.put({ id: GOING_ID, run, names });
    return run;
  }

  /** For a commit that removes an image: refused once its name is taken out, or another collection has begun. @returns null where that is so */
  async stillGoing(run: string, name: string): Promise<Change | null> {
    const stored = await this.#collection.get(GOING_ID);
    if (stored?.document.run !== run || !stored.document.names.includes(name)) return null;
    return this.#collection.requiring(GOING_ID, stored.revision);
  }

  /** Takes away what is left of the marks of a run. One that died leaves them, which keeps nobody from anything. */
  async unmark(run: string): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const stored = await this.#collection.get(GOING_ID);
      if (stored?.document.run !== run) return;
      const { committed } = await this.#store.commit([this.#collection.deleting(GOING_ID, stored.revision)]);
      if (committed) return;
    }
  }
}
