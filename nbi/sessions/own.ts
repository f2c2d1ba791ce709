import {
  arrivalOf,
  clearedCookie,
  closedQuery,
  failures,
  jsonAnswer,
  noSession,
  type Route,
  ref,
  route,
  sessionCookie,
} from '../http/index.js';
import { dialect, ownAnswer, ownView, SESSION_PATH } from './session.js';
import type { UserSessions } from './user-sessions.js';

/** `GET /v1/session` */
export function ownSessionRoute(sessions: UserSessions): Route {
  return route({
    method: 'GET',
    path: SESSION_PATH,
    role: 'viewer',
    operationId: 'ownSession',
    summary: 'Tells a page who is logged in, and its CSRF token',
    description:
      'By the cookie of a session only: a page that has none is told so without a dialog of the browser.',
    query: closedQuery(),
    answers: { '200': ownAnswer('The session of this cookie'), ...failures('Answer') },
    async handle({ request, response, user }) {
      const cookie = sessionCookie(request);
      const session = user?.credential === undefined ? null : await sessions.get(user.credential);
      // It may have ended since it was asked who this is.
      if (cookie === null || session === null || user === null) throw noSession(request);
      const own = { role: user.role, csrfToken: sessions.csrfTokenOf(cookie) };
      response.json(dialect.answer(200, ownView(session, sessions.life, own)));
    },
  });
}

/** `DELETE /v1/session` */
export function logOutRoute(sessions: UserSessions): Route {
  return route({
    method: 'DELETE',
    path: SESSION_PATH,
    role: 'viewer',
    operationId: 'logOut',
    summary: 'Logs a page out: ends the session of this cookie, and takes the cookie away',
    query: closedQuery(),
    answers: {
      '200': jsonAnswer('Logged out', ref('Answer'), dialect.answer(204, '')),
      ...failures('Answer', '507'),
    },
    async handle({ response, user, by }) {
      if (user?.credential !== undefined && by !== null) {
        await sessions.end(user.credential, 'ended', by, null);
      }
      response.setHeader('Set-Cookie', clearedCookie(arrivalOf(response)));
      response.json(dialect.answer(204, ''));
    },
  });
}
