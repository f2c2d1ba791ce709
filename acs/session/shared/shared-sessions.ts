import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import {
  CLOCKS_APART_MS_MAX,
  type Clock,
  type Logger,
  type MonotonicClock,
  SECOND_MS,
  stillHolds,
} from '../../../common/index.js';
import type { Collection, DutyReport, Revision, Store } from '../../../store/index.js';
import type { OpenSession } from '../session.js';
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
} from '../sessions.js';
import { SentDownloads } from './sent-downloads.js';
import { SESSIONS, type SessionDocument, toSessionDocument } from './session-document.js';
import { SessionEndings } from './session-endings.js';
import { SessionExpiry } from './session-expiry.js';
import { isSessionId, SessionNames } from './session-id.js';
import { SessionLookup } from './session-lookup.js';
import { type Remembered, SessionMemory } from './session-memory.js';
import { SessionRoom } from './session-room.js';
import { SessionTimes } from './session-times.js';
import type { SharedEntry } from './shared-entry.js';
import { UnstoredSessions } from './unstored-sessions.js';

/** Whoever has reserved an upgrade sends it well within this; after it the session is open again for whoever comes. */
const CLAIM_MS = 10 * SECOND_MS;
/** Sessions of which this process remembers its last step: some 50 MB with the devices at hand. */
const REMEMBERED_COUNT_MAX = 20_000;
/** Of the silence that a CPE is allowed: so much of it may be missing where its last step left nothing behind. */
const TRAILING_SHARE = 1 / 16;

export interface SharedSessionsOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly monotonic: MonotonicClock;
  /** Told whenever expired sessions have been taken out. */
  readonly onExpiryDone: DutyReport;
  readonly logger: Logger;
  /** A proxy is trusted: it may send several CPEs' requests over one connection, so only the cookie counts. */
  readonly sharedConnections: boolean;
  /** Whatever address a cookie comes from it names its session: for CPEs whose address changes within one, without a proxy that is trusted. */
  readonly cookieFromAnyAddress?: boolean;
  /** How long a CPE may be silent within a session. */
  readonly idleMsMax: number;
}

