import type { Request, Response } from 'express';
import type { Organization } from '../../organizations/index.js';
import {
  ApiError,
  activeOrganizationOf,
  findingsOf,
  type KnownOrganizations,
  sessionChallenge,
  throttled,
} from '../http/index.js';
import type { Credentials, FoundUser, Users } from '../users/index.js';
import type { UserSession } from './user-session.js';
import type { KindSessions } from './user-sessions.js';

export const NAME_CHARACTERS_MAX = 64;
export const PASSWORD_CHARACTERS_MAX = 1_024;
const USER_AGENT_CHARACTERS_MAX = 200;

/** What logging in by a page takes. */
export interface LogInParts {
  readonly users: Users;
  readonly sessions: Pick<KindSessions, 'begin'>;
  readonly organizations: KnownOrganizations;
  /** What is shown in place of a password: itself unless told. */
  readonly proof?: Credentials['proof'];
  /** The headers of the 401 for who is not let in; how to log in by a page unless told. */
  readonly challenge?: Readonly<Record<string, string>>;
}

/** Who has logged in, and by what he is known from now on. */
export interface BegunSession {
  readonly user: FoundUser;
  readonly organization: Organization | null;
  /** What goes to the browser, and to nobody else. */
  readonly cookie: string;
  readonly session: UserSession;
}

/**
 * Begins the session of whoever has shown a name and its password, whatever page asked for them.
 * @param replaced  the cookies of the sessions that the browser has so far, which end
 * @throws ApiError 401 where the password is not this user's, 429 where too many were wrong, 403 for a user of an organization that is
 *   not active
 * @throws StoreError
 */
export async function beginSession(
  parts: LogInParts,
  credentials: { readonly name: string; readonly password: string },
  asked: { readonly request: Request; readonly response: Response; readonly replaced: readonly string[] },
): Promise<BegunSession> {
  const { sessions, organizations, proof } = parts;
  const { request, response, replaced } = asked;
  const user = await verified(parts, credentials, asked);
  const organization = activeOrganizationOf(user, await organizations.current());
  const { address = '' } = findingsOf(response);
  const { cookie, session } = await sessions.begin({
    user,
    address,
    userAgent: userAgentOf(request),
    requestId: String(response.getHeader('X-Request-Id')),
    replaced,
    ...(proof === 'digest' && { how: proof }),
  });
  findingsOf(response).user = user.name;
  return { user, organization, cookie, session };
}

/** How a client calls itself, cut. */
export function userAgentOf({ headers }: Request): string {
  return (headers['user-agent'] ?? '').slice(0, USER_AGENT_CHARACTERS_MAX);
}

/** @throws ApiError 401 or 429, where the password is not this user's or too many were wrong */
async function verified(
  { users, proof = 'password', challenge }: LogInParts,
  { name, password }: { readonly name: string; readonly password: string },
  { request, response }: { readonly request: Request; readonly response: Response },
): Promise<FoundUser> {
  const { address = '', over } = findingsOf(response);
  const verify = async () => {
    const verification = await users.verify({
      name,
      password,
      proof,
      address,
      ...(over !== undefined && { over }),
    });
    if (verification.kind === 'denied') throw denied(challenge ?? sessionChallenge(request));
    if (verification.kind === 'verified') return;
    throw throttled(verification.retryAfterSeconds, 'password');
  };
  await verify();
  const user = await users.find(name);
  // Once more, by what is remembered: had the password been changed in between, the session would be of the new one, which nobody showed.
  await verify();
  if (user === null) throw denied(challenge ?? sessionChallenge(request));
  return user;
}

/** Whatever session the browser has goes on. */
function denied(challenge: Readonly<Record<string, string>>): ApiError {
  const problems = [{ field: 'password', expected: 'the name and password of a user' }];
  return new ApiError(401, problems, challenge);
}
