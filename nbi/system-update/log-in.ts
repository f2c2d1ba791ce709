import { SECOND_MS } from '../../common/index.js';
import {
  ApiError,
  activeOrganizationOf,
  type Exchange,
  failures,
  findingsOf,
  invalid,
  jsonAnswer,
  objectBody,
  onlyCookie,
  type Route,
  requestIdOf,
  route,
  throttled,
  urlencodedBody,
} from '../http/index.js';
import {
  beginSession,
  NAME_CHARACTERS_MAX,
  PASSWORD_CHARACTERS_MAX,
  userAgentOf,
} from '../sessions/index.js';
import { byToken, type FoundUser, type Token } from '../users/index.js';
import { BEARER_CHALLENGE, bearerIn, SESSION_CHALLENGE } from './authentication.js';
import { COMMON_PATH, DEVICE, type SystemUpdateParts } from './parts.js';
import { clearedSession, givenSession, SESSION_COOKIE } from './session-cookie.js';

const GRANT_TYPE = 'access_code';

/** `login`, `logout` and `oauth/token`. None tells whether there is such a CPE. */
export function logInRoutes(parts: SystemUpdateParts): readonly Route[] {
  return [logInRoute(parts), logOutRoute(parts), tokenRoute(parts)];
}

function logInRoute(parts: SystemUpdateParts): Route {
  return route({
    method: 'POST',
    path: `${COMMON_PATH}/login`,
    parameters: [DEVICE],
    role: null,
    concerns: 'everyone',
    operationId: 'logInToSystemUpdate',
    summary: 'Begins a session of this API, which a cookie names',
    description: 'Wrong passwords count as those of Basic authentication do.',
    body: objectBody({
      required: ['username', 'password'],
      properties: {
        username: {
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
      example: { username: 'admin', password: 'correct horse battery' },
    }),
    answers: {
      '204': { description: 'Logged in; Set-Cookie has the session' },
      ...failures('SystemUpdateError', '413', '415', '507'),
    },
    async handle(exchange) {
      const { request, response } = exchange;
      const { username, password } = await exchange.body();
      const before = onlyCookie(request, SESSION_COOKIE);
      const { cookie } = await beginSession(
        { ...parts, challenge: { 'WWW-Authenticate': SESSION_CHALLENGE } },
        { name: username, password },
        { request, response, replaced: before === null ? [] : [before] },
      );
      response.setHeader('Set-Cookie', givenSession(request, parts.addressed.addressOf(exchange), cookie));
      response.status(204).end();
    },
  });
}

function logOutRoute({ sessions, addressed }: SystemUpdateParts): Route {
  return route({
    method: 'POST',
    path: `${COMMON_PATH}/logout`,
    parameters: [DEVICE],
    role: 'viewer',
    concerns: 'everyone',
    operationId: 'logOutOfSystemUpdate',
    summary: 'Ends the session of the cookie, or of the bearer, that the request came with',
    answers: { '204': { description: 'Logged out' }, ...failures('SystemUpdateError', '507') },
    async handle(exchange) {
      const { request, response, by } = exchange;
      const secret = bearerIn(request) ?? onlyCookie(request, SESSION_COOKIE);
      if (secret !== null && by !== null) await sessions.endOf(secret, by);
      response.setHeader('Set-Cookie', clearedSession(request, addressed.addressOf(exchange)));
      response.status(204).end();
    },
  });
}

function tokenRoute(parts: SystemUpdateParts): Route {
  const TEXT = { type: 'string' } as const;
  return route({
    method: 'POST',
    path: `${COMMON_PATH}/oauth/token`,
    parameters: [DEVICE],
    role: null,
    concerns: 'everyone',
    operationId: 'obtainSystemUpdateBearer',
    summary: 'Gives a bearer for an access code, which is a token of a user',
    description:
      'The bearer may do what the token may, no longer than that holds, and at this API alone. Wrong tokens count as they do elsewhere.',
    body: urlencodedBody(
      {
        grant_type: { enum: [GRANT_TYPE] },
        assertion: {
          ...TEXT,
          description: '`HEADER.CODE.`: the code between two dots, as the vendor’s client sends it.',
        },
        state: { ...TEXT, description: 'Comes back as it is.' },
      },
      {
        grant_type: GRANT_TYPE,
        assertion: 'eyJhbGciOiJub25lIn0=.ferry_0123456789abcdef0123_SECRET.',
        state: '5d41402a',
      },
    ),
    answers: {
      '200': jsonAnswer('It', {
        type: 'object',
        required: ['access_token', 'token_type', 'expires_in'],
        properties: {
          access_token: TEXT,
          token_type: { const: 'Bearer' },
          expires_in: {
            type: 'integer',
            description: 'In seconds, at most; without requests it is over sooner.',
          },
          state: TEXT,
        },
      }),
      ...failures('SystemUpdateError', '413', '415', '507'),
    },
    async handle(exchange) {
      const { request, response } = exchange;
      const form = await exchange.body();
      const code = codeIn(form);
      const state = form.get('state');
      const { user, token } = await shown(parts, exchange, code);
      activeOrganizationOf(user, await parts.organizations.current());
      const { address = '' } = findingsOf(response);
      const { cookie, session } = await parts.sessions.begin({
        user,
        address,
        userAgent: userAgentOf(request),
        requestId: String(requestIdOf(request)),
        replaced: [],
        role: byToken(user, token).role,
        token: token.id,
      });
      findingsOf(response).user = user.name;
      const { totalMs } = parts.sessions.kind.life;
      const endsAtMs = Math.min(session.createdAtMs + totalMs, token.expiresAtMs ?? Number.POSITIVE_INFINITY);
      response.json({
        access_token: cookie,
        token_type: 'Bearer',
        expires_in: Math.floor((endsAtMs - session.createdAtMs) / SECOND_MS),
        ...(state !== null && { state }),
      });
    },
  });
}

/** @throws ApiError 400 */
function codeIn(form: URLSearchParams): string {
  if (form.get('grant_type') !== GRANT_TYPE)
    throw invalid('grant_type', GRANT_TYPE, form.get('grant_type') ?? undefined);
  const [, code = '', signature, ...more] = (form.get('assertion') ?? '').split('.', 4);
  if (code === '' || signature !== '' || more.length > 0)
    throw invalid('assertion', 'a header, a dot, the access code and a dot');
  return code;
}

/** Who has shown a token as access code. @throws ApiError 401, 429 */
async function shown(
  { users }: SystemUpdateParts,
  { request, response }: Pick<Exchange, 'request' | 'response'>,
  text: string,
): Promise<{ readonly user: FoundUser; readonly token: Token }> {
  const { address = '' } = findingsOf(response);
  const requestId = requestIdOf(request);
  const verification = await users.verifyToken({
    text,
    address,
    ...(requestId !== undefined && { requestId }),
  });
  switch (verification.kind) {
    case 'verified':
      return verification;
    case 'denied': {
      const expected = 'a token of a user who is active, that holds, from where it may be used';
      throw new ApiError(401, [{ field: 'assertion', expected }], { 'WWW-Authenticate': BEARER_CHALLENGE });
    }
    case 'throttled':
      throw throttled(verification.retryAfterSeconds, 'assertion');
    default:
      return verification satisfies never;
  }
}
