import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import type { CpeId } from '../../common/index.js';
import type { Session } from './session.js';

/** Waiting for a CPE that says nothing costs memory only; past this many, further sessions are told to come later. */
export const SESSIONS_MAX = 100_000;

/** One open session and what carries it. */
export interface SessionEntry {
  readonly id: string;
  session: Session;
  readonly cpeid: CpeId;
  readonly ip: string;
  /** The connection it began on: the fallback for CPEs that keep no cookie. */
  readonly socket: Socket;
  /** A request of it is being worked on: each step is accepted once. */
  busy: boolean;
  touchedAtMs: number;
}

export type Found =
  | { readonly kind: 'found'; readonly entry: SessionEntry }
  | { readonly kind: 'none' }
  /** The connection carries one session and the request names another. */
  | { readonly kind: 'mismatch' };

/** The sessions open in this process, by cookie and by connection. */
export class SessionTable {
  readonly #byId = new Map<string, SessionEntry>();
  readonly #bySocket = new WeakMap<Socket, SessionEntry>();
  readonly #sharedConnections: boolean;

  /** @param sharedConnections  a proxy is trusted: it may send several CPEs' requests over one connection, so only the cookie counts */
  constructor(options: { readonly sharedConnections: boolean }) {
    this.#sharedConnections = options.sharedConnections;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** @returns null where there is no room */
  begin(session: Session, cpeid: CpeId, socket: Socket, ip: string, nowMs: number): SessionEntry | null {
    if (this.#byId.size >= SESSIONS_MAX) return null;
    const id = randomBytes(16).toString('hex');
    const entry: SessionEntry = { id, session, cpeid, ip, socket, busy: false, touchedAtMs: nowMs };
    this.#byId.set(id, entry);
    if (!this.#sharedConnections) this.#bySocket.set(socket, entry);
    return entry;
  }

  /** The session of a request: by its cookie, else by its connection (design section 5). */
  find(cookie: string | null, socket: Socket): Found {
    const carried = this.#bySocket.get(socket);
    const onConnection = carried !== undefined && this.#byId.has(carried.id) ? carried : null;
    if (cookie === null)
      return onConnection === null ? { kind: 'none' } : { kind: 'found', entry: onConnection };
    const named = this.#byId.get(cookie);
    if (named === undefined) return { kind: 'none' };
    if (onConnection !== null && onConnection !== named) return { kind: 'mismatch' };
    return { kind: 'found', entry: named };
  }

  end(entry: SessionEntry): void {
    this.#byId.delete(entry.id);
    if (this.#bySocket.get(entry.socket) === entry) this.#bySocket.delete(entry.socket);
  }

  /** Takes out what was not heard of since. */
  expire(sinceMs: number): SessionEntry[] {
    const expired: SessionEntry[] = [];
    for (const entry of this.#byId.values()) {
      if (entry.touchedAtMs < sinceMs && !entry.busy) expired.push(entry);
    }
    for (const entry of expired) this.end(entry);
    return expired;
  }
}
