import type { Request } from 'express';
import { type Authentication, apiSessionAuthentication, arrivalOf, clearedApiCookie } from '../http/index.js';
import { API_ROOT } from './links.js';
import type { FirmwareSlotsParts } from './parts.js';

/** Of its sessions. */
export const KIND = 'firmware-slots';
export const COOKIE = 'session_id';
/** Where a session begins. */
export const LOG_IN_PATH = '/authentication';

/** A session that began here, and nothing else. */
export function slotsAuthentication({
  users,
  sessions,
}: Pick<FirmwareSlotsParts, 'users' | 'sessions'>): Authentication {
  // Nothing is asked of the parts before a request comes.
  const own = { principalOf: (secret: string) => sessions.of(KIND).principalOf(secret) };
  return apiSessionAuthentication(users, own, COOKIE, {
    scheme: KIND,
    challenge: `Cookie realm="Ferry", cookie-name="${COOKIE}"`,
    cleared: (request) =>
      clearedApiCookie(arrivalOf(request.res), { name: COOKIE, path: cookiePath(request) }),
  });
}

/** As the client writes the path of the API: there, and nowhere else, the cookie is sent. */
function cookiePath({ originalUrl }: Pick<Request, 'originalUrl'>): string {
  const [path = ''] = originalUrl.split(/[?#]/, 1);
  const [, byPath] = /^(\/devices\/[^/]+)\//.exec(path) ?? [];
  return `${byPath ?? ''}${API_ROOT}`;
}
