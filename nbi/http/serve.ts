import type { Request, Response } from 'express';
import type { Logger } from '../../common/index.js';
import type { Actor } from '../../events/index.js';
import type { NbiLimits } from '../limits.js';
import type { Principal } from '../users/index.js';
import { type Admission, clientOf } from './admission.js';
import type { Api } from './api.js';
import { ApiError, toApiError } from './api-error.js';
import { announcedBody } from './bodies/body-kind.js';
import { LARGE_BODY_BYTES } from './bodies/large-bodies.js';
import type { Dialect } from './dialect.js';
import { arrivalOf, type Findings, findingsOf } from './observe.js';
import { type OtherSite, otherSiteError, otherSiteOf } from './other-sites.js';
import type { Places } from './places.js';
import { parseQueryString } from './query-string.js';
import type { Route } from './route.js';
import { type KnownOrganizations, scopeFor } from './scope.js';

/** What all requests share. */
export interface ServeParts {
  readonly admission: Admission;
  /** One for each user. */
  readonly largeBodies: Places;
  readonly logger: Logger;
  readonly limits: NbiLimits;
  readonly organizations: KnownOrganizations;
  /** Told of requests that are refused because a page of elsewhere has them sent. */
  readonly noteOtherSite?: (otherSite: OtherSite, request: Request, response: Response) => void;
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
  place: Place,
  request: Request,
  response: Response,
  parts: ServeParts,
): Promise<void> {
  const { api, route, allow } = place;
  const { over = new AbortController().signal } = findingsOf(response);
  findingsOf(response).route = route.path;
  try {
    await answer(place, request, response, parts, over);
  } catch (error) {
    // Reading ends so where nobody waits for it.
    if (over.aborted && error === over.reason) return;
    const known = toApiError(error);
    if (known === null) {
      const id = response.getHeader('X-Request-Id');
      parts.logger.error('nbi.failed', { id, route: route.path, error });
    }
    // The list that had begun must not look whole.
    if (response.headersSent) response.destroy();
    else sendError(response, api.dialect, known ?? new ApiError(500), { request, allow });
  }
}

/** Whether it comes from elsewhere, log-in, the turn of a large body, a place, whose things it is about, then what the route does. */
async function answer(
  { api, route, names }: Place,
  request: Request,
  response: Response,
  { admission, largeBodies, limits, organizations, noteOtherSite }: ServeParts,
  over: AbortSignal,
): Promise<void> {
  const findings = findingsOf(response);
  const { role, quiet = false, reserved = quiet, body: kind } = route;
  const { address = '' } = findings;
  const otherSite = otherSiteOf(request, arrivalOf(response), route.changes);
  if (otherSite !== null) {
    noteOtherSite?.(otherSite, request, response);
    throw otherSiteError(otherSite);
  }
  const user =
    role === null
      ? null
      : await api.authentication.authenticate(request, { role, address, mayBeStale: quiet });
  if (user !== null) Object.assign(findings, { user: user.name, role: user.role } satisfies Findings);
  const bodyBytes = heldBytesMax(route, request, limits);
  const work = async () => {
    const { leave, dropBody } = admission.enter({
      client: clientOf(user, address),
      reservedFor: reserved ? route.path : null,
      isOpen: user === null,
      bodyBytes,
    });
    findings.hasPlace = user !== null;
    if (over.aborted) leave();
    else over.addEventListener('abort', leave);
    try {
      const query = parseQueryString(request.originalUrl);
      const whose = route.namesOrganization === false ? new URLSearchParams() : query;
      const scope = await scopeFor(route.concerns, user, whose, organizations);
      await route.handle({
        request,
        response,
        user,
        by: user === null ? null : actorOf(user, address, response),
        scope,
        parameters: parametersOf(request, names),
        query: route.query?.read(query),
        body: async () => kind?.read({ request, user, limits }),
        over,
      });
    } finally {
      dropBody();
      if (reserved) {
        leave();
        findings.hasPlace = false;
      }
    }
  };
  // First its turn: what waits for that holds no room that others could have.
  if (user !== null && bodyBytes > LARGE_BODY_BYTES) await largeBodies.run(user.name, over, work);
  else await work();
}

function actorOf(user: Principal, address: string, response: Response): Actor {
  const { name, how, credential, organization } = user;
  return {
    name,
    how,
    ...(credential !== undefined && { credential }),
    ...(organization !== undefined && { organization }),
    address,
    requestId: String(response.getHeader('X-Request-Id')),
  };
}

function heldBytesMax({ body }: Route, request: Request, limits: NbiLimits): number {
  const announced = announcedBody(request);
  return announced === null ? 0 : (body?.heldBytesMax(announced, limits) ?? 0);
}

/** What stands for a parameter that takes the rest of a path is empty where the path has no more. */
export function parametersOf({ params }: Request, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, [params[name] ?? ''].flat().join('/')]));
}

/** Answers with an error in the words of a dialect. */
export function sendError(
  response: Response,
  dialect: Dialect,
  error: ApiError,
  asked: Parameters<Dialect['error']>[1],
): void {
  const { status = error.status, headers, body } = dialect.error(error, asked);
  if (status !== error.status) findingsOf(response).meantStatus = error.status;
  response.status(status).set({ ...error.headers });
  // The handler may have announced something else before it failed. Not express's `set`, which has its own mind of charsets.
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.send(Buffer.from(body));
}
