import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type Clock, type Logger, SECOND_MS } from '../../common/index.js';
import type { Collection, Revision, Store, Stored } from '../../store/index.js';
import { Deferral } from './deferral.js';
import type { OpenSession } from './session.js';
import { SESSIONS, type SessionDocument, sessionOf, toSessionDocument } from './session-document.js';
import { SessionEndings } from './session-endings.js';
import { SessionExpiry } from './session-expiry.js';
import { begunAtMs, isSessionId, SessionNames } from './session-id.js';
import { type Remembered, SessionMemory } from './session-memory.js';
import {
  answeredOn,
  answerOn,
  type Claim,
  carriedBy,
  carry,
  type EndedSession,
  type Found,
  isOver,
  type SessionEntry,
  type SessionOrigin,
  type Sessions,
  type StepTaken,
  silentMsMaxOf,
} from './sessions.js';

/** Of all processes together: past this many, further sessions are told to come later. */
const SESSIONS_MAX = 200_000;
/** Whoever has reserved an upgrade sends it well within this; after it the session is open again for whoever comes. */
const CLAIM_MS = 10 * SECOND_MS;
/** Sessions of which this process remembers its last step: some 50 MB with the devices at hand. */
const REMEMBERED_COUNT_MAX = 20_000;
/** So long a session stays with the process that it came to, where its CPE should come again over the same connection. */
const DEFER_MS = 50;
/** A CPE that has come here with a session of another process meanwhile waits for it to be stored; after so long we look again. */
const AWAIT_MS = [80, 160, 320, 640];
const AWAITING_COUNT_MAX = 500;
/** Between two processes that take part; a node whose clock is further off is not in order. */
const CLOCKS_APART_MS_MAX = 60 * SECOND_MS;
/** Of the silence that a CPE is allowed: so much of it may be missing where its last step left nothing behind. */
const TRAILING_SHARE = 1 / 16;
/** How often the sessions are counted, for the bound above. */
const COUNT_INTERVAL_MS = 5 * SECOND_MS;

