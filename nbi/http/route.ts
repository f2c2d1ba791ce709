import { randomUUID } from 'node:crypto';
import type { Express, Request, Response } from 'express';
import { Histogram, type Registry } from 'prom-client';
import type { Clock, Logger } from '../../common/index.js';
import type { NbiLimits } from '../limits.js';
import { authenticate, type Role, type User, type Users } from '../users/index.js';
import { Admission } from './admission.js';
import { ApiError, toApiError } from './api-error.js';
import { type Dialect, dynDialect } from './dialect.js';
import { parseQueryString } from './query-string.js';

/** One request, and what was understood of it. */
export interface Exchange {
  readonly request: Request;
  readonly response: Response;
  /** Who asks; null on an open route. */
  readonly user: User | null;
  readonly query: URLSearchParams;
  /** What stands for the route's `{…}`, decoded; empty where it has none. */
  readonly parameter: string;
}

/** One call of the API: what the OpenAPI document lists and express serves. */
export interface Route {
  readonly method: 'get' | 'post' | 'put' | 'delete';
  /** As OpenAPI writes it, with at most one `{…}`. `{pattern}` takes the rest of the path, slashes too. */
  readonly path: string;
  /** Who may; null: everyone, without credentials. */
  readonly role: Role | null;
  readonly dialect: Dialect;
  handle(exchange: Exchange): Promise<void>;
}

export interface MountParts {
  readonly users: Users;
  readonly metrics: Registry;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: NbiLimits;
}

/** Routes that a monitor calls every few seconds. */
const QUIET_PATHS: ReadonlySet<string> = new Set(['/healthz', '/metrics']);

/** Puts the routes on express, with log, metrics, authentication and errors around each. */
export function mountRoutes(app: Express, routes: readonly Route[], parts: MountParts): void {
  const observe = createObserver(parts);
  const admission = new Admission(parts.limits);
  app.use((request, response, next) => {
    observe(request, response);
    next();
  });
  const pathsSeen = new Set<string>();
  for (const { path } of routes) {
    if (pathsSeen.has(path)) continue;
    pathsSeen.add(path);
    const routesHere = routes.filter((route) => route.path === path);
    const expressRoute = app.route(expressPath(path));
    for (const route of routesHere) {
      expressRoute[route.method]((request, response) =>
        serve(route, { request, response, admission, parts }),
      );
    }
    expressRoute.all((_request, response) => {
      const allow = routesHere.map(({ method }) => method.toUpperCase()).join(', ');
      const problem = { field: 'method', expected: `one of ${allow}` };
      sendError(response, routesHere[0]?.dialect, new ApiError(405, [problem], { Allow: allow }));
    });
  }
  app.use((request: Request, response: Response) => {
    const problem = { field: 'path', expected: 'one of those that /v1/openapi.json lists' };
    sendError(response, dialectOf(routes, request.path), new ApiError(404, [problem]));
  });
  // Express knows an error handler by its four parameters; only a path that does not decode gets here.
  app.use((_error: unknown, request: Request, response: Response, _next: unknown) => {
    const problem = { field: 'path', expected: 'a path in which every % starts an encoded UTF-8 character' };
    sendError(response, dialectOf(routes, request.path), new ApiError(400, [problem]));
  });
}

function expressPath(path: string): string {
  return path.replace('/{pattern}', '{/*pattern}').replace(/\/\{(\w+)\}/, '/:$1');
}

function dialectOf(routes: readonly Route[], path: string): Dialect | undefined {
  return routes.find((route) => path.startsWith(route.path.replace(/\{.*/, '')))?.dialect;
}

interface Serving {
  readonly request: Request;
  readonly response: Response;
  readonly admission: Admission;
  readonly parts: MountParts;
}

async function serve(route: Route, { request, response, admission, parts }: Serving): Promise<void> {
  response.locals['route'] = route.path;
  let leave = () => {};
  try {
    const address = request.ip ?? request.socket.remoteAddress ?? '';
    // What a monitor asks is answered also while nobody else is.
    const isQuiet = QUIET_PATHS.has(route.path);
    const user =
      route.role === null
        ? null
        : await authenticate(parts.users, request, address, route.role, { mayBeStale: isQuiet });
    response.locals['user'] = user?.name;
    if (!isQuiet) leave = admission.enter(request);
    await route.handle({
      request,
      response,
      user,
      query: parseQueryString(request.originalUrl),
      parameter: Object.values(request.params).flat().join('/'),
    });
  } catch (error) {
    answerError(route, response, error, parts.logger);
  } finally {
    leave();
  }
}

function answerError(route: Route, response: Response, error: unknown, logger: Logger): void {
  const known = toApiError(error);
  if (known === null) {
    const id = response.getHeader('X-Request-Id');
    logger.error('nbi.failed', { id, route: route.path, error });
  }
  // The list that had begun must not look whole.
  if (response.headersSent) response.destroy();
  else sendError(response, route.dialect, known ?? new ApiError(500));
}

function sendError(response: Response, dialect: Dialect | undefined, error: ApiError): void {
  response
    .status(error.status)
    .set({ ...error.headers })
    // The handler may have announced something else before it failed.
    .type('json')
    .json((dialect ?? dynDialect('ferry')).error(error));
}

/** Logs and measures each request once its answer is out, or its client gone. */
function createObserver({ metrics, clock, logger }: MountParts) {
  const seconds = new Histogram({
    name: 'ferry_nbi_request_seconds',
    help: 'Northbound requests by route, method and status',
    labelNames: ['route', 'method', 'status'],
    registers: [metrics],
  });
  return (request: Request, response: Response): void => {
    const startMs = clock();
    const id = randomUUID();
    const { path } = request;
    const method = request.method.slice(0, 16);
    response.set('X-Request-Id', id);
    response.once('close', () => {
      const ms = clock() - startMs;
      const status = response.writableFinished ? response.statusCode : 'aborted';
      const route: unknown = response.locals['route'] ?? 'none';
      seconds.observe({ route: String(route), method, status: String(status) }, ms / 1_000);
      const fields = { method, path, status, user: response.locals['user'], ms, id };
      if (QUIET_PATHS.has(path)) logger.debug('nbi.request', fields);
      else logger.info('nbi.request', fields);
    });
  };
}
