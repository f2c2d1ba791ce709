import type { Request } from 'express';
import {
  type Authentication,
  apiSessionAuthentication,
  arrivalOf,
  clearedApiCookie,
  cookieValues,
  givenApiCookie,
  onlyCookie,
  requireRole,
} from '../http/index.js';
import type { KindSessions } from '../sessions/index.js';
import type { Users } from '../users/index.js';
import { CODES } from './codes.js';
import { CloudError, PREFIX } from './dialect.js';

/** The session, and the name of its user, which clients show beside it. */
export const SESSION_COOKIE = 'mwcloud-sid';
const USER_COOKIE = 'mwcloud-uid';

const CHALLENGE = `Cookie realm="Ferry", cookie-name="${SESSION_COOKIE}"`;

/**
 * The cookies that a log-in gives. The one with the name need not be sent; where it is, it names the user of the session.
 */
export function cloudAuthentication(
  users: Pick<Users, 'logIns'>,
  sessions: Pick<KindSessions, 'principalOf'>,
): Authentication {
  const bySession = apiSessionAuthentication(users, sessions, SESSION_COOKIE, {
    scheme: 'scCloudSession',
    challenge: CHALLENGE,
  });
  return {
    schemes: bySession.schemes,
    async authenticate(request, demand) {
      // Before the role is looked at, which would tell something of the session.
      const principal = await bySession.authenticate(request, { ...demand, role: 'viewer' });
      if (!isNamed(request, principal.name)) throw notLoggedIn();
      requireRole(users, request, principal, demand);
      return principal;
    },
  };
}

function isNamed(request: Request, name: string): boolean {
  const isSaid = cookieValues(request, USER_COOKIE).length > 0;
  return !isSaid || onlyCookie(request, USER_COOKIE) === name;
}

function notLoggedIn(): CloudError {
  return new CloudError(
    CODES.notLoggedIn,
    'Cookie',
    `a session in ${SESSION_COOKIE}: log in at ${PREFIX}/login`,
  );
}

/** The `Set-Cookie`s of who has logged in. */
export function givenCookies({ res }: Request, session: string, name: string): readonly string[] {
  const arrival = arrivalOf(res);
  return [
    givenApiCookie(arrival, { name: SESSION_COOKIE, value: session, path: PREFIX }),
    givenApiCookie(arrival, { name: USER_COOKIE, value: name, path: PREFIX }),
  ];
}

/** Those of who has logged out. */
export function clearedCookies({ res }: Request): readonly string[] {
  const arrival = arrivalOf(res);
  return [SESSION_COOKIE, USER_COOKIE].map((name) => clearedApiCookie(arrival, { name, path: PREFIX }));
}
