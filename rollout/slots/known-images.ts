import { type Build, type Image, type ImageLibrary, targetVersionOf } from '../../firmware/index.js';
import type { KnownImage } from './arrange.js';

/** What is asked of the library of images. */
export type SlotLibrary = Pick<ImageLibrary, 'get' | 'withNumber'> & {
  readonly builds: Pick<ImageLibrary['builds'], 'get'>;
};

/** The images of some numbers, those that are there, with what is said of them. @throws StoreError */
export async function knownImages(
  library: SlotLibrary,
  numbers: Iterable<number>,
): Promise<ReadonlyMap<number, KnownImage>> {
  const known = new Map<number, KnownImage>();
  for (const number of new Set(numbers)) {
    const image = await library.withNumber(number);
    if (image !== null) known.set(number, await knownImage(library, image));
  }
  return known;
}

/** @throws StoreError */
export async function knownImage({ builds }: Pick<SlotLibrary, 'builds'>, image: Image): Promise<KnownImage> {
  const build = image.build === undefined ? null : await builds.get(image.build, null);
  return { image, version: versionOf(image, build), notes: build?.changelog ?? '' };
}

function versionOf({ softwareVersion }: Image, build: Build | null): string {
  return softwareVersion ?? (build === null ? '' : targetVersionOf(build));
}
