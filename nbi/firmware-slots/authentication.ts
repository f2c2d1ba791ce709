import type { Request } from 'express';
import {
  type Authentication,
  apiSessionAuthentication,
  arrivalOf,
  basicAuthentication,
  clearedApiCookie,
} from '../http/index.js';
import { API_ROOT } from './links.js';
import type { FirmwareSlotsParts } from './parts.js';

export const COOKIE = 'session_id';
/** Where a session begins. */
export const LOG_IN_PATH = '/authentication';

/** A name and password where a session begins, and that session everywhere else: neither is taken in place of the other. */
export function slotsAuthentication({
  users,
  sessions,
}: Pick<FirmwareSlotsParts, 'users' | 'sessions'>): Authentication {
  const byPassword = basicAuthentication(users);
  const bySession = apiSessionAuthentication(users, sessions.of('firmware-slots'), COOKIE, {
    scheme: 'firmware-slots',
    challenge: `Cookie realm="Ferry", cookie-name="${COOKIE}"`,
    cleared: (request) =>
      clearedApiCookie(arrivalOf(request.res), { name: COOKIE, path: cookiePath(request) }),
  });
  return {
    schemes: bySession.schemes,
    authenticate: (request, demand) =>
      (beginsSession(request) ? byPassword : bySession).authenticate(request, demand),
  };
}

/** As the client writes the path of the API: there, and nowhere else, the cookie is sent. */
function cookiePath({ originalUrl }: Pick<Request, 'originalUrl'>): string {
  const [path = ''] = originalUrl.split(/[?#]/, 1);
  const [, byPath] = /^(\/devices\/[^/]+)\//.exec(path) ?? [];
  return `${byPath ?? ''}${API_ROOT}`;
}

function beginsSession({ method, path }: Pick<Request, 'method' | 'path'>): boolean {
  const written = path.endsWith('/') ? path.slice(0, -1) : path;
  return (method === 'GET' || method === 'HEAD') && written.endsWith(`${API_ROOT}${LOG_IN_PATH}`);
}
