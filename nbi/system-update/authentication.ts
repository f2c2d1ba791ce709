import type { Request } from 'express';
import {
  ApiError,
  type Authentication,
  type AuthenticationMethod,
  anyOf,
  apiSessionAuthentication,
  basicAuthentication,
  requireRole,
} from '../http/index.js';
import type { SystemUpdateParts } from './parts.js';
import { clearedSession, SESSION_COOKIE } from './session-cookie.js';

type Parts = Pick<SystemUpdateParts, 'users' | 'sessions' | 'addressed'>;

/** The vendor's client writes the other scheme where a bearer has three parts, as none of ours has. */
const BEARER = /^(?:Signed)?Bearer(?: +(.*))?$/i;
export const BEARER_CHALLENGE = 'Bearer realm="Ferry", error="invalid_token"';
export const SESSION_CHALLENGE = `Cookie realm="Ferry", cookie-name="${SESSION_COOKIE}"`;

/** Name and password with each request, the cookie of `login`, or the bearer of `oauth/token`. */
export function systemUpdateAuthentication(parts: Parts): Authentication {
  const { users, sessions, addressed } = parts;
  const byCookie = apiSessionAuthentication(users, sessions, SESSION_COOKIE, {
    scheme: 'systemUpdateSession',
    challenge: SESSION_CHALLENGE,
    cleared: (request) => clearedSession(request, addressed.addressOf({ request, parameters: {} })),
  });
  return anyOf([bearerOf(parts), byCookie], basicAuthentication(users));
}

/** What the header shows as a bearer; null: nothing. */
export function bearerIn({ headers }: Pick<Request, 'headers'>): string | null {
  const found = BEARER.exec(headers.authorization ?? '');
  return found === null ? null : (found[1] ?? '');
}

function bearerOf({ users, sessions }: Parts): AuthenticationMethod {
  return {
    schemes: [
      {
        name: 'systemUpdateBearer',
        description: {
          type: 'http',
          scheme: 'bearer',
          description:
            'As `oauth/token` of this API gives it for an access code, which is a token of the user.',
        },
      },
    ],
    isUsedBy: (request) => bearerIn(request) !== null,
    async authenticate(request, demand) {
      const principal = await sessions.principalOf(bearerIn(request) ?? '', demand.address);
      if (principal === null) {
        const expected =
          'a bearer that holds: ask oauth/token for one, with a token of the user as access code';
        throw new ApiError(401, [{ field: 'Authorization', expected }], {
          'WWW-Authenticate': BEARER_CHALLENGE,
        });
      }
      requireRole(users, request, principal, demand);
      return principal;
    },
  };
}
