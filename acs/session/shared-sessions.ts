import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { type Clock, type Logger, SECOND_MS } from '../../common/index.js';
import {
  type Change,
  type Collection,
  Duty,
  type Revision,
  type Store,
  type Stored,
} from '../../store/index.js';
import type { OpenSession } from './session.js';
import { SESSIONS, type SessionDocument, sessionOf, toSessionDocument } from './session-document.js';
import {
  carriedBy,
  carry,
  type EndedSession,
  type Found,
  isOver,
  type SessionEntry,
  type Sessions,
  type StepTaken,
  silentMsMaxOf,
} from './sessions.js';

/** Of all processes together: past this many, further sessions are told to come later. */
const SESSIONS_MAX = 200_000;
/** Whoever has reserved an upgrade sends it well within this; after it the session is open again for whoever comes. */
const CLAIM_MS = 10 * SECOND_MS;
/** When the process that takes out expired sessions dies, another does so soon after this. */
const EXPIRY_LEASE_MS = 15 * SECOND_MS;
const EXPIRY_PAGE = 500;
/** How often the sessions are counted, for the bound above. */
const COUNT_INTERVAL_MS = 5 * SECOND_MS;

const TIME_DIGITS = 9;
const ID_PATTERN = /^[0-9a-z]{9}-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

interface SharedEntry extends SessionEntry {
  readonly revision: Revision;
  readonly claim: SessionDocument['claim'];
  /** Names this request's own attempt at the step, where it has made a claim. */
  claimedBy: string | null;
}

export interface SharedSessionsOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A proxy is trusted: it may send several CPEs' requests over one connection, so only the cookie counts. */
  readonly sharedConnections: boolean;
  /** How long a CPE may be silent within a session. */
  readonly idleMsMax: number;
}

/**
 * The sessions of all processes that share a store. A session lies there between two requests of its CPE, so that any process can
 * go on with it, also when the one that began it is gone. What it has become replaces what was read, or the step counts for
 * nothing: so each step is answered once. All that a step does to CPEs and upgrades can be done twice without harm but for
 * reserving an upgrade, whose commit claims the step.
 */
export class SharedSessions implements Sessions {
  readonly #options: SharedSessionsOptions;
  readonly #sessions: Collection<SessionDocument>;
  readonly #expiry: Duty;
  /** Sessions in which this process has sent a Download, with when they expire. */
  readonly #downloads = new Map<string, number>();
  #expiring: Promise<EndedSession[]> | null = null;
  /** As counted last; what this process began since comes on top. */
  #counted = { sessions: 0, atMs: 0, begunSince: 0 };

  constructor(options: SharedSessionsOptions) {
    const { store, clock } = options;
    this.#options = options;
    this.#sessions = store.collection<SessionDocument>(SESSIONS);
    this.#expiry = new Duty({ store, clock, id: 'cwmp-sessions', leaseMs: EXPIRY_LEASE_MS });
  }

  count(): Promise<number> {
    return this.#sessions.count();
  }

  async begin(session: OpenSession, ip: string, socket: Socket): Promise<SessionEntry | null> {
    if (this.#counted.sessions + this.#counted.begunSince >= SESSIONS_MAX) return null;
    this.#counted.begunSince++;
    const { clock, sharedConnections } = this.#options;
    const entry = { id: `${timeText(clock())}-${randomUUID()}`, ip, session };
    const revision = await this.#sessions.insert(toSessionDocument(entry, this.#expiresAtMs(session)));
    if (revision === null) throw new Error('A new session has the id of another');
    if (!sharedConnections) carry(socket, entry.id);
    return entry;
  }

  #expiresAtMs(session: OpenSession): number {
    return this.#options.clock() + silentMsMaxOf(session, this.#options.idleMsMax);
  }

