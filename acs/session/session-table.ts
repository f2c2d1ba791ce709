import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { MonotonicClock } from '../../common/index.js';
import type { OpenSession } from './session.js';
import {
  addressOf,
  carriedBy,
  carry,
  type EndedSession,
  type Found,
  foundAmong,
  isOver,
  type SessionEntry,
  type SessionOrigin,
  type Sessions,
  type StepTaken,
  silentMsMaxOf,
} from './sessions.js';

/** Waiting for a CPE that says nothing costs memory only; past this many, further sessions are told to come later. */
const SESSIONS_MAX = 100_000;

interface TableEntry extends SessionEntry {
  /** A request of it is being worked on: each step is accepted once. */
  busy: boolean;
  keepsAlive: boolean;
  touchedAtMs: number;
}

export interface SessionTableOptions {
  /** A proxy is trusted: it may send several CPEs' requests over one connection, so only the cookie counts. */
  readonly sharedConnections: boolean;
  /** Whatever address a cookie comes from it names its session: for CPEs whose address changes within one, without a proxy that is trusted. */
  readonly cookieFromAnyAddress?: boolean;
  /** How long a CPE may be silent within a session. */
  readonly idleMsMax: number;
  readonly monotonic: MonotonicClock;
}

/** The sessions of a process that nobody shares them with: in its memory, by cookie and by connection. */
export class SessionTable implements Sessions {
  readonly #byId = new Map<string, TableEntry>();
  readonly #options: SessionTableOptions;

  constructor(options: SessionTableOptions) {
    this.#options = options;
  }

  count(): number {
    return this.#byId.size;
  }

  begin(session: OpenSession, { ip, socket }: SessionOrigin): SessionEntry | null {
    if (this.#byId.size >= SESSIONS_MAX) return null;
    // 122 random bits; unlike randomBytes it draws them in batches.
    const id = randomUUID();
    const touchedAtMs = this.#options.monotonic();
    const entry: TableEntry = { id, session, ip, busy: false, keepsAlive: false, touchedAtMs };
    this.#byId.set(id, entry);
    if (!this.#options.sharedConnections) carry(socket, id, session.facts.cpeid);
    return entry;
  }

  find(cookies: readonly string[], socket: Socket): Found {
    const carried = this.#carriedBy(socket) ?? null;
    // So it is of nearly every CPE: it names no session, or that of its connection.
    if (carried !== null && (cookies.length === 0 || (cookies.length === 1 && cookies[0] === carried.id)))
      return { kind: 'found', entry: carried };
    const named = cookies.map((cookie) => this.#byId.get(cookie)).filter((entry) => entry !== undefined);
    const { sharedConnections, cookieFromAnyAddress = false } = this.#options;
    return foundAmong(named, carried, sharedConnections || cookieFromAnyAddress ? null : addressOf(socket));
  }

  mayKnow(cookies: readonly string[], socket: Socket): boolean {
    return this.find(cookies, socket).kind === 'found';
  }

  take({ id }: SessionEntry): boolean {
    const entry = this.#byId.get(id);
    // It may have ended while the body was on its way.
    if (entry === undefined || entry.busy) return false;
    entry.busy = true;
    return true;
  }

  claiming(): null {
    return null;
  }

  isCurrent(): true {
    return true;
  }

  moved({ id }: SessionEntry, { session, keepsAlive }: StepTaken): boolean {
    const entry = this.#byId.get(id);
    if (entry === undefined) return false;
    entry.session = session;
    entry.keepsAlive = keepsAlive;
    return true;
  }

  newer(): null {
    return null;
  }

  release({ id }: SessionEntry): void {
    const entry = this.#byId.get(id);
    if (entry === undefined) return;
    entry.busy = false;
    entry.touchedAtMs = this.#options.monotonic();
  }

  /** With the connection goes a session that is over, unless its CPE closes the connection after every answer. */
  disconnected(socket: Socket): EndedSession | null {
    const entry = this.#carriedBy(socket);
    if (entry === undefined || entry.busy || !entry.keepsAlive || !isOver(entry.session)) return null;
    this.end(entry);
    return endedSession(entry);
  }

  end({ id }: SessionEntry): boolean {
    return this.#byId.delete(id);
  }

  awaitsDownload(): boolean {
    for (const { session } of this.#byId.values()) {
      if (session.outstanding?.request === 'Download') return true;
    }
    return false;
  }

  expire(): EndedSession[] {
    const { monotonic, idleMsMax } = this.#options;
    const nowMs = monotonic();
    const expired: TableEntry[] = [];
    for (const entry of this.#byId.values()) {
      const silentMsMax = silentMsMaxOf(entry.session, idleMsMax);
      if (nowMs - entry.touchedAtMs > silentMsMax && !entry.busy) expired.push(entry);
    }
    for (const entry of expired) this.end(entry);
    return expired.map(endedSession);
  }

  async close(): Promise<void> {
    this.#byId.clear();
  }

  #carriedBy(socket: Socket): TableEntry | undefined {
    const id = carriedBy(socket);
    return id === null ? undefined : this.#byId.get(id);
  }
}

function endedSession({ session }: SessionEntry): EndedSession {
  return { cpeid: session.facts.cpeid, wasOver: isOver(session) };
}
