import type { Change, Collection, Store } from '../store/index.js';
import { untilCommitted } from '../store/index.js';
import type { BuildPlace, BuildPlaces, SaidPlaces } from './builds/index.js';
import type { Image } from './image.js';
import { type ImageDocument, imageOf } from './image-document.js';
import { imageIdIn } from './image-id.js';

/** Where an image stands in a build; null: in none. */
export function placeOfImage({ build, type }: Pick<Image, 'build' | 'type'>): BuildPlace | null {
  return build === undefined || type === undefined ? null : { build, type };
}

/** Where the images of a library say that they stand. */
export function placesSaidBy(images: Collection<ImageDocument>): SaidPlaces {
  return {
    async placeOf(name, organization) {
      const id = imageIdIn(organization, name);
      const stored = await images.get(id);
      return {
        place: stored === null ? null : placeOfImage(stored.document),
        unchanged: images.requiring(id, stored?.revision ?? null),
      };
    },
  };
}

/** Whether it stands where an upload wants it to; one that says nothing is content with any place. */
export function isAtPlace(image: Pick<Image, 'build' | 'type'>, wanted: BuildPlace | undefined): boolean {
  return wanted === undefined || (image.build === wanted.build && image.type === wanted.type);
}

/**
 * Puts an image into a build, out of the one that it was in; or, with null, into none. Both builds and the image change in one commit. Where
 * it says itself that it stands there, and the build does not list it, the build comes to.
 * @param id  null: there is none
 * @param noting  the event that goes into the commit
 * @throws BuildError. @throws StoreError
 */
export async function moveImage(
  {
    store,
    images,
    places,
  }: { readonly store: Store; readonly images: Collection<ImageDocument>; readonly places: BuildPlaces },
  id: string | null,
  to: BuildPlace | null,
  noting: (before: Image, after: Image) => Change,
): Promise<Image | null> {
  if (id === null) return null;
  return untilCommitted(`The image ${id}`, async () => {
    const stored = await images.get(id);
    if (stored === null) return null;
    const { build: _, type: __, ...others } = stored.document;
    const after: ImageDocument = { ...others, ...to };
    const before = imageOf(stored.document);
    const placing = await places.moving(before, { from: placeOfImage(before), to });
    const saysSo = to === null ? before.build === undefined : isAtPlace(before, to);
    if (saysSo && placing.length === 0) return before;
    const { committed } = await store.commit([
      ...placing,
      ...(saysSo
        ? [images.requiring(id, stored.revision)]
        : [images.replacing(after, stored.revision), noting(before, imageOf(after))]),
    ]);
    return committed ? imageOf(after) : undefined;
  });
}
