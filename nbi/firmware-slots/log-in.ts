import type { Request, Response } from 'express';
import {
  ApiError,
  activeOrganizationOf,
  actorOf,
  arrivalOf,
  basicAuthentication,
  basicCredentials,
  clearedApiCookie,
  findingsOf,
  givenApiCookie,
  type KnownOrganizations,
  onlyCookie,
  type Scope,
} from '../http/index.js';
import { beginSession, type KindSessions } from '../sessions/index.js';
import type { Users } from '../users/index.js';
import { COOKIE, KIND, LOG_IN_PATH } from './authentication.js';
import { type Endpoint, method } from './endpoint.js';
import type { FirmwareSlotsParts } from './parts.js';

const CHALLENGE = { 'WWW-Authenticate': 'Basic realm="Ferry", charset="UTF-8"' };

/** Logging in and out, and how that can be done. */
export function logInEndpoints({
  users,
  sessions,
  organizations,
}: Pick<FirmwareSlotsParts, 'users' | 'sessions' | 'organizations'>): readonly Endpoint[] {
  // Nothing is asked of the parts before a request comes.
  const own: Pick<KindSessions, 'begin'> = { begin: (beginning) => sessions.of(KIND).begin(beginning) };
  const known = { current: () => organizations.directory.current() };
  return [
    {
      path: LOG_IN_PATH,
      methods: [
        method({
          method: 'GET',
          role: null,
          who: ({ request, response }) => shown(users, known, request, response),
          operationId: 'logInToFirmwareSlots',
          summary: 'Logs in by name and password (Basic): a cookie names the session',
          description:
            'Another one each time. It ends 20 minutes after its last request, and 12 hours after it began.',
          changes: true,
          answer: { status: 200, description: 'Logged in', schema: 'FirmwareSlotsLinks' },
          fails: ['507'],
          async handle({ href, exchange: { request, response }, send }) {
            const credentials = basicCredentials(request.headers.authorization ?? '');
            if (credentials === null) throw new ApiError(401, [], CHALLENGE);
            const before = onlyCookie(request, COOKIE);
            const { cookie } = await beginSession(
              { users, sessions: own, organizations: known, challenge: CHALLENGE },
              credentials,
              { request, response, replaced: before === null ? [] : [before] },
            );
            const given = givenApiCookie(arrivalOf(response), {
              name: COOKIE,
              value: cookie,
              path: href(''),
            });
            send(
              200,
              {
                meta: {
                  firmware: href('/firmware'),
                  href: href(LOG_IN_PATH),
                  login_methods: href(`${LOG_IN_PATH}/login_methods`),
                  parent: href(''),
                },
              },
              { 'Set-Cookie': given },
            );
          },
        }),
        method({
          method: 'DELETE',
          role: 'viewer',
          operationId: 'logOutOfFirmwareSlots',
          summary: 'Logs out: ends the session of the cookie, and takes the cookie away',
          answer: { status: 200, description: 'Logged out', schema: 'FirmwareSlotsLinks' },
          fails: ['507'],
          async handle({ href, exchange, send }) {
            const { request, response } = exchange;
            const secret = onlyCookie(request, COOKIE);
            if (secret !== null) await sessions.of(KIND).endOf(secret, actorOf(exchange));
            const cleared = clearedApiCookie(arrivalOf(response), { name: COOKIE, path: href('') });
            send(200, { meta: { href: href(LOG_IN_PATH), parent: href('') } }, { 'Set-Cookie': cleared });
          },
        }),
      ],
    },
    loginMethods(`${LOG_IN_PATH}/login_methods`, 'listFirmwareSlotsLogInMethods'),
    loginMethods(`${LOG_IN_PATH}/types`, 'listFirmwareSlotsLogInTypes'),
  ];
}

/** Whose things he sees who shows a name and password. @throws ApiError 401, 403, 429 */
async function shown(
  users: Users,
  known: KnownOrganizations,
  request: Request,
  response: Response,
): Promise<Scope> {
  const { address = '' } = findingsOf(response);
  const demand = { role: 'viewer', address, mayBeStale: false } as const;
  const principal = await basicAuthentication(users).authenticate(request, demand);
  const organizations = await known.current();
  const organization = activeOrganizationOf(principal, organizations);
  return { organization, isInstallation: principal.organization === undefined, organizations };
}

/** Under either of its names. */
function loginMethods(path: string, operationId: string): Endpoint {
  return {
    path,
    methods: [
      method({
        method: 'GET',
        role: 'viewer',
        operationId,
        summary: 'Tells how one can log in: by name and password alone',
        answer: { status: 200, description: 'The ways to log in', schema: 'FirmwareSlotsList' },
        async handle({ href, send }) {
          const meta = { href: href(path), parent: href(LOG_IN_PATH) };
          send(200, { items: [{ key: 'basic', meta: { href: href(LOG_IN_PATH) } }], meta });
        },
      }),
    ],
  };
}
