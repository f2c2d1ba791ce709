import type { ImageLibrary } from '../../firmware/index.js';
import type { Rules } from '../../rules/index.js';
import type { Api, Authentication, Reading } from '../http/index.js';
import type { NbiLimits } from '../limits.js';
import { downloadRoute } from './content.js';
import { deleteRoute } from './delete.js';
import { dialect, LIST_PATH } from './image.js';
import { imageRoute, listRoute } from './list.js';
import { uploadRoute } from './upload.js';

export interface ImageParts {
  readonly images: ImageLibrary;
  readonly rules: Rules;
  readonly limits: NbiLimits;
  readonly reading: Reading;
}

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
