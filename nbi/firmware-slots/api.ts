import { DEVICE_PREFIX } from '../device-apis/index.js';
import type { Api } from '../http/index.js';
import { slotsAuthentication } from './authentication.js';
import { slotsDialect } from './dialect.js';
import { type Endpoint, routesOf } from './endpoint.js';
import { fetchEndpoints } from './fetches.js';
import { indexEndpoints } from './indexes.js';
import { API_ROOT } from './links.js';
import { logInEndpoints } from './log-in.js';
import type { FirmwareSlotsParts } from './parts.js';
import { slotEndpoints } from './slots.js';
import { tryingEndpoints } from './trying.js';
import { uploadEndpoint } from './upload.js';

/** `/devices/{device}/api/`, and `/api/` at the device's own host: what is no other API's there is this one's. */
export function firmwareSlotsApi(parts: FirmwareSlotsParts): Api {
  return {
    name: 'firmware-slots',
    description: 'Firmware slots of one device, as its own API has them.',
    prefixes: [`${DEVICE_PREFIX}${API_ROOT}`],
    slashes: 'either',
    authentication: slotsAuthentication(parts),
    dialect: slotsDialect,
    routes: endpointsOf(parts).flatMap((each) => routesOf(each, parts)),
  };
}

function endpointsOf(parts: FirmwareSlotsParts): readonly Endpoint[] {
  return [
    ...indexEndpoints(),
    ...logInEndpoints(parts),
    ...slotEndpoints(parts),
    ...tryingEndpoints(parts),
    uploadEndpoint(parts),
    ...fetchEndpoints(parts),
  ];
}
