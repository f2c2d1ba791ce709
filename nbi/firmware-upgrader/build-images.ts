import {
  BUILD_IMAGES_MAX,
  type Build,
  type Image,
  type ImageLibrary,
  type ImageUuids,
} from '../../firmware/index.js';
import { findBuild } from './builds.js';
import { type Call, detail, unnarrowed } from './manners/index.js';

/** The build of a path. @throws UpgraderError 404, the same for one that there is not and for another's */
export async function buildInPath(
  images: ImageLibrary,
  { asking, parameters: { build: id = '' } }: Pick<Call, 'asking' | 'parameters'>,
): Promise<Build> {
  // Whose things are wanted narrows lists of images, and hides no build.
  const build = await findBuild(images, id, unnarrowed(asking));
  const isWanted = asking.wanted === undefined || build?.organization === asking.wanted?.id;
  if (build === null) throw detail(404, 'build not found');
  return isWanted ? build : { ...build, images: [] };
}

/** The images of a build by their own word, those that have a number. */
export async function imagesOf(images: ImageLibrary, build: Build): Promise<readonly Image[]> {
  const { id, organization } = build;
  if (build.images.length === 0) return [];
  const { items } = await images.list({
    build: id,
    limit: BUILD_IMAGES_MAX,
    ...(organization !== undefined && { organization }),
  });
  return items.filter((image) => image.build === id && image.number !== undefined);
}

/** The image of a build that has an id: by its own word and the build's; null for none. */
export async function imageOf(
  { images, imageUuids }: { readonly images: ImageLibrary; readonly imageUuids: ImageUuids },
  build: Build,
  id: string,
): Promise<Image | null> {
  const number = imageUuids.numberOf(id);
  const image = number === null ? null : await images.withNumber(number);
  if (image?.build !== build.id || image.organization !== build.organization) return null;
  return build.images.some(({ name }) => name === image.name) ? image : null;
}
