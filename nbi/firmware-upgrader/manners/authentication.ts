import type { Request } from 'express';
import {
  ApiError,
  type Authentication,
  type Demand,
  isSameSecret,
  onlyCookie,
  PAGE_CSRF_COOKIE,
  PAGE_SESSION_COOKIE,
  requestIdOf,
  requireRole,
  type SessionLogins,
  throttled,
} from '../../http/index.js';
import { byToken, type Principal, type Users } from '../../users/index.js';
import { representationOf } from './negotiation.js';
import type { RequestThrottle } from './throttle.js';
import { detail, noPermission } from './upgrader-error.js';

interface AuthenticationParts {
  readonly users: Users;
  readonly sessions: SessionLogins;
  /** Of all requests of one user. */
  readonly throttle: RequestThrottle;
}

const CSRF_HEADER = 'x-csrftoken';
/** Nothing is changed by them. */
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/**
 * A token of a user as Bearer, or the session of a page: in the order of checks of the reference, which asks first as what the answer is
 * wanted, and last whether it was asked too much.
 */
export function upgraderAuthentication({ users, sessions, throttle }: AuthenticationParts): Authentication {
  return {
    schemes: [
      {
        name: 'token',
        description: {
          type: 'http',
          scheme: 'bearer',
          description: 'As POST /api/v1/users/token/ gives it.',
        },
      },
      { name: 'upgraderSession', description: { type: 'apiKey', in: 'cookie', name: PAGE_SESSION_COOKIE } },
    ],
    async authenticate(request, demand) {
      representationOf(request);
      const principal = await principalOf(request, demand, { users, sessions });
      permit(users, request, principal, demand);
      const seconds = throttle.admit(principal.name);
      if (seconds !== null) throw throttled(seconds);
      return principal;
    },
  };
}

async function principalOf(
  request: Request,
  demand: Demand,
  { users, sessions }: Pick<AuthenticationParts, 'users' | 'sessions'>,
): Promise<Principal> {
  const text = bearerIn(request);
  if (text !== null) return byBearer(users, request, text, demand);
  const cookie = onlyCookie(request, PAGE_SESSION_COOKIE);
  const principal = cookie === null ? null : await sessions.principalOf(cookie);
  if (cookie === null || principal === null)
    throw unauthorized('Authentication credentials were not provided.');
  if (!SAFE.has(request.method)) checkCsrf(request, sessions.csrfTokenOf(cookie));
  return principal;
}

/** What the header shows as a token; null: it shows none, or by another scheme. @throws UpgraderError 401 */
function bearerIn({ headers }: Request): string | null {
  const [scheme = '', ...others] = (headers.authorization ?? '').trim().split(/\s+/);
  if (scheme.toLowerCase() !== 'bearer') return null;
  const [text, ...more] = others;
  if (text === undefined) throw unauthorized('Invalid token header. No credentials provided.');
  if (more.length > 0) throw unauthorized('Invalid token header. Token string should not contain spaces.');
  if (!isUtf8(text))
    throw unauthorized('Invalid token header. Token string should not contain invalid characters.');
  return text;
}

/** node reads headers as Latin-1. */
function isUtf8(text: string): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(text, 'latin1'));
    return true;
  } catch {
    return false;
  }
}

async function byBearer(
  users: Users,
  request: Request,
  text: string,
  { address, mayBeStale }: Demand,
): Promise<Principal> {
  const requestId = requestIdOf(request);
  const verification = await users.verifyToken({
    text,
    address,
    mayBeStale,
    ...(requestId !== undefined && { requestId }),
  });
  switch (verification.kind) {
    case 'verified':
      return byToken(verification.user, verification.token);
    case 'denied':
      throw unauthorized(verification.why === 'inactive' ? 'User inactive or deleted.' : 'Invalid token.');
    case 'throttled':
      throw throttled(verification.retryAfterSeconds);
    default:
      return verification satisfies never;
  }
}

function unauthorized(text: string): ApiError {
  return detail(401, text, { 'WWW-Authenticate': 'Bearer' });
}

/** A page of elsewhere has the browser send the cookies along, and cannot read them: so what changes something names the token as well. */
function checkCsrf(request: Request, expected: string): void {
  const cookie = onlyCookie(request, PAGE_CSRF_COOKIE);
  if (cookie === null) throw detail(403, 'CSRF Failed: CSRF cookie not set.');
  const header = request.headers[CSRF_HEADER];
  if (header === undefined) throw detail(403, 'CSRF Failed: CSRF token missing.');
  if (!isSameSecret(cookie, expected) || !isSameSecret(String(header), expected))
    throw detail(403, "CSRF Failed: CSRF token from the 'X-Csrftoken' HTTP header incorrect.");
}

/** @throws UpgraderError 403, and a note of it among the refused log-ins */
function permit(users: Users, request: Request, principal: Principal, demand: Demand): void {
  try {
    requireRole(users, request, principal, demand);
  } catch (error) {
    throw error instanceof ApiError ? noPermission() : error;
  }
}
