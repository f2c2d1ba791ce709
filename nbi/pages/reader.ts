import type { Request } from 'express';
import { onlyCookie, PAGE_SESSION_COOKIE } from '../http/index.js';
import type { UserSessions } from '../sessions/index.js';
import type { Principal } from '../users/index.js';
import type { Reader } from './page.js';

/** Somebody who has logged in by a page. */
export interface LoggedIn extends Reader {
  readonly principal: Principal;
  /** The value of {@link PAGE_SESSION_COOKIE}. */
  readonly cookie: string;
}

/**
 * Who looks at a page by the session of his browser; null: nobody has logged in, or it is over.
 * @throws StoreError
 */
export async function readerOf(
  sessions: Pick<UserSessions, 'principalOf' | 'csrfTokenOf'>,
  request: Pick<Request, 'headers'>,
): Promise<LoggedIn | null> {
  const cookie = onlyCookie(request, PAGE_SESSION_COOKIE);
  const principal = cookie === null ? null : await sessions.principalOf(cookie);
  if (cookie === null || principal === null) return null;
  return { name: principal.name, csrfToken: sessions.csrfTokenOf(cookie), principal, cookie };
}
