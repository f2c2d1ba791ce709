import type { Api, Authentication } from '../http/index.js';
import { beginRoute } from './begin.js';
import { cancelRoute } from './cancel.js';
import { listRoute, uploadRoute } from './list.js';
import { partRoute } from './part.js';
import { type ContentParts, dialect, LIST_PATH } from './upload.js';

/** `/v1/uploads`: images on their way into the library. */
export function uploadApi(parts: ContentParts, authentication: Authentication): Api {
  return {
    name: 'uploads',
    description: 'Uploads of images that go on after a broken connection, or that are fetched from a URL.',
    prefixes: [LIST_PATH],
    slashes: 'either',
    authentication,
    dialect,
    placesInUse: { uploads: () => parts.places.taken },
    routes: [listRoute(parts), beginRoute(parts), uploadRoute(parts), partRoute(parts), cancelRoute(parts)],
  };
}