/**
 * The sessions of all processes that share a store. A session lies there between two requests of its CPE, so that any process can
 * go on with it, also when the one that began it is gone. What it has become replaces what was read, or the step counts for
 * nothing: so each step is answered once. What a step does to CPEs and upgrades can be done twice without harm but for
 * reserving an upgrade, whose commit claims the step, and for what counts tries, before which {@link SharedSessions.isCurrent} is asked.
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
  readonly #times: SessionTimes;
  readonly #memory = new SessionMemory(REMEMBERED_COUNT_MAX);
  readonly #endings: SessionEndings;
  readonly #unstored: UnstoredSessions;
  readonly #names = new SessionNames();
  readonly #lookup: SessionLookup;
  readonly #room: SessionRoom;
  readonly #downloads = new SentDownloads();
  /** Sessions that a request at this process is working on. */
  readonly #busy = new Set<string>();
  #expiring: Promise<EndedSession[]> | null = null;

  constructor(options: SharedSessionsOptions) {
    const { store, clock, monotonic, logger, sharedConnections, idleMsMax, onExpiryDone: done } = options;
    const times = new SessionTimes({ clock, monotonic, idleMsMax });
    const sessions = store.collection<SessionDocument>(SESSIONS);
    const memory = this.#memory;
    const unstored = new UnstoredSessions({ sessions, memory, isBusy: (id) => this.#busy.has(id), logger });
    this.#options = options;
    this.#times = times;
    this.#sessions = sessions;
    this.#unstored = unstored;
    this.#lookup = new SessionLookup({
      sessions,
      memory,
      unstored,
      names: this.#names,
      times,
      sharedConnections,
      cookieFromAnyAddress: options.cookieFromAnyAddress ?? false,
    });
    this.#room = new SessionRoom(sessions);
    this.#endings = new SessionEndings({ sessions, logger });
    this.#expiry = new SessionExpiry({ store, sessions, clock, monotonic, times, done });
  }

  async count(): Promise<number> {
    return (await this.#sessions.count()) + this.#memory.countUnstored();
  }

  async begin(session: OpenSession, { ip, socket, keepsAlive }: SessionOrigin): Promise<SessionEntry | null> {
    if (!this.#room.take()) return null;
    const entry = { id: this.#names.next(this.#times.wallMs), ip, session };
    const storedUntilMs = this.#times.storedUntilMs(session);
    const revision = this.#mayStayHere(keepsAlive) ? null : await this.#unstored.insert(entry, storedUntilMs);
    const expiresAtMs = this.#times.rememberedUntilMs(session);
    this.#remember({ ...entry, revision, storedUntilMs, expiresAtMs, keepsAlive }, socket);
    if (!this.#options.sharedConnections) carry(socket, entry.id, session.facts.cpeid);
    return entry;
  }

  /** Whether its CPE should come again over the same connection. */
  #mayStayHere(keepsAlive: boolean): boolean {
    return keepsAlive && !this.#options.sharedConnections;
  }

  #remember(remembered: Remembered, socket: Socket): void {
    if (!this.#options.sharedConnections) answerOn(socket, remembered.id);
    const forgotten = this.#memory.keep(remembered);
    if (remembered.revision === null && !isOver(remembered.session)) this.#unstored.defer(remembered.id);
    if (forgotten !== null && !this.#endIfOver(forgotten) && forgotten.revision === null)
      void this.#unstored.store(forgotten);
  }

  find(cookies: readonly string[], socket: Socket): Found | Promise<Found> {
    return this.#lookup.find(cookies, socket);
  }

  mayKnow(cookies: readonly string[], socket: Socket): boolean {
    return cookies.some(isSessionId) || carriedBy(socket) !== null;
  }

  take(entry: SessionEntry): boolean {
    const shared = entry as SharedEntry;
    const { id, claim, isUnchecked } = shared;
    if (this.#busy.has(id)) return false;
    if (stillHolds(claim?.untilMs, CLAIM_MS, this.#times.wallMs)) return false;
    // Another request may have gone on with it while the body of this one was on its way.
    const remembered = isUnchecked ? this.#lookup.remembered(id) : null;
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
    await this.#unstored.adopt(shared);
    shared.claimedBy = randomUUID();
    const claim = { by: shared.claimedBy, untilMs: this.#times.wallMs + CLAIM_MS };
    const document = toSessionDocument(shared, this.#times.storedUntilMs(shared.session), claim);
    const made = (revision: Revision) => {
      shared.revision = revision;
      shared.claimedBy = null;
    };
    const { revision } = shared;
    const change =
      revision === null ? this.#sessions.inserting(document) : this.#sessions.replacing(document, revision);
    return { change, made };
  }

  async isCurrent(entry: SessionEntry): Promise<boolean> {
    const shared = entry as SharedEntry;
    await this.#unstored.adopt(shared);
    const { id, revision, isUnchecked } = shared;
    if (!isUnchecked || revision === null) return true;
    return (await this.#sessions.get(id))?.revision === revision;
  }

  async moved(entry: SessionEntry, { session, socket, keepsAlive }: StepTaken): Promise<boolean> {
    const shared = entry as SharedEntry;
    const { id, ip } = shared;
    const untilMs = this.#times.storedUntilMs(session);
    const expiresAtMs = this.#times.rememberedUntilMs(session);
    await this.#unstored.adopt(shared);
    let { storedUntilMs } = shared;
    let revision = await this.#revisionOf(shared);
    const staysHere = revision === null && this.#mayStayHere(keepsAlive);
    if (!staysHere && !this.#isAsGoodAsStored(shared, session, untilMs)) {
      const document = toSessionDocument({ id, ip, session }, untilMs);
      revision = await (revision === null
        ? this.#sessions.insert(document)
        : this.#sessions.replace(document, revision));
      if (revision === null) return false;
      storedUntilMs = untilMs;
    } else if (staysHere) {
      storedUntilMs = untilMs;
    }
    shared.session = session;
    this.#remember({ id, ip, session, revision, storedUntilMs, expiresAtMs, keepsAlive }, socket);
    this.#downloads.note(id, session, expiresAtMs);
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
  #isAsGoodAsStored(last: SharedEntry, session: OpenSession, untilMs: number): boolean {
    if (last.revision === null) return false;
    if (last.session.outstanding !== null || session.outstanding !== null || last.claimedBy !== null)
      return false;
    // A RequestDownload: there is to be one more decision, of which nobody else knows.
    if (session.tasks.decisions > last.session.tasks.decisions) return false;
    if (last.storedUntilMs < untilMs - this.#options.idleMsMax * TRAILING_SHARE) return false;
    // Stored by a clock that has been set back since.
    if (last.storedUntilMs > untilMs + CLOCKS_APART_MS_MAX) return false;
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
    const stored = await this.#lookup.read(id);
    return stored === null || stored.revision === revision ? null : stored;
  }

  release({ id }: SessionEntry): void {
    this.#busy.delete(id);
  }

  async end(entry: SessionEntry): Promise<boolean> {
    const shared = entry as SharedEntry;
    this.#downloads.forget(entry.id);
    await this.#unstored.adopt(shared);
    const wasRemembered = this.#memory.forget(entry.id);
    const revision = await this.#revisionOf(shared);
    return revision === null ? wasRemembered : this.#sessions.delete(entry.id, revision);
  }

  /** A session outlives its connections, as the CPE may go on with it at another process; but not if it is over. */
  disconnected(socket: Socket): null {
    const remembered = this.#memory.get(answeredOn(socket) ?? '');
    if (!remembered?.keepsAlive || this.#busy.has(remembered.id)) return null;
    if (this.#endIfOver(remembered)) this.#memory.forget(remembered.id);
    else if (remembered.revision === null) void this.#unstored.store(remembered);
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

  awaitsDownload(): Promise<boolean> {
    return this.#downloads.areAwaited((id) => this.#lookup.read(id));
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
    const nowMs = this.#times.elapsedMs;
    this.#downloads.forgetExpired(nowMs);
    for (const forgotten of this.#memory.forgetBy(nowMs)) {
      // What is stored and not over is left to whoever takes out expired sessions: its CPE may have gone on elsewhere.
      if (this.#endIfOver(forgotten) || forgotten.revision !== null) continue;
      this.#endings.note({ cpeid: forgotten.session.facts.cpeid, wasOver: false });
    }
    await this.#room.recount(nowMs);
    const expired = await this.#expiry.run();
    return [...this.#endings.takeEnded(), ...expired];
  }

  async close(): Promise<void> {
    await this.#expiring;
    this.#unstored.stopDeferring();
    for (const forgotten of this.#memory.forgetBy(Number.POSITIVE_INFINITY)) {
      // Stored as not over, they would pass for CPEs that fell silent; others may go on with the rest.
      if (!this.#endIfOver(forgotten) && forgotten.revision === null) void this.#unstored.store(forgotten);
    }
    await this.#unstored.arrived();
    await this.#endings.flush();
    // Where the store fails the lease runs out by itself.
    await this.#expiry
      .release()
      .catch((error: unknown) => this.#options.logger.warn('session.lease-not-released', { error }));
  }
}
