import type { Api } from '../http/index.js';
import { cloudAuthentication } from './authentication.js';
import { deviceRoute, devicesRoute } from './devices.js';
import { dialect, PREFIX } from './dialect.js';
import { firmwaresRoute } from './firmwares.js';
import { logInRoute, logOutRoute } from './log-in.js';
import type { CloudParts } from './parts.js';
import { startRoute } from './start.js';
import { addRoute, uploadRoute } from './upload-firmware.js';

/** `/sc_cloud`: firmware and upgrades as scripts of another product know them. */
export function scCloudApi(parts: CloudParts): Api {
  return {
    name: 'sc-cloud',
    description:
      'Firmware of products, and upgrades of devices by serial numbers, as scripts of another product know them.',
    prefixes: [PREFIX],
    slashes: 'either',
    authentication: cloudAuthentication(parts.users, parts.sessions.of('sc-cloud')),
    dialect,
    routes: [
      logInRoute(parts),
      logOutRoute(parts),
      firmwaresRoute(parts),
      uploadRoute(parts),
      addRoute(parts),
      devicesRoute(parts),
      deviceRoute(parts),
      startRoute(parts),
    ],
  };
}
