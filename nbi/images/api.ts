import { SECOND_MS } from '../../common/index.js';
import { type Api, type Authentication, Places } from '../http/index.js';
import { downloadRoute } from './content.js';
import { deleteRoute } from './delete.js';
import { formRoute } from './form.js';
import { dialect, type ImageParts, LIST_PATH } from './image.js';
import { imageRoute, listRoute } from './list.js';
import { placeRoute } from './place.js';
import { signatureRoutes } from './signature.js';
import { uploadRoute } from './upload.js';

const RETRY_AFTER_SECONDS = 10;

/** `/v1/images`: the firmware library. */
export function imageApi(parts: ImageParts, authentication: Authentication): Api {
  const { images, limits } = parts;
  const downloads = new Places({
    what: 'downloads of images',
    perClientMax: limits.downloadsPerUserMax,
    totalMax: limits.downloadsAtATime,
    waiting: { perClientMax: limits.requestsPerClientMax, msMax: limits.waitSecondsMax * SECOND_MS },
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
  return {
    name: 'images',
    prefixes: [LIST_PATH],
    slashes: 'either',
    authentication,
    dialect,
    placesInUse: { downloads: () => downloads.taken },
    routes: [
      listRoute(images, limits),
      imageRoute(images),
      uploadRoute(parts),
      formRoute(parts),
      placeRoute(images),
      deleteRoute(parts),
      ...signatureRoutes(images),
      downloadRoute(images, downloads),
    ],
  };
}
