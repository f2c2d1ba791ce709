import type { Request, Response } from 'express';
import type { Logger } from '../../common/index.js';
import type { NbiLimits } from '../limits.js';
import { type Admission, clientOf } from './admission.js';
import type { Api } from './api.js';
import { ApiError, toApiError } from './api-error.js';
import { announcedBody } from './bodies/body-kind.js';
import type { LargeBodies } from './bodies/large-bodies.js';
import type { Dialect } from './dialect.js';
import { findingsOf } from './observe.js';
import { parseQueryString } from './query-string.js';
import type { Route } from './route.js';

/** What all requests share. */
export interface ServeParts {
  readonly admission: Admission;
  readonly largeBodies: LargeBodies;
  readonly logger: Logger;
  readonly limits: NbiLimits;
}

/** A route, and what is around it. */
export interface Place {
  readonly api: Api;
  readonly route: Route;
  /** The methods that are served at its path. */
  readonly allow: string;
  /** Of the path's parameters. */
  readonly names: readonly string[];
}

/** Answers one request by its route, or with what is wrong with it. */
export async function serve(
  { api, route, allow, names }: Place,
  request: Request,
  response: Response,
  { admission, largeBodies, logger, limits }: ServeParts,
): Promise<void> {
  const findings = findingsOf(response);
  findings.route = route.path;
  const { role, quiet = false, reserved = quiet, body: kind } = route;
  const { address = '', over = new AbortController().signal } = findings;
  let dropBody = () => {};
  let endTurn = () => {};
  let endWork = () => {};
  try {
    const user =
      role === null
        ? null
        : await api.authentication.authenticate(request, { role, address, mayBeStale: quiet });
    if (user !== null) findings.user = user.name;
    const bodyBytes = heldBytesMax(route, request, limits);
    // First its turn: what waits for that holds no room that others could have.
    if (user !== null) endTurn = await largeBodies.enter(user.name, bodyBytes, request);
    const admitted = admission.enter({
      client: clientOf(user, address),
      reservedFor: reserved ? route.path : null,
      isOpen: user === null,
      bodyBytes,
    });
    findings.hasPlace = user !== null;
    dropBody = admitted.dropBody;
    if (reserved) endWork = admitted.leave;
    if (over.aborted) admitted.leave();
    else over.addEventListener('abort', admitted.leave);
    const query = parseQueryString(request.originalUrl);
    await route.handle({
      request,
      response,
      user,
      parameters: parametersOf(request, names),
      query: route.query?.read(query),
      body: async () => kind?.read({ request, user, limits }),
      over,
    });
  } catch (error) {
    // Reading ends so where nobody waits for it.
    if (over.aborted && error === over.reason) return;
    const known = toApiError(error);
    if (known === null) {
      const id = response.getHeader('X-Request-Id');
      logger.error('nbi.failed', { id, route: route.path, error });
    }
    // The list that had begun must not look whole.
    if (response.headersSent) response.destroy();
    else sendError(response, api.dialect, known ?? new ApiError(500), { request, allow });
  } finally {
    dropBody();
    endTurn();
    endWork();
    if (reserved) findings.hasPlace = false;
  }
}

function heldBytesMax({ body }: Route, request: Request, limits: NbiLimits): number {
  const announced = announcedBody(request);
  return announced === null ? 0 : (body?.heldBytesMax(announced, limits) ?? 0);
}

/** What stands for a parameter that takes the rest of a path is empty where the path has no more. */
function parametersOf({ params }: Request, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, [params[name] ?? ''].flat().join('/')]));
}

/** Answers with an error in the words of a dialect. */
export function sendError(
  response: Response,
  dialect: Dialect,
  error: ApiError,
  asked: Parameters<Dialect['error']>[1],
): void {
  const { headers, body } = dialect.error(error, asked);
  response.status(error.status).set({ ...error.headers });
  // The handler may have announced something else before it failed. Not express's `set`, which has its own mind of charsets.
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.send(Buffer.from(body));
}
