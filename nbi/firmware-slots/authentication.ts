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
  addressed,
}: Pick<FirmwareSlotsParts, 'users' | 'sessions' | 'addressed'>): Authentication {
  // Nothing is asked of the parts before a request comes.
  const own = {
    principalOf: (secret: string, address: string) => sessions.of(KIND).principalOf(secret, address),
  };
  return apiSessionAuthentication(users, own, COOKIE, {
    scheme: KIND,
    challenge: `Cookie realm="Ferry", cookie-name="${COOKIE}"`,
    cleared: (request) =>
      clearedApiCookie(arrivalOf(request.res), {
        name: COOKIE,
        path: `${addressed.addressOf({ request, parameters: {} }).prefix}${API_ROOT}`,
      }),
  });
}
