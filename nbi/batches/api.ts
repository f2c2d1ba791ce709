import type { Api, Authentication } from '../http/index.js';
import { type BatchParts, dialect, LIST_PATH } from './batch.js';
import { cancelRoute, deleteRoute, retryRoute } from './changes.js';
import { createRoute } from './create.js';
import { batchRoute, listRoute } from './list.js';
import { cancelOneRoute, operationsRoute } from './operations.js';
import { batchPlaces } from './places.js';

/** `/v1/batches`: an image for many CPEs, made, watched, cancelled and tried again. */
export function batchApi(parts: BatchParts, authentication: Authentication): Api {
  const places = batchPlaces(parts.limits);
  return {
    name: 'batches',
    description: 'Upgrades of many CPEs at once, and what became of each.',
    prefixes: [LIST_PATH],
    slashes: 'either',
    authentication,
    dialect,
    placesInUse: { batches: () => places.taken },
    routes: [
      listRoute(parts),
      createRoute({ ...parts, places }),
      batchRoute(parts),
      deleteRoute(parts),
      cancelRoute(parts),
      retryRoute(parts),
      operationsRoute(parts),
      cancelOneRoute(parts),
    ],
  };
}
