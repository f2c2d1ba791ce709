import type { Request, Response } from 'express';
import {
  ApiError,
  activeOrganizationOf,
  arrivalOf,
  closedQuery,
  failures,
  findingsOf,
  givenCookie,
  type KnownOrganizations,
  objectBody,
  type Route,
  route,
  sessionChallenge,
  sessionCookie,
  throttled,
} from '../http/index.js';
import type { FoundUser, Users } from '../users/index.js';
import { dialect, ownAnswer, ownView, SESSION_PATH } from './session.js';
import type { UserSessions } from './user-sessions.js';

const NAME_CHARACTERS_MAX = 64;
const PASSWORD_CHARACTERS_MAX = 1_024;
const USER_AGENT_CHARACTERS_MAX = 200;

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
      '200': ownAnswer('Logged in; Set-Cookie has the session'),
      ...failures('Answer', '413', '415', '507'),
    },
    async handle({ request, response, body }) {
      const user = await verified(users, await body(), { request, response });
      const organization = activeOrganizationOf(user, await organizations.current());
      const { address = '' } = findingsOf(response);
      const { cookie, session } = await sessions.begin({
        user,
        address,
        userAgent: (request.headers['user-agent'] ?? '').slice(0, USER_AGENT_CHARACTERS_MAX),
        requestId: String(response.getHeader('X-Request-Id')),
        replaced: sessionCookie(request),
      });
      findingsOf(response).user = user.name;
      response.setHeader('Set-Cookie', givenCookie(arrivalOf(response), cookie));
      const own = { role: user.role, csrfToken: sessions.csrfTokenOf(cookie), organization };
      response.json(dialect.answer(200, ownView(session, sessions.life, own)));
    },
  });
}

/** @throws ApiError 401 or 429, where the password is not this user's or too many were wrong */
async function verified(
  users: Users,
  { name, password }: { readonly name: string; readonly password: string },
  { request, response }: { readonly request: Request; readonly response: Response },
): Promise<FoundUser> {
  const { address = '', over } = findingsOf(response);
  const verify = async () => {
    const verification = await users.verify({ name, password, address, ...(over !== undefined && { over }) });
    if (verification.kind === 'denied') throw denied(request);
    if (verification.kind === 'verified') return;
    throw throttled(verification.retryAfterSeconds, 'password');
  };
  await verify();
  const user = await users.find(name);
  // Once more, by what is remembered: had the password been changed in between, the session would be of the new one, which nobody showed.
  await verify();
  if (user === null) throw denied(request);
  return user;
}

/** Whatever session the browser has goes on. */
function denied(request: Request): ApiError {
  const problems = [{ field: 'password', expected: 'the name and password of a user' }];
  return new ApiError(401, problems, sessionChallenge(request));
}
