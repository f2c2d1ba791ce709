import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { CpeId } from '../../common/index.js';
import type { Outstanding, Session } from './session.js';

/** Waiting for a CPE that says nothing costs memory only; past this many, further sessions are told to come later. */
export const SESSIONS_MAX = 100_000;

/** One open session and what carries it. */
export interface SessionEntry {
  readonly id: string;
  session: Session;
  readonly cpeid: CpeId;
  readonly ip: string;
  /** A request of it is being worked on: each step is accepted once. */
  busy: boolean;
  /** The CPE means to send several requests over one connection, so that closing it says something. */
  keepsAlive: boolean;
  touchedAtMs: number;
}

/**
 * The session a connection carries: the fallback for CPEs that keep no cookie. It hangs on the socket itself, as thousands of weak
 * references a second would keep the garbage collector busy.
 */
const CARRIED = Symbol('session');
type CarryingSocket = Socket & { [CARRIED]?: SessionEntry };

/** After our empty answer a CPE that has something more to say says it at once; most close without a word. */
const LINGER_MS = 5_000;

/** Neither side has anything more to say (TR-069 3.7.1.4), as far as we know. */
export function isOver({ session }: SessionEntry): boolean {
  return session.phase === 'open' && session.quiet && session.outstanding === null;
}

export type Found =
  | { readonly kind: 'found'; readonly entry: SessionEntry }
  | { readonly kind: 'none' }
  /** The connection carries one session and the request names another. */
  | { readonly kind: 'mismatch' };

/** The sessions open in this process, by cookie and by connection. */
export class SessionTable {
  readonly #byId = new Map<string, SessionEntry>();
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
    // 122 random bits; unlike randomBytes it draws them in batches.
    const id = randomUUID();
    const entry: SessionEntry = {
      id,
      session,
      cpeid,
      ip,
      busy: false,
      keepsAlive: false,
      touchedAtMs: nowMs,
    };
    this.#byId.set(id, entry);
    if (!this.#sharedConnections) (socket as CarryingSocket)[CARRIED] = entry;
    return entry;
  }

  /** The session of a request: by its cookie, else by its connection (design section 5). */
  find(cookie: string | null, socket: Socket): Found {
    const carried = (socket as CarryingSocket)[CARRIED];
    const onConnection = carried !== undefined && this.#byId.has(carried.id) ? carried : null;
    if (cookie === null)
      return onConnection === null ? { kind: 'none' } : { kind: 'found', entry: onConnection };
    const named = this.#byId.get(cookie);
    if (named === undefined) return { kind: 'none' };
    if (onConnection !== null && onConnection !== named) return { kind: 'mismatch' };
    return { kind: 'found', entry: named };
  }

  /**
   * The connection has gone: with it a session that is over, unless its CPE closes the connection after every answer.
   * @returns the session that ended, if one did
   */
  disconnected(socket: Socket): SessionEntry | null {
    const entry = (socket as CarryingSocket)[CARRIED];
    if (entry === undefined || entry.busy || !entry.keepsAlive || !isOver(entry)) return null;
    return this.end(entry) ? entry : null;
  }

  /** @returns false where it had ended already */
  end(entry: SessionEntry): boolean {
    return this.#byId.delete(entry.id);
  }

  /** Whether a CPE has such a request of ours to answer. */
  someAwaits(request: Outstanding['request']): boolean {
    for (const { session } of this.#byId.values()) {
      if (session.phase === 'open' && session.outstanding?.request === request) return true;
    }
    return false;
  }

  /** Takes out the sessions that fell silent, and those that are over. */
  expire(nowMs: number, idleMsMax: number): SessionEntry[] {
    const expired: SessionEntry[] = [];
    for (const entry of this.#byId.values()) {
      const silentMsMax = isOver(entry) ? Math.min(LINGER_MS, idleMsMax) : idleMsMax;
      if (nowMs - entry.touchedAtMs > silentMsMax && !entry.busy) expired.push(entry);
    }
    for (const entry of expired) this.end(entry);
    return expired;
  }
}
