import express, { type Express } from 'express';
import type { Registry } from 'prom-client';
import type { ConnectionRequests, Devices, Upgrades } from '../acs/index.js';
import type { Clock, Logger } from '../common/index.js';
import type { ImageLibrary } from '../firmware/index.js';
import type { Rules } from '../rules/index.js';
import { dynRoutes } from './dyn/index.js';
import { type Health, healthRoute } from './health.js';
import { dynDialect, mountRoutes, type Route } from './http/index.js';
import { imageRoutes } from './images/index.js';
import type { NbiLimits } from './limits.js';
import { methodRoutes } from './method/index.js';
import { openApiDocument } from './openapi/index.js';
import { schemaRoutes } from './schemas.js';
import type { Users } from './users/index.js';

export interface NbiParts {
  readonly rules: Rules;
  readonly devices: Devices;
  readonly upgrades: Upgrades;
  readonly connectionRequests: ConnectionRequests;
  readonly images: ImageLibrary;
  readonly users: Users;
  /** What `/metrics` shows; the NBI adds its own. */
  readonly metrics: Registry;
  /** What `/metrics` shows where it is more than this process's own. */
  readonly allMetrics?: () => Promise<string>;
  readonly health: () => Promise<Health>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: NbiLimits;
}

/**
 * The northbound side as an express application, to be handed to `http.createServer(NBI_SERVER_OPTIONS, app)`.
 * Behind a proxy set express's `trust proxy` on it, so that log-in attempts are counted by client and not by proxy.
 */
export function createNbi(parts: NbiParts): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);
  app.set('case sensitive routing', true);
  app.use((_request, response, next) => {
    response.set(SECURITY_HEADERS);
    next();
  });
  const routes = [
    ...dynRoutes(parts),
    ...methodRoutes(parts),
    ...imageRoutes(parts),
    ...schemaRoutes(),
    ...ownRoutes(parts),
  ];
  mountRoutes(app, routes, parts);
  return app;
}

/** Answers are data for scripts: nothing a browser should keep, guess the type of, or run. */
const SECURITY_HEADERS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
} as const;

function ownRoutes({ health, metrics, allMetrics = () => metrics.metrics() }: NbiParts): Route[] {
  return [
    healthRoute(health),
    {
      method: 'get',
      path: '/metrics',
      role: 'viewer',
      dialect: dynDialect('metrics'),
      async handle({ response }) {
        response.type(metrics.contentType).send(await allMetrics());
      },
    },
    {
      method: 'get',
      path: '/v1/openapi.json',
      role: null,
      dialect: dynDialect('openapi'),
      async handle({ response }) {
        response.json(openApiDocument);
      },
    },
  ];
}
