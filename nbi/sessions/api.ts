import type { Organizations } from '../../organizations/index.js';
import { type Api, type Authentication, sessionAuthentication } from '../http/index.js';
import type { NbiLimits } from '../limits.js';
import type { Users } from '../users/index.js';
import { listRoute, revokeRoute } from './list.js';
import { logInRoute } from './log-in.js';
import { logOutRoute, ownSessionRoute } from './own.js';
import { dialect, LIST_PATH, SESSION_PATH } from './session.js';
import type { UserSessions } from './user-sessions.js';

export interface SessionParts {
  readonly users: Users;
  readonly sessions: UserSessions;
  readonly organizations: Pick<Organizations, 'directory'>;
  readonly limits: NbiLimits;
}

/** `/v1/session`, by which pages log in and out, and `/v1/sessions`, where it is seen who has. */
export function sessionApis(
  { users, sessions, organizations, limits }: SessionParts,
  authentication: Authentication,
): readonly Api[] {
  // Nothing is asked of the parts before a request comes.
  const known = { current: () => organizations.directory.current() };
  return [
    {
      name: 'sessions',
      description: 'Who has logged in by a page, and from where.',
      prefixes: [LIST_PATH],
      slashes: 'either',
      authentication,
      dialect,
      routes: [listRoute(sessions, limits), revokeRoute(sessions)],
    },
    {
      name: 'session',
      description: 'Log-in and log-out of pages.',
      prefixes: [SESSION_PATH],
      slashes: 'either',
      authentication: withoutDialog(authentication, { users, sessions }),
      dialect,
      routes: [logInRoute(users, sessions, known), ownSessionRoute(sessions, known), logOutRoute(sessions)],
    },
  ];
}

/**
 * As everywhere, but that who shows nothing is told of sessions and not of Basic: a page that asks whether anybody is logged in must not
 * have the browser open its dialog. Who does show a password has it checked: a browser forgets one that is answered 401.
 */
function withoutDialog(
  authentication: Authentication,
  { users, sessions }: Pick<SessionParts, 'users' | 'sessions'>,
): Authentication {
  const bySession = sessionAuthentication(users, sessions);
  return {
    schemes: authentication.schemes,
    authenticate(request, demand) {
      const showsNothing = request.headers.authorization === undefined;
      return (showsNothing ? bySession : authentication).authenticate(request, demand);
    },
  };
}