  async find(cookie: string | null, socket: Socket): Promise<Found> {
    const carried = carriedBy(socket);
    const id = cookie ?? carried;
    if (id === null) return { kind: 'none' };
    const entry = await this.#read(id);
    if (entry === null) return { kind: 'none' };
    if (carried !== null && carried !== id && (await this.#read(carried)) !== null)
      return { kind: 'mismatch' };
    return { kind: 'found', entry };
  }

  async #read(id: string): Promise<SharedEntry | null> {
    if (!ID_PATTERN.test(id)) return null;
    const stored = await this.#sessions.get(id);
    if (stored === null || stored.document.expiresAtMs <= this.#options.clock()) return null;
    const session = sessionOf(stored.document);
    if (session === null) return null;
    const { ip, claim } = stored.document;
    return { id, session, ip, claim, revision: stored.revision, claimedBy: null };
  }

  mayKnow(cookie: string | null, socket: Socket): boolean {
    return ID_PATTERN.test(cookie ?? carriedBy(socket) ?? '');
  }

  take(entry: SessionEntry): boolean {
    const { claim } = entry as SharedEntry;
    return claim === undefined || claim.untilMs <= this.#options.clock();
  }

  claiming(entry: SessionEntry): Change {
    const shared = entry as SharedEntry;
    shared.claimedBy = randomUUID();
    const claim = { by: shared.claimedBy, untilMs: this.#options.clock() + CLAIM_MS };
    const document = toSessionDocument(shared, this.#expiresAtMs(shared.session), claim);
    return this.#sessions.replacing(document, shared.revision);
  }

  async moved(entry: SessionEntry, { session }: StepTaken): Promise<boolean> {
    const shared = entry as SharedEntry;
    const expiresAtMs = this.#expiresAtMs(session);
    const document = toSessionDocument({ ...shared, session }, expiresAtMs);
    const moved = await this.#sessions.replace(document, await this.#revisionOf(shared));
    if (moved === null) return false;
    entry.session = session;
    if (session.outstanding?.request === 'Download') this.#downloads.set(entry.id, expiresAtMs);
    else this.#downloads.delete(entry.id);
    return true;
  }

  /** At which the session is, if it is still this request's: as read, or as claimed since. */
  async #revisionOf({ id, revision, claimedBy }: SharedEntry): Promise<Revision> {
    if (claimedBy === null) return revision;
    const stored = await this.#sessions.get(id);
    return stored?.document.claim?.by === claimedBy ? stored.revision : revision;
  }

  release(): void {}

  async end(entry: SessionEntry): Promise<boolean> {
    this.#downloads.delete(entry.id);
    return this.#sessions.delete(entry.id, await this.#revisionOf(entry as SharedEntry));
  }

  /** A session outlives its connections: the CPE may go on with it at another process. */
  disconnected(): null {
    return null;
  }

  async awaitsDownload(): Promise<boolean> {
    for (const id of [...this.#downloads.keys()]) {
      const entry = await this.#read(id);
      if (entry?.session.outstanding?.request === 'Download') return true;
      this.#downloads.delete(id);
    }
    return false;
  }

  expire(): Promise<EndedSession[]> {
    this.#expiring ??= this.#expire()
      .catch((error: unknown) => {
        this.#options.logger.warn('session.expiry-failed', { error });
        return [];
      })
      .finally(() => {
        this.#expiring = null;
      });
    return this.#expiring;
  }

  async #expire(): Promise<EndedSession[]> {
    const nowMs = this.#options.clock();
    for (const [id, expiresAtMs] of this.#downloads) if (expiresAtMs <= nowMs) this.#downloads.delete(id);
    await this.#recount(nowMs);
    if (!(await this.#expiry.isOurs())) return [];
    const ended: EndedSession[] = [];
    // None that was begun just now can have expired.
    const query = { below: timeText(nowMs), limit: EXPIRY_PAGE };
    let page = await this.#sessions.find(query);
    for (;;) {
      ended.push(...(await this.#takeOut(page.items, nowMs)));
      if (page.next === null) return ended;
      page = await this.#sessions.find({ ...query, after: page.next });
    }
  }

  async #takeOut(found: readonly Stored<SessionDocument>[], nowMs: number): Promise<EndedSession[]> {
    const expired = found.filter(({ document }) => document.expiresAtMs <= nowMs);
    // Side by side they share their flushes; one whose CPE has just spoken stays.
    const gone = await Promise.all(
      expired.map(({ document, revision }) => this.#sessions.delete(document.id, revision)),
    );
    return expired
      .filter((_, index) => gone[index])
      .map(({ document }) => sessionOf(document))
      .filter((session) => session !== null)
      .map((session) => ({ cpeid: session.facts.cpeid, wasOver: isOver(session) }));
  }

  async #recount(nowMs: number): Promise<void> {
    const { atMs, begunSince } = this.#counted;
    if (begunSince === 0 || nowMs - atMs < COUNT_INTERVAL_MS) return;
    const sessions = await this.#sessions.count();
    this.#counted = { sessions, atMs: nowMs, begunSince: 0 };
  }

  async close(): Promise<void> {
    await this.#expiring;
    // Where the store fails the lease runs out by itself.
    await this.#expiry
      .release()
      .catch((error: unknown) => this.#options.logger.warn('session.lease-not-released', { error }));
  }
}

/** A time as the beginning of an id: it sorts as the times do. */
function timeText(timeMs: number): string {
  return Math.max(0, Math.floor(timeMs)).toString(36).padStart(TIME_DIGITS, '0');
}
