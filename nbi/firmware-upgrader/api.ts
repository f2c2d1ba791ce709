import { DAY_MS, MINUTE_MS, monotonicClock } from '../../common/index.js';
import type { Api } from '../http/index.js';
import { upgraderPages } from './browsing/index.js';
import { buildEndpoints } from './builds.js';
import { categoryEndpoints } from './categories.js';
import { downloadEndpoint } from './download.js';
import { imageEndpoints } from './images.js';
import {
  type Endpoint,
  fullPath,
  PATH_ID,
  PREFIX,
  RequestThrottle,
  routesOf,
  unservedRoute,
  upgraderAuthentication,
  upgraderDialect,
} from './manners/index.js';
import { type EndpointContext, UPGRADER_OPTIONS, type UpgradeParts, type UpgraderParts } from './parts.js';
import { TOKEN_ENDPOINT, TOKEN_PATH, tokenRoute, unservedTokenRoute } from './token.js';
import { upgradeEndpoints, usesOfBuilds } from './upgrades/index.js';

/** Users whose requests are counted; each has so many times as he may ask in a minute. */
const THROTTLED_USERS_MAX = 1_000;
const THROTTLED_ADDRESSES_MAX = 20_000;

/** `/api/v1/firmware-upgrader/` and `/api/v1/users/token/`. */
export function firmwareUpgraderApi(parts: UpgraderParts): Api {
  const { monotonic = monotonicClock, firmwareUpgrader: options = UPGRADER_OPTIONS } = parts;
  const page = upgraderPages(parts.sessions);
  const context: EndpointContext & UpgradeParts = {
    ...parts,
    options,
    uses: usesOfBuilds(parts.batches),
    page,
  };
  const endpoints = endpointsOf(context);
  const byPath = new Map([...endpoints, TOKEN_ENDPOINT].map((each) => [fullPath(each), each]));
  const endpointAt = (path: string) => byPath.get(path) ?? null;
  const throttle = new RequestThrottle({
    requestsMax: options.userRequestsPerMinuteMax,
    windowMs: MINUTE_MS,
    clientsMax: THROTTLED_USERS_MAX,
    monotonic,
  });
  const tokenThrottle = new RequestThrottle({
    requestsMax: options.tokenRequestsPerDayMax,
    windowMs: DAY_MS,
    clientsMax: THROTTLED_ADDRESSES_MAX,
    monotonic,
  });
  return {
    name: 'firmware-upgrader',
    description: 'Categories, builds, images and upgrades in the shapes of OpenWISP Firmware Upgrader.',
    prefixes: [PREFIX, TOKEN_PATH],
    slashes: 'redirected',
    segment: PATH_ID,
    authentication: upgraderAuthentication({ ...parts, throttle }),
    dialect: upgraderDialect({ page, endpointAt }),
    routes: [
      ...endpoints.flatMap((endpoint) => routesOf(endpoint, context)),
      tokenRoute({ ...parts, page, throttle: tokenThrottle }),
    ],
    unserved: (path, method) => {
      if (path === TOKEN_PATH) return unservedTokenRoute(method, page);
      const endpoint = endpointAt(path);
      return endpoint === null ? null : unservedRoute(endpoint, method, context);
    },
  };
}

/** All of them: a resource that moves in stands here. */
function endpointsOf(context: EndpointContext & UpgradeParts): readonly Endpoint[] {
  return [
    ...categoryEndpoints(context),
    ...buildEndpoints(context),
    ...imageEndpoints(context),
    downloadEndpoint(context),
    ...upgradeEndpoints(context),
  ];
}
