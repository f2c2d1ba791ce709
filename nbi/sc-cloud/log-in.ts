import { createHash } from 'node:crypto';
import { ApiError, closedQuery, onlyCookie, type Route, route } from '../http/index.js';
import { beginSession, NAME_CHARACTERS_MAX } from '../sessions/index.js';
import { PASSWORD_DIGEST_PATTERN } from '../users/index.js';
import { clearedCookies, givenCookies, SESSION_COOKIE } from './authentication.js';
import { CODES } from './codes.js';
import { answerSchema, answers, CloudError, PREFIX } from './dialect.js';
import { type FormFields, logInForm } from './log-in-form.js';
import type { CloudParts } from './parts.js';

const SID = {
  type: 'string',
  description: `What ${SESSION_COOKIE} names the session by: 32 capital letters.`,
};

/** `POST /sc_cloud/login` */
export function logInRoute({ users, sessions, organizations }: CloudParts): Route {
  const parts = {
    users,
    sessions: sessions.of('sc-cloud'),
    organizations: { current: () => organizations.directory.current() },
    proof: 'digest',
    challenge: {},
  } as const;
  return route({
    method: 'POST',
    path: `${PREFIX}/login`,
    role: null,
    concerns: 'everyone',
    operationId: 'scCloudLogIn',
    summary: 'Logs a user in by the MD5 of his password, where that is switched on for him',
    description:
      'Wrong ones count as wrong passwords of Basic authentication do. A wrong digest, a user who may not log in so and a name that nobody has are one answer: -1.',
    query: closedQuery(),
    body: logInForm(['id', 'pass']),
    answers: answers(
      'Logged in, with both cookies; or why not',
      answerSchema({
        id: { type: 'integer', description: 'A number of the user.' },
        name: { type: 'string' },
        pass: { type: 'string', description: 'Always empty.' },
        sid: SID,
      }),
      { concerns: 'everyone', changes: true, hasBody: true },
    ),
    async handle({ request, response, body }) {
      const credentials = credentialsIn(await body());
      const before = onlyCookie(request, SESSION_COOKIE);
      const asked = { request, response, replaced: before === null ? [] : [before] };
      const { cookie: sid, user } = await beginSession(parts, credentials, asked).catch((error: unknown) => {
        throw error instanceof ApiError && error.status === 401 ? wrong() : error;
      });
      response.setHeader('Set-Cookie', givenCookies(request, sid, user.name));
      response.json({ id: numberOf(user.name), name: user.name, pass: '', result: CODES.done, sid });
    },
  });
}

/** `POST /sc_cloud/logout` */
export function logOutRoute({ sessions }: CloudParts): Route {
  const own = sessions.of('sc-cloud');
  return route({
    method: 'POST',
    path: `${PREFIX}/logout`,
    role: 'viewer',
    concerns: 'everyone',
    operationId: 'scCloudLogOut',
    summary: 'Ends the session of this cookie, and takes the cookies away',
    query: closedQuery(),
    answers: answers('Logged out', answerSchema({ sid: SID }), { concerns: 'everyone', changes: true }),
    async handle({ request, response, by }) {
      const sid = onlyCookie(request, SESSION_COOKIE);
      if (sid !== null && by !== null) await own.endOf(sid, by);
      response.setHeader('Set-Cookie', clearedCookies(request));
      response.json({ result: CODES.done, sid: sid ?? '' });
    },
  });
}

/** @throws ApiError */
function credentialsIn(form: FormFields): { readonly name: string; readonly password: string } {
  const [name, digest] = [form.get('id'), form.get('pass')];
  if (name === undefined) throw new CloudError(CODES.wrongBody, 'id', 'the name of a user');
  if (digest === undefined)
    throw new CloudError(CODES.wrongBody, 'pass', 'the MD5 of his password in hexadecimal');
  // Nobody is called so, and nothing that is no digest is right: no place is taken for it.
  if (name.length > NAME_CHARACTERS_MAX || !PASSWORD_DIGEST_PATTERN.test(digest)) throw wrong();
  return { name, password: digest.toLowerCase() };
}

function wrong(): CloudError {
  return new CloudError(CODES.wrongPassword, 'pass', 'the name of a user and the MD5 of his password');
}

const NUMBER_BYTES = 4;
const SIGN = 0x7fff_ffff;

/** Clients have a number for each user, and do nothing with it. It follows from the name. */
function numberOf(name: string): number {
  return createHash('sha256').update(name).digest().readUIntBE(0, NUMBER_BYTES) & SIGN;
}
