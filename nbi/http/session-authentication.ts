import type { Request } from 'express';
import type { Principal, Users } from '../users/index.js';
import { ApiError } from './api-error.js';
import type { AuthenticationMethod } from './authentication.js';
import { arrivalOf } from './observe.js';
import { mayChange } from './other-sites.js';
import { requireRole } from './required-role.js';
import { isSameSecret } from './same-secret.js';
import { clearedCookie, sessionCookie, sessionCookieName, sessionCookies } from './session-cookie.js';

/** Who has a session, as far as authentication asks. */
export interface SessionLogins {
  /** Whose session a cookie names; null: none, or one that is over. */
  principalOf(cookie: string): Promise<Principal | null>;
  /** What a page shows for its changes, beside the cookie that a browser sends by itself. */
  csrfTokenOf(cookie: string): string;
}

const TOKEN_HEADER = 'X-CSRF-Token';

/** The cookie of a session; with it whatever may change something needs the session's CSRF token, wherever it comes from. */
export function sessionAuthentication(
  users: Pick<Users, 'logIns'>,
  logins: SessionLogins,
): AuthenticationMethod {
  return {
    schemes: [
      {
        name: 'session',
        description: {
          type: 'apiKey',
          in: 'cookie',
          name: 'ferry-session',
          description: `As POST /v1/session sets it; under TLS it is called __Host-ferry-session. Every other method than GET needs the session's csrfToken in ${TOKEN_HEADER} as well.`,
        },
      },
    ],
    isUsedBy: (request) => sessionCookies(request).length > 0,
    async authenticate(request, demand) {
      const cookie = sessionCookie(request);
      const principal = cookie === null ? null : await logins.principalOf(cookie);
      if (cookie === null || principal === null) throw noSession(request);
      if (mayChange(request) && !isToken(request.headers['x-csrf-token'], logins.csrfTokenOf(cookie))) {
        throw new ApiError(403, [
          { field: TOKEN_HEADER, code: 'csrf-token', expected: 'the csrfToken that GET /v1/session tells' },
        ]);
      }
      requireRole(users, request, principal, demand);
      return principal;
    },
  };
}

/** The 401 for who has no session; a cookie that names nothing is taken away. */
export function noSession(request: Request): ApiError {
  return new ApiError(401, [{ field: 'Cookie', expected: 'a session: log in by POST /v1/session' }], {
    ...sessionChallenge(request),
    ...(sessionCookies(request).length > 0 && { 'Set-Cookie': clearedCookie(arrivalOf(request.res)) }),
  });
}

/** How to log in by a page (RFC 9110, 11.6.1 asks for a challenge): none that a browser opens a dialog for, which belongs to Basic. */
export function sessionChallenge(request: Request): Readonly<Record<string, string>> {
  const name = sessionCookieName(arrivalOf(request.res));
  return { 'WWW-Authenticate': `Cookie realm="Ferry", cookie-name="${name}"` };
}

function isToken(found: string | string[] | undefined, token: string): boolean {
  return isSameSecret(String(found ?? ''), token);
}
