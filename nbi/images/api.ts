import type { Api, Authentication } from '../http/index.js';
import { downloadRoute } from './content.js';
import { deleteRoute } from './delete.js';
import { dialect, type ImageParts, LIST_PATH } from './image.js';
import { imageRoute, listRoute } from './list.js';
import { uploadRoute } from './upload.js';

/** `/v1/images`: the firmware library. */
export function imageApi(parts: ImageParts, authentication: Authentication): Api {
  const { images, limits } = parts;
  return {
    name: 'images',
    prefixes: [LIST_PATH],
    slashes: 'either',
    authentication,
    dialect,
    routes: [
      listRoute(images, limits),
      imageRoute(images),
      uploadRoute(images),
      deleteRoute(parts),
      downloadRoute(images),
    ],
  };
}
