import type { Request } from 'express';
import type { Principal, Users } from '../users/index.js';
import { ApiError } from './api-error.js';
import type { AuthenticationMethod } from './authentication.js';
import { cookieValues, onlyCookie } from './page-cookies.js';
import { requireRole } from './required-role.js';

/** Whose the sessions of one API are. */
export interface ApiSessions {
  /**
   * Whose session a secret names; null: none, or one that is over.
   * @param address  from where it comes: a session that began by a token holds from where that may be used
   */
  principalOf(secret: string, address: string): Promise<Principal | null>;
}

/** What the sessions of one API are told by. */
export interface ApiSessionManners {
  /** As the OpenAPI document names it. */
  readonly scheme: string;
  /** The `WWW-Authenticate` for who has none. */
  readonly challenge: string;
  /** The `Set-Cookie` that takes away a cookie that names nothing; without it the client keeps it. */
  readonly cleared?: (request: Request) => string;
}

/**
 * The cookie of a session of one API. There is no CSRF token: the cookie is SameSite=Strict, and what pages of other sites have a browser
 * send is refused before anybody is asked who he is (`other-sites.ts`).
 * @param sessions  of that API alone: what names a session of another is none here
 */
export function apiSessionAuthentication(
  users: Pick<Users, 'logIns'>,
  sessions: ApiSessions,
  cookieName: string,
  { scheme, challenge, cleared }: ApiSessionManners,
): AuthenticationMethod {
  return {
    schemes: [{ name: scheme, description: { type: 'apiKey', in: 'cookie', name: cookieName } }],
    isUsedBy: (request) => cookieValues(request, cookieName).length > 0,
    async authenticate(request, demand) {
      const secret = onlyCookie(request, cookieName);
      const principal = secret === null ? null : await sessions.principalOf(secret, demand.address);
      if (principal === null) {
        throw new ApiError(401, [{ field: 'Cookie', expected: `a session in ${cookieName}: log in` }], {
          'WWW-Authenticate': challenge,
          ...(cleared !== undefined &&
            cookieValues(request, cookieName).length > 0 && { 'Set-Cookie': cleared(request) }),
        });
      }
      requireRole(users, request, principal, demand);
      return principal;
    },
  };
}
