import type { Build, Builds, ImageLibrary } from '../../firmware/index.js';
import { type OperationImage, operationImageOf } from '../operations/index.js';

/** An image that stands in a build. */
export interface PlacedImage {
  readonly image: OperationImage;
  readonly build: Build;
  readonly type: string;
}

/** What is asked of the library of images. */
export type BuildLibrary = Pick<ImageLibrary, 'get' | 'withNumber'> & {
  readonly builds: Pick<Builds, 'get' | 'ofOs'>;
};

/** Of each kind so many are kept, so that no number of versions that CPEs report fills the memory. */
const KEPT_MAX = 1_000;

/**
 * Images and builds as a walk over many CPEs finds them: what was looked up is kept for as long as this is. It sees builds of everybody, as
 * CPEs do: whose image may be given to whom is judged where it is given.
 */
export class BuildImages {
  readonly #library: BuildLibrary;
  readonly #byNumber = new Map<number, Promise<PlacedImage | null>>();
  readonly #builds = new Map<string, Promise<Build | null>>();
  readonly #ofBuilds = new Map<string, Promise<ReadonlyMap<string, OperationImage>>>();
  readonly #byOs = new Map<string, Promise<readonly Build[]>>();

  constructor(library: BuildLibrary) {
    this.#library = library;
  }

  /** Null where there is no such image any more, or it stands in no build. @throws StoreError */
  withNumber(number: number): Promise<PlacedImage | null> {
    return kept(this.#byNumber, number, async () => {
      const found = await this.#library.withNumber(number);
      if (found?.build === undefined || found.type === undefined) return null;
      const build = await this.#build(found.build);
      if (build === null) return null;
      const image = operationImageOf(found);
      return image === null ? null : { image, build, type: found.type };
    });
  }

  /** The images of a build by their types. @throws StoreError */
  of(build: Build): Promise<ReadonlyMap<string, OperationImage>> {
    return kept(this.#ofBuilds, build.id, async () => {
      const images = new Map<string, OperationImage>();
      for (const { type, name } of build.images) {
        const found = await this.#library.get(name, build.organization);
        // By the image's own word: after a restore a build can list one that is not in it.
        const isIts = found?.build === build.id && found.organization === build.organization;
        const image = isIts ? operationImageOf(found) : null;
        if (image !== null) images.set(type, image);
      }
      return images;
    });
  }

  /** The builds that a CPE of an organization may run by what it reports: the organization's own, then the shared one. @throws StoreError */
  ofOs(os: string, organization: string | null): Promise<readonly Build[]> {
    return kept(this.#byOs, JSON.stringify([organization, os]), async () => {
      const found = await this.#library.builds.ofOs(os, organization);
      if (found?.organization === undefined) return found === null ? [] : [found];
      const shared = await this.#library.builds.ofOs(os, null);
      return shared === null ? [found] : [found, shared];
    });
  }

  #build(id: string): Promise<Build | null> {
    return kept(this.#builds, id, () => this.#library.builds.get(id, null));
  }
}

function kept<Key, Value>(
  found: Map<Key, Promise<Value>>,
  key: Key,
  look: () => Promise<Value>,
): Promise<Value> {
  const known = found.get(key);
  if (known !== undefined) return known;
  if (found.size >= KEPT_MAX) found.clear();
  const looked = look();
  found.set(key, looked);
  return looked;
}
