import {
  ApiError,
  activeOrganizationOf,
  arrivalOf,
  COOKIE_HEADER,
  clearedCookie,
  closedQuery,
  failures,
  jsonAnswer,
  type KnownOrganizations,
  noSession,
  type Route,
  ref,
  route,
  sessionCookie,
} from '../http/index.js';
import type { Principal } from '../users/index.js';
import { dialect, ownAnswer, ownView, SESSION_PATH } from './session.js';
import { ANYBODYS, type UserSessions } from './user-sessions.js';

/** `GET /v1/session` */
export function ownSessionRoute(sessions: UserSessions, organizations: KnownOrganizations): Route {
  return route({
    method: 'GET',
    path: SESSION_PATH,
    role: 'viewer',
    concerns: 'everyone',
    operationId: 'ownSession',
    summary: 'Tells a page who is logged in, and its CSRF token',
    description:
      'A page that has no session is told so (401) without a dialog of the browser; who is logged in by something else has none (404).',
    query: closedQuery(),
    answers: { '200': ownAnswer('The session of this cookie'), ...failures('Answer', '404') },
    async handle({ request, response, user }) {
      const cookie = sessionCookie(request);
      const session = await sessions.get(sessionIdOf(user));
      // It may have ended since it was asked who this is.
      if (cookie === null || session === null || user === null) throw noSession(request);
      const organization = activeOrganizationOf(user, await organizations.current());
      const own = { role: user.role, csrfToken: sessions.csrfTokenOf(cookie), organization };
      response.json(dialect.answer(200, ownView(session, sessions.lifeOf(session), own)));
    },
  });
}

/** `DELETE /v1/session` */
export function logOutRoute(sessions: UserSessions): Route {
  return route({
    method: 'DELETE',
    path: SESSION_PATH,
    role: 'viewer',
    concerns: 'everyone',
    operationId: 'logOut',
    summary: 'Logs a page out: ends the session of this cookie, and takes the cookie away',
    query: closedQuery(),
    answers: {
      '200': {
        ...jsonAnswer('Logged out', ref('Answer'), dialect.answer(204, '')),
        headers: COOKIE_HEADER,
      },
      ...failures('Answer', '404', '507'),
    },
    async handle({ response, user, by }) {
      const id = sessionIdOf(user);
      if (by !== null) await sessions.end(id, 'ended', by, ANYBODYS);
      response.setHeader('Set-Cookie', clearedCookie(arrivalOf(response)));
      response.json(dialect.answer(204, ''));
    },
  });
}

/** @throws ApiError 404 for who is logged in by something else */
function sessionIdOf(user: Principal | null): string {
  if (user?.how === 'session' && user.credential !== undefined) return user.credential;
  throw new ApiError(404, [{ field: 'Cookie', expected: 'a session: log in by POST /v1/session' }]);
}
