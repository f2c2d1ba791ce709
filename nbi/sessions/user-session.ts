import { createHash, createHmac } from 'node:crypto';
import { stillHolds } from '../../common/index.js';
import type { CollectionDefinition, Document } from '../../store/index.js';
import type { Role } from '../users/index.js';
import type { SessionKindName, SessionLife } from './session-kind.js';

/** What somebody has who has logged in by a page, or at an API that has log-ins of its own. Its id is shown, and is neither the cookie nor tells it. */
export interface UserSession extends Document {
  /** Of which log-in; absent: of a page. */
  readonly kind?: Exclude<SessionKindName, 'page'>;
  /** What may be done by it at most, where it was begun by something that may do less than its user; absent: what the user may. */
  readonly role?: Role;
  /** The id of the token that was shown for it, with which it ends; absent: a password was. */
  readonly token?: string;
  /** SHA-256 of the cookie, base64url: whoever reads the store has no use for it. */
  readonly digest: string;
  /** The user's name. */
  readonly user: string;
  /** The organization that the user is of; absent: the installation's. */
  readonly organization?: string;
  /** Of the password that it was begun with; another one ends it. */
  readonly passwordMark: string;
  readonly createdAtMs: number;
  /** When a request last came by it; not newer than a minute. */
  readonly lastUsedAtMs: number;
  /** Of the client that began it. */
  readonly address: string;
  /** As that client called itself, cut; empty where it did not. */
  readonly userAgent: string;
}

/** Passing: losing the last moment of it in a power cut is no more than having to log in again. What ends a session is durable. */
export const USER_SESSIONS: CollectionDefinition = {
  name: 'user-sessions',
  indexes: {
    user: ['user', 'createdAtMs'],
    lastUsed: ['lastUsedAtMs'],
    organization: ['organization'],
  },
  passing: true,
};

/** Whether it is not over by time; one that a clock was ahead of which stored it is. */
export function isWithinLife(session: UserSession, { idleMs, totalMs }: SessionLife, nowMs: number): boolean {
  const { createdAtMs, lastUsedAtMs } = session;
  return (
    stillHolds(createdAtMs + totalMs, totalMs, nowMs) && stillHolds(lastUsedAtMs + idleMs, idleMs, nowMs)
  );
}

const ID_BYTES = 16;

/** Of which log-in a session is. */
export function kindNameOf({ kind }: Pick<UserSession, 'kind'>): SessionKindName {
  return kind ?? 'page';
}

/**
 * Where the session of a cookie is to be found, and what it must have there. Elsewhere for each kind: an earlier version, which knows none but
 * pages, finds no other by its cookie.
 */
export function keysOf(
  kind: SessionKindName,
  cookie: string,
): { readonly id: string; readonly digest: string } {
  return {
    id: sha256(kind === 'page' ? `id ${cookie}` : `id ${kind} ${cookie}`).toString('hex', 0, ID_BYTES),
    digest: sha256(cookie).toString('base64url'),
  };
}

/** The same on every node, kept nowhere, and no way back to the cookie. */
export function csrfTokenOf(cookie: string): string {
  return createHmac('sha256', cookie).update('csrf-token').digest('base64url');
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
