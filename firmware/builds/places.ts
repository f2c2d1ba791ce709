import { type Change, type Collection, type Store, untilCommitted } from '../../store/index.js';
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

/** What images say themselves of where they stand. */
export interface SaidPlaces {
  /** Null where it stands in no build, or is not there; and what a commit requires that rests on that. @throws StoreError */
  placeOf(
    name: string,
    organization: string | undefined,
  ): Promise<{ readonly place: BuildPlace | null; readonly unchanged: Change }>;
}

/**
 * The places of images in builds: what must be in the commit by which an image comes to have one, or gives it up. After a backup that was
 * made while an image came or went the build can list one that does not say so, or that is not there; it is then as though it did not.
 */
export class BuildPlaces {
  readonly #store: Store;
  readonly #builds: Collection<BuildDocument>;
  readonly #said: SaidPlaces;

  constructor(store: Store, said: SaidPlaces) {
    this.#store = store;
    this.#builds = store.collection<BuildDocument>(BUILDS);
    this.#said = said;
  }

  /**
   * Refused where the build has changed meanwhile: then all is planned again. Nothing where the builds list the image as it is to be.
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
      let images: readonly BuildImage[] = without(document.images, image.name);
      if (to?.build === id) {
        const there = ofType(images, to.type);
        if (there !== undefined) {
          changes.push(await this.#givingWay(id, there, image.organization));
          images = without(images, there.name);
        }
        images = withImage(images, to.type, image);
      }
      if (!areSame(images, document.images))
        changes.push(this.#builds.replacing({ ...document, images }, revision));
    }
    return changes;
  }

  /** Takes an image out of the list of a build that it does not say it is in. @throws StoreError */
  async leaveOut(id: string, { name, organization }: PlacedImage): Promise<void> {
    await untilCommitted(`The build ${id}`, async () => {
      const stored = await this.#builds.get(id);
      if (stored === null) return true;
      const { document, revision } = stored;
      const images = without(document.images, name);
      const { place, unchanged } = await this.#said.placeOf(name, organization);
      if (images.length === document.images.length || place?.build === id) return true;
      const { committed } = await this.#store.commit([
        unchanged,
        this.#builds.replacing({ ...document, images }, revision),
      ]);
      return committed ? true : undefined;
    });
  }

  /** What a commit requires that takes the place of an image which does not say that it has it. @throws BuildError `type-taken` */
  async #givingWay(
    build: string,
    { name, type }: BuildImage,
    organization: string | undefined,
  ): Promise<Change> {
    const { place, unchanged } = await this.#said.placeOf(name, organization);
    if (place?.build !== build || place.type !== type) return unchanged;
    throw new BuildError(
      'type-taken',
      'type',
      `another: the build has ${name} for ${type} already; take that out of it first`,
    );
  }
}

function without(images: readonly BuildImage[], name: string): readonly BuildImage[] {
  return images.filter((each) => each.name !== name);
}

/** Both in the order of their types. */
function areSame(images: readonly BuildImage[], others: readonly BuildImage[]): boolean {
  const textOf = (all: readonly BuildImage[]) =>
    JSON.stringify(all.map(({ type, name, softwareVersion }) => [type, name, softwareVersion]));
  return textOf(images) === textOf(others);
}

function ofType(images: readonly BuildImage[], type: string): BuildImage | undefined {
  return images.find((each) => each.type === type);
}

function withImage(
  images: readonly BuildImage[],
  type: string,
  { name, softwareVersion }: PlacedImage,
): readonly BuildImage[] {
  if (images.length >= BUILD_IMAGES_MAX)
    throw new BuildError('too-many', 'build', `one with fewer than ${BUILD_IMAGES_MAX} images`);
  const all = [...images, { type, name, softwareVersion: softwareVersion ?? null }];
  return all.sort((a, b) => (a.type < b.type ? -1 : 1));
}