/** What one request knows of a session. */
interface SharedEntry extends SessionEntry {
  /** What is stored of it: at which revision (null: nothing, so that only this process knows it), and for how long. */
  revision: Revision | null;
  storedUntilMs: number;
  readonly claim: SessionDocument['claim'];
  /** Names this request's attempt to claim the step, until it is known to have succeeded. */
  claimedBy: string | null;
  /** It comes from this process's memory, and the store has not been asked. */
  readonly isUnchecked: boolean;
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
 *
 * Most sessions find nothing to do, so three things keep those cheap. A session is not stored for its first moments, nor if it is over by
 * then, where its CPE should come again over the same connection, and so to this process: no proxy is trusted, and it keeps its
 * connection. When the connection closes before the session is over it is stored at once, and who comes to another process
 * in between waits there for a moment. The process that took the last step remembers it, and goes on from
 * there without asking the store where the next request comes over the same connection. It may be wrong, as the CPE may have been
 * elsewhere meanwhile; what it then wants to store is refused, and the step taken again from what is stored. And a step that asks nothing
 * of the CPE and takes no answer of it leaves nothing behind: see {@link SharedSessions.#isAsGoodAsStored}.
 */
export class SharedSessions implements Sessions {
  readonly #options: SharedSessionsOptions;
  readonly #sessions: Collection<SessionDocument>;
  readonly #expiry: SessionExpiry;
  readonly #memory = new SessionMemory(REMEMBERED_COUNT_MAX);
  readonly #endings: SessionEndings;
  /** Sessions that only this process knows, until they are to be stored. */
  readonly #deferral = new Deferral(DEFER_MS, (id) => this.#storeDue(id));
  /** Sessions that are on their way into the store. */
  readonly #storing = new Map<string, Promise<void>>();
  readonly #names = new SessionNames();
  #awaitingCount = 0;
  /** Sessions that a request at this process is working on. */
  readonly #busy = new Set<string>();
  /** Sessions in which this process has sent a Download, with when they expire. */
  readonly #downloads = new Map<string, number>();
  #expiring: Promise<EndedSession[]> | null = null;
  /** As counted last; what this process began since comes on top. */
  #counted = { sessions: 0, atMs: 0, begunSince: 0 };

  constructor(options: SharedSessionsOptions) {
    const { store, clock, logger, idleMsMax } = options;
    this.#options = options;
    this.#sessions = store.collection<SessionDocument>(SESSIONS);
    this.#endings = new SessionEndings({ sessions: this.#sessions, logger });
    this.#expiry = new SessionExpiry({ store, sessions: this.#sessions, clock, idleMsMax });
  }

  async count(): Promise<number> {
    return (await this.#sessions.count()) + this.#memory.countUnstored();
  }

  async begin(session: OpenSession, { ip, socket, keepsAlive }: SessionOrigin): Promise<SessionEntry | null> {
    if (this.#counted.sessions + this.#counted.begunSince >= SESSIONS_MAX) return null;
    this.#counted.begunSince++;
    const entry = { id: this.#names.next(this.#options.clock()), ip, session };
    const expiresAtMs = this.#expiresAtMs(session);
    const revision = this.#mayStayHere(keepsAlive) ? null : await this.#insert(entry, expiresAtMs);
    this.#remember({ ...entry, revision, storedUntilMs: expiresAtMs, expiresAtMs, keepsAlive }, socket);
    if (!this.#options.sharedConnections) carry(socket, entry.id);
    return entry;
  }

  /** Whether its CPE should come again over the same connection. */
  #mayStayHere(keepsAlive: boolean): boolean {
    return keepsAlive && !this.#options.sharedConnections;
  }

  async #insert(
    entry: { readonly id: string; readonly ip: string; readonly session: OpenSession },
    expiresAtMs: number,
  ): Promise<Revision> {
    const revision = await this.#sessions.insert(toSessionDocument(entry, expiresAtMs));
    if (revision === null) throw new Error('A new session has the id of another');
    return revision;
  }

  #storeDue(id: string): void {
    const remembered = this.#memory.get(id);
    if (remembered === null || remembered.revision !== null || isOver(remembered.session)) return;
    // The request that is being worked on says what it has become.
    if (this.#busy.has(id)) this.#deferral.add(id);
    else void this.#store(remembered);
  }

  /** Puts a session that only this process knows where any can go on with it. Never rejects: it stays here where it cannot be stored. */
  #store(remembered: Remembered): Promise<void> {
    const { id, expiresAtMs } = remembered;
    const known = this.#storing.get(id);
    if (known !== undefined) return known;
    const storing = this.#insert(remembered, expiresAtMs)
      .then((revision) => this.#memory.stored(id, revision, expiresAtMs))
      .catch((error: unknown) => this.#options.logger.warn('session.not-stored', { error }))
      .finally(() => this.#storing.delete(id));
    this.#storing.set(id, storing);
    return storing;
  }

  /** Takes over what has become of storing it while its request was being worked on. */
  async #adopt(entry: SharedEntry): Promise<void> {
    if (entry.revision !== null) return;
    await this.#storing.get(entry.id);
    const remembered = this.#memory.get(entry.id);
    if (remembered === null || remembered.revision === null) return;
    entry.revision = remembered.revision;
    entry.storedUntilMs = remembered.storedUntilMs;
  }

  #expiresAtMs(session: OpenSession): number {
    return this.#options.clock() + silentMsMaxOf(session, this.#options.idleMsMax);
  }

  #remember(remembered: Remembered, socket: Socket): void {
    if (!this.#options.sharedConnections) answerOn(socket, remembered.id);
    const forgotten = this.#memory.keep(remembered);
    if (remembered.revision === null && !isOver(remembered.session)) this.#deferral.add(remembered.id);
    if (forgotten !== null && !this.#endIfOver(forgotten) && forgotten.revision === null)
      void this.#store(forgotten);
  }

  find(cookie: string | null, socket: Socket): Found | Promise<Found> {
    const carried = carriedBy(socket);
    const id = cookie ?? carried;
    if (id === null) return { kind: 'none' };
    const remembered = id === answeredOn(socket) ? this.#remembered(id) : null;
    if (remembered === null || this.#mustCheck(remembered)) return this.#lookUp(id, carried);
    return { kind: 'found', entry: entryOf(remembered) };
  }

  /** What the CPE answers is written down before the session moves, so it must be the answer that is awaited. */
  #mustCheck({ revision, session }: Remembered): boolean {
    return revision !== null && session.outstanding !== null;
  }

  #remembered(id: string): Remembered | null {
    const remembered = this.#memory.get(id);
    return remembered !== null && remembered.expiresAtMs > this.#options.clock() ? remembered : null;
  }

  async #lookUp(id: string, carried: string | null): Promise<Found> {
    const other = carried === null || carried === id ? null : this.#read(carried);
    // At the same time, so that the store can answer both at once.
    const [entry, another] = await Promise.all([this.#read(id), other]);
    if (entry === null) return { kind: 'none' };
    return another === null || isOver(another.session) ? { kind: 'found', entry } : { kind: 'mismatch' };
  }

  async #read(id: string): Promise<SharedEntry | null> {
    if (!isSessionId(id)) return null;
    await this.#storing.get(id);
    const own = this.#remembered(id);
    if (own !== null && own.revision === null) return entryOf(own);
    const stored = (await this.#sessions.get(id)) ?? (await this.#getAwaited(id));
    if (stored === null || stored.document.expiresAtMs <= this.#options.clock()) return null;
    const { revision, document } = stored;
    const remembered = this.#remembered(id);
    // Where nobody has stored anything since, what is remembered is as good, and may be further.
    const session = remembered?.revision === revision ? remembered.session : sessionOf(document);
    if (session === null) return null;
    const { ip, claim, expiresAtMs } = document;
    const checked = { isUnchecked: false, claimedBy: null };
    return { id, session, ip, claim, revision, storedUntilMs: expiresAtMs, ...checked };
  }

  /** One that another process has begun just now may be on its way. */
  async #getAwaited(id: string): Promise<Stored<SessionDocument> | null> {
    if (this.#names.isOwn(id)) return null;
    const isRecent = Math.abs(this.#options.clock() - begunAtMs(id)) <= CLOCKS_APART_MS_MAX;
    if (!isRecent || this.#options.sharedConnections || this.#awaitingCount >= AWAITING_COUNT_MAX)
      return null;
    this.#awaitingCount++;
    try {
      for (const waitMs of AWAIT_MS) {
        await delay(waitMs);
        const stored = await this.#sessions.get(id);
        if (stored !== null) return stored;
      }
      return null;
    } finally {
      this.#awaitingCount--;
    }
  }

  mayKnow(cookie: string | null, socket: Socket): boolean {
    return isSessionId(cookie ?? carriedBy(socket) ?? '');
  }

  take(entry: SessionEntry): boolean {
    const shared = entry as SharedEntry;
    const { id, claim, isUnchecked } = shared;
    if (this.#busy.has(id)) return false;
    if (claim !== undefined && claim.untilMs > this.#options.clock()) return false;
    // Another request may have gone on with it while the body of this one was on its way.
    const remembered = isUnchecked ? this.#remembered(id) : null;
    if (remembered === null && shared.revision === null) return false;
    if (remembered !== null) {
      shared.session = remembered.session;
      shared.revision = remembered.revision;
      shared.storedUntilMs = remembered.storedUntilMs;
    }
    this.#busy.add(id);
    return true;
  }

  async claiming(entry: SessionEntry): Promise<Claim> {
    const shared = entry as SharedEntry;
    await this.#adopt(shared);
    shared.claimedBy = randomUUID();
    const claim = { by: shared.claimedBy, untilMs: this.#options.clock() + CLAIM_MS };
    const document = toSessionDocument(shared, this.#expiresAtMs(shared.session), claim);
    const made = (revision: Revision) => {
      shared.revision = revision;
      shared.claimedBy = null;
    };
    const { revision } = shared;
    const change =
      revision === null ? this.#sessions.inserting(document) : this.#sessions.replacing(document, revision);
    return { change, made };
  }

  async moved(entry: SessionEntry, { session, socket, keepsAlive }: StepTaken): Promise<boolean> {
    const shared = entry as SharedEntry;
    const { id, ip } = shared;
    const expiresAtMs = this.#expiresAtMs(session);
    await this.#adopt(shared);
    let { storedUntilMs } = shared;
    let revision = await this.#revisionOf(shared);
    const staysHere = revision === null && this.#mayStayHere(keepsAlive);
    if (!staysHere && !this.#isAsGoodAsStored(shared, session, expiresAtMs)) {
      const document = toSessionDocument({ id, ip, session }, expiresAtMs);
      revision = await (revision === null
        ? this.#sessions.insert(document)
        : this.#sessions.replace(document, revision));
      if (revision === null) return false;
      storedUntilMs = expiresAtMs;
    }
    shared.session = session;
    this.#remember({ id, ip, session, revision, storedUntilMs, expiresAtMs, keepsAlive }, socket);
    if (session.outstanding?.request === 'Download') this.#downloads.set(id, expiresAtMs);
    else this.#downloads.delete(id);
    return true;
  }

  /**
   * Whether what is stored need not be replaced by what the session has become, as whoever goes on from there comes to the same end.
   * So it is where we await nothing of the CPE, neither before nor after: either it told or asked us something, which left the session as
   * it was, or it has fallen quiet and there was nothing to ask of it. Where it repeats its empty POST at another process, that looks
   * once more whether there is; reserving an upgrade would be its first, and claims the step as ever.
   *
   * Nobody else can tell then that such a session is over, so it is this process's to end. What comes in over another connection
   * may be of a session that is another's to end: it is stored, so that the other leaves it alone.
   */
  #isAsGoodAsStored(last: SharedEntry, session: OpenSession, expiresAtMs: number): boolean {
    if (last.revision === null) return false;
    if (last.session.outstanding !== null || session.outstanding !== null || last.claimedBy !== null)
      return false;
    if (last.storedUntilMs < expiresAtMs - this.#options.idleMsMax * TRAILING_SHARE) return false;
    return last.isUnchecked || (isOver(session) && !isOver(last.session));
  }

  /** At which the session is, if it is still this request's: as read, or as claimed by a commit that may have come through. */
  async #revisionOf({ id, revision, claimedBy }: SharedEntry): Promise<Revision | null> {
    if (claimedBy === null) return revision;
    const stored = await this.#sessions.get(id);
    return stored?.document.claim?.by === claimedBy ? stored.revision : revision;
  }

  async newer(entry: SessionEntry): Promise<SessionEntry | null> {
    const { id, revision, isUnchecked } = entry as SharedEntry;
    if (!isUnchecked || revision === null) return null;
    const stored = await this.#read(id);
    return stored === null || stored.revision === revision ? null : stored;
  }

  release({ id }: SessionEntry): void {
    this.#busy.delete(id);
  }

  async end(entry: SessionEntry): Promise<boolean> {
    const shared = entry as SharedEntry;
    this.#downloads.delete(entry.id);
    await this.#adopt(shared);
    const wasRemembered = this.#memory.forget(entry.id);
    const revision = await this.#revisionOf(shared);
    return revision === null ? wasRemembered : this.#sessions.delete(entry.id, revision);
  }

  /** A session outlives its connections, as the CPE may go on with it at another process; but not if it is over. */
  disconnected(socket: Socket): null {
    const remembered = this.#memory.get(answeredOn(socket) ?? '');
    if (!remembered?.keepsAlive || this.#busy.has(remembered.id)) return null;
    if (this.#endIfOver(remembered)) this.#memory.forget(remembered.id);
    else if (remembered.revision === null) void this.#store(remembered);
    return null;
  }

  /** Others that have gone on with it since have moved it to another revision, and it stays. */
  #endIfOver({ id, revision, session }: Remembered): boolean {
    if (!isOver(session)) return false;
    const { cpeid } = session.facts;
    if (revision === null) this.#endings.note({ cpeid, wasOver: true });
    else this.#endings.add({ id, revision, cpeid });
    return true;
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
        return this.#endings.takeEnded();
      })
      .finally(() => {
        this.#expiring = null;
      });
    return this.#expiring;
  }

  async #expire(): Promise<EndedSession[]> {
    const nowMs = this.#options.clock();
    for (const [id, expiresAtMs] of this.#downloads) if (expiresAtMs <= nowMs) this.#downloads.delete(id);
    for (const forgotten of this.#memory.forgetBy(nowMs)) {
      // What is stored and not over is left to whoever takes out expired sessions: its CPE may have gone on elsewhere.
      if (this.#endIfOver(forgotten) || forgotten.revision !== null) continue;
      this.#endings.note({ cpeid: forgotten.session.facts.cpeid, wasOver: false });
    }
    await this.#recount(nowMs);
    const expired = await this.#expiry.run(nowMs);
    return [...this.#endings.takeEnded(), ...expired];
  }

  async #recount(nowMs: number): Promise<void> {
    const { atMs, begunSince } = this.#counted;
    if (begunSince === 0 || nowMs - atMs < COUNT_INTERVAL_MS) return;
    const sessions = await this.#sessions.count();
    this.#counted = { sessions, atMs: nowMs, begunSince: 0 };
  }

  async close(): Promise<void> {
    await this.#expiring;
    this.#deferral.stop();
    for (const forgotten of this.#memory.forgetBy(Number.POSITIVE_INFINITY)) {
      // Stored as not over, they would pass for CPEs that fell silent; others may go on with the rest.
      if (!this.#endIfOver(forgotten) && forgotten.revision === null) void this.#store(forgotten);
    }
    await Promise.all(this.#storing.values());
    await this.#endings.flush();
    // Where the store fails the lease runs out by itself.
    await this.#expiry
      .release()
      .catch((error: unknown) => this.#options.logger.warn('session.lease-not-released', { error }));
  }
}

/** What is remembered, as one request goes on from there without asking the store. */
function entryOf({ id, ip, session, revision, storedUntilMs }: Remembered): SharedEntry {
  return {
    id,
    ip,
    session,
    revision,
    storedUntilMs,
    claim: undefined,
    claimedBy: null,
    isUnchecked: true,
  };
}
