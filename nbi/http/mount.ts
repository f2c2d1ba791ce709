import express, {
  type Express,
  type NextFunction,
  type Request,
  type RequestHandler,
  type Response,
  type Router,
} from 'express';
import { Admission } from './admission.js';
import type { Api } from './api.js';
import { largeBodyPlaces } from './bodies/large-bodies.js';
import type { Dialect } from './dialect.js';
import { dynDialect } from './dyn-dialect.js';
import { createObserver, findingsOf, type ObserverParts } from './observe.js';
import { showPlaces } from './place-gauge.js';
import type { Route } from './route.js';
import { UndecodablePathError, UnknownPathError, UnservedMethodError } from './routing-errors.js';
import { parametersOf, type ServeParts, sendError, serve } from './serve.js';

export interface MountParts extends ObserverParts, Omit<ServeParts, 'admission' | 'largeBodies'> {
  /**
   * Asked of each request before it is looked at where it goes, with what was found of it so far; it may give it another `url`.
   * @returns whether anything can be there: false is answered as a path that no route is at
   */
  readonly admits?: (request: Request, response: Response) => boolean;
}

/** Puts APIs on express, with log, metrics, authentication and errors around each of their routes. */
export function mountApis(app: Express, apis: readonly Api[], parts: MountParts): void {
  refuseClashes(apis);
  const observe = createObserver(parts);
  const [admission, largeBodies] = [new Admission(parts.limits), largeBodyPlaces()];
  const serveParts = { ...parts, admission, largeBodies };
  showPlaces(parts.metrics, [
    {
      requests: () => admission.requests,
      reserved: () => admission.reserved,
      bodies: () => admission.bodies,
      'large-bodies': () => largeBodies.taken,
    },
    ...apis.map(({ placesInUse = {} }) => placesInUse),
  ]);
  const { admits = () => true } = parts;
  app.use((request, response, next) => {
    observe(request, response);
    if (admits(request, response)) next();
    else sendError(response, NO_API, new UnknownPathError(), { request, allow: null });
  });
  for (const api of apis) app.use(routerOf(api, serveParts));
  const dialectOf = createDialects(apis);
  app.use((request: Request, response: Response) => {
    sendError(response, dialectOf(request.path), new UnknownPathError(), { request, allow: null });
  });
  // Express knows an error handler by its four parameters; only a path that does not decode gets here.
  app.use((_error: unknown, request: Request, response: Response, _next: unknown) => {
    sendError(response, dialectOf(request.path), new UndecodablePathError(), { request, allow: null });
  });
}

/** @throws Error where two APIs have the same path, or two routes the same path and method: only one of them would be served */
function refuseClashes(apis: readonly Api[]): void {
  const owners = new Map<string, string>();
  const calls = new Set<string>();
  for (const { name, routes } of apis) {
    for (const { method, path } of routes) {
      const owner = owners.get(path) ?? name;
      const call = `${method} ${path}`;
      if (owner !== name || calls.has(call)) throw new Error(`Both ${owner} and ${name} serve ${call}`);
      owners.set(path, name);
      calls.add(call);
    }
  }
}

function routerOf(api: Api, parts: ServeParts): Router {
  const router = express.Router({ caseSensitive: true, strict: api.slashes !== 'either' });
  for (const path of new Set(api.routes.map((each) => each.path))) {
    if (isSpeltOut(api, path)) continue;
    router.all(expressPath(path), ...guardOf(api), servingAt(api, path, parts));
    if (api.slashes === 'redirected' && path.endsWith('/')) {
      router.all(expressPath(path.slice(0, -1)), ...guardOf(api), redirectToSlash);
    }
  }
  return router;
}

/** Passes on what has something else in its path than the API's paths have. */
function guardOf({ segment }: Api): RequestHandler[] {
  if (segment === undefined) return [];
  return [
    ({ params }: Request, _response: Response, next: NextFunction): void => {
      const isOne = Object.values(params)
        .flat()
        .every((each) => segment.test(each));
      next(isOne ? undefined : 'route');
    },
  ];
}

/** Serves whatever comes to one path. */
function servingAt(api: Api, path: string, parts: ServeParts) {
  const byMethod = routesAt(api, path);
  const speltOut = new Map(
    api.routes
      .filter((each) => isBeneath(path, each.path))
      .map((each) => [each.path.slice(path.length - PATTERN.length), routesAt(api, each.path)]),
  );
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  const isQuiet = [...byMethod.values()].some(({ quiet }) => quiet);
  return (request: Request, response: Response): Promise<void> | void => {
    if (isQuiet) findingsOf(response).isQuiet = true;
    const { method } = request;
    const { pattern = '' } = speltOut.size === 0 ? {} : parametersOf(request, names);
    const named = speltOut.get(pattern) ?? NO_ROUTES;
    const allow = [...new Set([...byMethod.keys(), ...named.keys()])].join(', ');
    const route =
      routeFor(named, method) ?? routeFor(byMethod, method) ?? api.unserved?.(path, method) ?? undefined;
    if (route !== undefined) return serve({ api, route, allow, names }, request, response, parts);
    sendError(response, api.dialect, new UnservedMethodError(allow), { request, allow });
  };
}

const PATTERN = '{pattern}';
const NO_ROUTES: ReadonlyMap<string, Route> = new Map();

function routesAt({ routes }: Api, path: string): ReadonlyMap<string, Route> {
  return new Map(routes.filter((each) => each.path === path).map((each) => [each.method, each]));
}

/** Whether a path is one of those that a pattern stands for, and spelt out: it goes before the pattern, by the methods that it has. */
function isBeneath(patternPath: string, path: string): boolean {
  return (
    patternPath.endsWith(`/${PATTERN}`) &&
    path.startsWith(patternPath.slice(0, -PATTERN.length)) &&
    path !== patternPath
  );
}

function isSpeltOut({ routes }: Api, path: string): boolean {
  return routes.some((each) => isBeneath(each.path, path));
}

/** To HEAD node sends the header of what GET is answered. */
function routeFor(byMethod: ReadonlyMap<string, Route>, method: string): Route | undefined {
  return byMethod.get(method) ?? (method === 'HEAD' ? byMethod.get('GET') : undefined);
}

function redirectToSlash(request: Request, response: Response): void {
  const { pathname, search } = new URL(request.originalUrl, 'http://host.invalid');
  response.status(301).setHeader('Location', `${pathname}/${search}`);
  response.end();
}

function expressPath(path: string): string {
  return path.replace('/{pattern}', '{/*pattern}').replace(/\{(\w+)\}/g, ':$1');
}

/** Of what belongs to no API. */
const NO_API = dynDialect('ferry');

/** Whose words are used of a path that no route is at. */
function createDialects(apis: readonly Api[]): (path: string) => Dialect {
  const areas = apis.flatMap(({ prefixes, dialect }) =>
    prefixes.map((prefix) => ({ pattern: prefixPattern(prefix), dialect })),
  );
  return (path) => areas.find(({ pattern }) => pattern.test(path))?.dialect ?? NO_API;
}

/** Of Ferry's own prefixes only, and linear: no two parts of it can match the same text in two ways. */
function prefixPattern(prefix: string): RegExp {
  const fixed = prefix.split(/\{\w+\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${fixed.join('[^/]+')}`);
}
