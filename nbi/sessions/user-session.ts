import { createHash, createHmac, randomBytes } from 'node:crypto';
import { stillHolds } from '../../common/index.js';
import type { CollectionDefinition, Document } from '../../store/index.js';

/** What somebody has who has logged in by a page. Its id is shown, and is neither the cookie nor tells it. */
export interface UserSession extends Document {
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

/** How long a session lasts. */
export interface SessionLife {
  /** Without a request. */
  readonly idleMs: number;
  /** In all. */
  readonly totalMs: number;
}

/** Whether it is not over by time; one that a clock was ahead of which stored it is. */
export function isWithinLife(session: UserSession, { idleMs, totalMs }: SessionLife, nowMs: number): boolean {
  const { createdAtMs, lastUsedAtMs } = session;
  return (
    stillHolds(createdAtMs + totalMs, totalMs, nowMs) && stillHolds(lastUsedAtMs + idleMs, idleMs, nowMs)
  );
}

const COOKIE_BYTES = 32;
const COOKIE = /^[A-Za-z0-9_-]{43}$/;
const ID_BYTES = 16;

/** The value of a session's cookie: random, and known to nobody but the browser. */
export function newCookie(): string {
  return randomBytes(COOKIE_BYTES).toString('base64url');
}

/** Where the session of a cookie is to be found, and what it must have there; null for what never was one. */
export function keysOf(cookie: string): { readonly id: string; readonly digest: string } | null {
  if (!COOKIE.test(cookie)) return null;
  return {
    id: sha256(`id ${cookie}`).toString('hex', 0, ID_BYTES),
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
