import type { Turn } from '../common/index.js';
import type { Actor } from '../events/index.js';
import { type Build, type Category, noBuild, SHARED } from './builds/index.js';
import type { Image, ImageLibrary } from './image.js';

/** What goes with a build or a category, and by whom. */
export interface Removal {
  readonly by: Actor;
  /** Whose things alone are removed, an organization's or the shared ones (`SHARED`); null: anybody's. */
  readonly within: string | null;
  /** When each page is read. */
  readonly turn?: Turn;
}

/**
 * Removes a build with its images, each by itself: what was cut off is taken up by the same again. What has left it meanwhile stays.
 * @throws BuildError. @throws StoreError
 */
export async function removeBuildWithImages(
  library: ImageLibrary,
  { id, organization, images }: Build,
  { by, within }: Removal,
): Promise<void> {
  if (within !== null && (organization ?? SHARED) !== within) throw noBuild();
  const mayGo = async ({ build }: Image) => (build === id ? [] : null);
  for (const { name } of images) {
    if (await library.remove(name, by, organization, mayGo)) continue;
    await library.leaveOut(id, name, organization);
  }
  await library.builds.remove(id, by, within);
}

/** Removes a category with its builds and their images, as {@link removeBuildWithImages}. @throws BuildError. @throws StoreError */
export async function removeCategoryWithImages(
  library: ImageLibrary,
  { id }: Category,
  removal: Removal,
): Promise<void> {
  const { by, within, turn } = removal;
  for await (const build of library.builds.scan({ within, isOwnOnly: true, category: id }, turn))
    await removeBuildWithImages(library, build, removal);
  await library.builds.categories.remove(id, by, within);
}
