import type { Change, Collection, Store } from '../../store/index.js';
import { BUILD_IMAGES_MAX, BUILDS, type BuildDocument, type BuildImage, type BuildPlace } from './build.js';
import { BuildError, noBuild } from './build-error.js';
import { SHARED } from './category.js';
import { checkType } from './fields.js';

/** What of an image stands in its build. */
export interface PlacedImage {
  readonly name: string;
  readonly organization?: string | undefined;
  readonly softwareVersion?: string | undefined;
}

/** Where it is, and where it is to be; null: in no build. */
export interface Move {
  readonly from: BuildPlace | null;
  readonly to: BuildPlace | null;
}

/** The places of images in builds: what must be in the commit by which an image comes to have one, or gives it up. */
export class BuildPlaces {
  readonly #builds: Collection<BuildDocument>;

  constructor(store: Store) {
    this.#builds = store.collection<BuildDocument>(BUILDS);
  }

  /**
   * Refused where the build has changed meanwhile: then all is planned again.
   * @param isBroughtBack  the image was there before: a build that is gone is passed over
   * @throws BuildError `not-found` (a build of another owner, too), `type-taken`, `too-many`, `invalid`
   * @throws StoreError
   */
  async moving(image: PlacedImage, { from, to }: Move, isBroughtBack = false): Promise<readonly Change[]> {
    if (to !== null) checkType(to.type);
    const changes: Change[] = [];
    for (const id of new Set([from, to].flatMap((place) => (place === null ? [] : [place.build])))) {
      const stored = await this.#builds.get(id);
      if (stored === null || stored.document.owner !== (image.organization ?? SHARED)) {
        // The place that somebody asks for is his to name; that a build is gone which the image had is nobody's fault.
        if (to?.build === id && !isBroughtBack) throw noBuild();
        continue;
      }
      const { document, revision } = stored;
      const left = from?.build === id ? without(document.images, from.type, image.name) : document.images;
      const images = to?.build === id ? withImage(left, to.type, image) : left;
      if (images !== document.images) changes.push(this.#builds.replacing({ ...document, images }, revision));
    }
    return changes;
  }
}

function without(images: readonly BuildImage[], type: string, name: string): readonly BuildImage[] {
  const left = images.filter((each) => each.type !== type || each.name !== name);
  return left.length === images.length ? images : left;
}

function withImage(
  images: readonly BuildImage[],
  type: string,
  { name, softwareVersion }: PlacedImage,
): readonly BuildImage[] {
  const there = images.find((each) => each.type === type);
  if (there?.name === name) return images;
  if (there !== undefined)
    throw new BuildError(
      'type-taken',
      'type',
      `another: the build has ${there.name} for ${type} already; take that out of it first`,
    );
  if (images.length >= BUILD_IMAGES_MAX)
    throw new BuildError('too-many', 'build', `one with fewer than ${BUILD_IMAGES_MAX} images`);
  const all = [...images, { type, name, softwareVersion: softwareVersion ?? null }];
  return all.sort((a, b) => (a.type < b.type ? -1 : 1));
}
