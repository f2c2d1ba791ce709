import { DEVICE_PREFIX } from '../device-apis/index.js';
import type { Api } from '../http/index.js';
import { systemUpdateAuthentication } from './authentication.js';
import { comingImageRoutes } from './coming-images.js';
import { systemUpdateDialect } from './dialect.js';
import { discoveryRoutes } from './discovery.js';
import { imageRoutes } from './images.js';
import { logInRoutes } from './log-in.js';
import type { SystemUpdateParts } from './parts.js';
import { updateRoutes } from './update.js';

/** `npm.system_update` of a CPE, and what of `common` its clients need. */
export function systemUpdateApi(parts: SystemUpdateParts): Api {
  return {
    name: 'system-update',
    description: 'Software update of one device, as its own API has it.',
    prefixes: [`${DEVICE_PREFIX}/api/common/`, `${DEVICE_PREFIX}/api/npm.system_update/`],
    slashes: 'either',
    authentication: systemUpdateAuthentication(parts),
    dialect: systemUpdateDialect,
    routes: [
      ...discoveryRoutes(parts),
      ...logInRoutes(parts),
      ...imageRoutes(parts),
      ...comingImageRoutes(parts),
      ...updateRoutes(parts),
    ],
  };
}
