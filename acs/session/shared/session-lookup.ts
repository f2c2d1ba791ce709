import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { CLOCKS_APART_MS_MAX } from '../../../common/index.js';
import type { Collection, Stored } from '../../../store/index.js';
import { addressOf, answeredOn, carriedBy, type Found, foundAmong } from '../sessions.js';
import { type SessionDocument, sessionOf } from './session-document.js';
import { begunAtMs, isSessionId, type SessionNames } from './session-id.js';
import type { Remembered, SessionMemory } from './session-memory.js';
import type { SessionTimes } from './session-times.js';
import { entryOf, type SharedEntry } from './shared-entry.js';
import type { UnstoredSessions } from './unstored-sessions.js';

/** A CPE that has come here with a session of another process meanwhile waits for it to be stored; after so long we look again. */
const AWAIT_MS = [80, 160, 320, 640];
const AWAITING_COUNT_MAX = 500;

export interface SessionLookupParts {
  readonly sessions: Collection<SessionDocument>;
  readonly memory: SessionMemory;
  readonly unstored: UnstoredSessions;
  readonly names: SessionNames;
  readonly times: SessionTimes;
  /** A proxy is trusted: it may send several CPEs' requests over one connection, so only the cookie counts. */
  readonly sharedConnections: boolean;
  /** Whatever address a cookie comes from it names its session: for CPEs whose address changes within one, without a proxy that is trusted. */
  readonly cookieFromAnyAddress?: boolean;
}

/** Finds the session of a request: what this process remembers, what is stored, or what another process is about to store. */
export class SessionLookup {
  readonly #parts: SessionLookupParts;
  #awaitingCount = 0;

  constructor(parts: SessionLookupParts) {
    this.#parts = parts;
  }

  find(cookies: readonly string[], socket: Socket): Found | Promise<Found> {
    const carried = carriedBy(socket);
    const named = cookies.filter(isSessionId);
    const id = named[0] ?? carried;
    if (id === null) return { kind: 'none' };
    const isOnly = named.length <= 1 && id === answeredOn(socket);
    const remembered = isOnly ? this.remembered(id) : null;
    if (remembered === null || this.#mustCheck(remembered)) {
      const { sharedConnections, cookieFromAnyAddress = false } = this.#parts;
      return this.#lookUp(
        named,
        carried,
        sharedConnections || cookieFromAnyAddress ? null : addressOf(socket),
      );
    }
    return { kind: 'found', entry: entryOf(remembered) };
  }

  /** What the CPE answers is written down before the session moves, so it must be the answer that is awaited. */
  #mustCheck({ revision, session }: Remembered): boolean {
    return revision !== null && session.outstanding !== null;
  }

  /** Null also where its CPE should have spoken by now. */
  remembered(id: string): Remembered | null {
    const remembered = this.#parts.memory.get(id);
    return remembered !== null && remembered.expiresAtMs > this.#parts.times.elapsedMs ? remembered : null;
  }

  async #lookUp(named: readonly string[], carried: string | null, address: string | null): Promise<Found> {
    const ids = carried === null || named.includes(carried) ? named : [...named, carried];
    // At the same time, so that the store can answer all at once.
    const entries = await Promise.all(ids.map((id) => this.read(id)));
    const known = entries.filter((entry) => entry !== null);
    const byCookie = known.filter(({ id }) => named.includes(id));
    return foundAmong(byCookie, known.find(({ id }) => id === carried) ?? null, address);
  }

  /** The session as it is stored, unless only this process knows it. */
  async read(id: string): Promise<SharedEntry | null> {
    const { sessions, unstored, times } = this.#parts;
    if (!isSessionId(id)) return null;
    await unstored.arrival(id);
    const own = this.remembered(id);
    if (own !== null && own.revision === null) return entryOf(own);
    const stored = (await sessions.get(id)) ?? (await this.#getAwaited(id));
    if (stored === null || !times.isOpen(stored.document)) return null;
    const { revision, document } = stored;
    const remembered = this.remembered(id);
    // Where nobody has stored anything since, what is remembered is as good, and may be further.
    const session = remembered?.revision === revision ? remembered.session : sessionOf(document);
    if (session === null) return null;
    const { ip, claim, expiresAtMs } = document;
    const checked = { isUnchecked: false, claimedBy: null };
    return { id, session, ip, claim, revision, storedUntilMs: expiresAtMs, ...checked };
  }

  /** One that another process has begun just now may be on its way. */
  async #getAwaited(id: string): Promise<Stored<SessionDocument> | null> {
    const { sessions, names, times, sharedConnections } = this.#parts;
    if (names.isOwn(id)) return null;
    const isRecent = Math.abs(times.wallMs - begunAtMs(id)) <= CLOCKS_APART_MS_MAX;
    if (!(isRecent || times.areUnsettled) || sharedConnections || this.#awaitingCount >= AWAITING_COUNT_MAX)
      return null;
    this.#awaitingCount++;
    try {
      for (const waitMs of AWAIT_MS) {
        await delay(waitMs);
        const stored = await sessions.get(id);
        if (stored !== null) return stored;
      }
      return null;
    } finally {
      this.#awaitingCount--;
    }
  }
}
