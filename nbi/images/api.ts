import type { Api, Authentication, Places } from '../http/index.js';
import { downloadRoute } from './content.js';
import { deleteRoute } from './delete.js';
import { formRoute } from './form.js';
import { dialect, type ImageParts, LIST_PATH } from './image.js';
import { imageRoute, listRoute } from './list.js';
import { placeRoute } from './place.js';
import { signatureRoutes } from './signature.js';
import { uploadRoute } from './upload.js';

/** `/v1/images`: the firmware library. */
export function imageApi(
  parts: ImageParts & { readonly downloads: Places },
  authentication: Authentication,
): Api {
  const { images, limits, downloads } = parts;
  return {
    name: 'images',
    description: 'The firmware library: upload, description, download.',
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
