import {
  arrivalOf,
  COOKIE_HEADER,
  closedQuery,
  failures,
  givenCookie,
  type KnownOrganizations,
  objectBody,
  type Route,
  route,
  sessionCookie,
} from '../http/index.js';
import type { Users } from '../users/index.js';
import { beginSession, NAME_CHARACTERS_MAX, PASSWORD_CHARACTERS_MAX } from './begin-session.js';
import { dialect, ownAnswer, ownView, SESSION_PATH } from './session.js';
import type { UserSessions } from './user-sessions.js';

/** `POST /v1/session` */
export function logInRoute(users: Users, sessions: UserSessions, organizations: KnownOrganizations): Route {
  return route({
    method: 'POST',
    path: SESSION_PATH,
    role: null,
    concerns: 'everyone',
    operationId: 'logIn',
    summary: 'Logs a page in: begins a session, which a cookie names',
    description:
      'The cookie is HttpOnly and SameSite=Strict, and Secure where the request came by TLS. It is another one each time. Wrong passwords count as those of Basic authentication do. For users of an organization that is not active none begins (403).',
    query: closedQuery(),
    body: objectBody({
      required: ['name', 'password'],
      properties: {
        name: {
          type: 'string',
          minLength: 1,
          maxLength: NAME_CHARACTERS_MAX,
          expected: 'the name of a user',
        },
        password: {
          type: 'string',
          minLength: 1,
          maxLength: PASSWORD_CHARACTERS_MAX,
          expected: 'the password of that user',
        },
      },
      others: 'name and password only',
      example: { name: 'admin', password: 'correct horse battery' },
    }),
    answers: {
      '200': { ...ownAnswer('Logged in'), headers: COOKIE_HEADER },
      ...failures('Answer', '413', '415', '507'),
    },
    async handle({ request, response, body }) {
      const replaced = sessionCookie(request);
      const parts = { users, sessions, organizations };
      const { user, organization, cookie, session } = await beginSession(parts, await body(), {
        request,
        response,
        replaced: replaced === null ? [] : [replaced],
      });
      response.setHeader('Set-Cookie', givenCookie(arrivalOf(response), cookie));
      const own = { role: user.role, csrfToken: sessions.csrfTokenOf(cookie), organization };
      response.json(dialect.answer(200, ownView(session, sessions.lifeOf(session), own)));
    },
  });
}
