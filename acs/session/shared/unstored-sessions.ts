import type { Logger } from '../../../common/index.js';
import type { Collection, Revision } from '../../../store/index.js';
import type { OpenSession } from '../session.js';
import { isOver } from '../sessions.js';
import { Deferral } from './deferral.js';
import { type SessionDocument, toSessionDocument } from './session-document.js';
import type { Remembered, SessionMemory } from './session-memory.js';
import type { SharedEntry } from './shared-entry.js';

/** So long a session stays with the process that it came to, where its CPE should come again over the same connection. */
const DEFER_MS = 50;

export interface UnstoredSessionsParts {
  readonly sessions: Collection<SessionDocument>;
  readonly memory: SessionMemory;
  /** Whether a request of the session is being worked on. */
  readonly isBusy: (id: string) => boolean;
  readonly logger: Logger;
}

/** Sessions that only this process knows, and their way into the store: once their first moments are over, or at once. */
export class UnstoredSessions {
  readonly #parts: UnstoredSessionsParts;
  /** Until they are to be stored. */
  readonly #deferral = new Deferral(DEFER_MS, (id) => this.#due(id));
  /** On their way. */
  readonly #storing = new Map<string, Promise<void>>();

  constructor(parts: UnstoredSessionsParts) {
    this.#parts = parts;
  }

  /** Has it stored when its first moments are over, unless the session is over by then. */
  defer(id: string): void {
    this.#deferral.add(id);
  }

  #due(id: string): void {
    const remembered = this.#parts.memory.get(id);
    if (remembered === null || remembered.revision !== null || isOver(remembered.session)) return;
    // The request that is being worked on says what it has become.
    if (this.#parts.isBusy(id)) this.#deferral.add(id);
    else void this.store(remembered);
  }

  /** Puts it where any process can go on with it. Never rejects: it stays here where it cannot be stored. */
  store(remembered: Remembered): Promise<void> {
    const { memory, logger } = this.#parts;
    const { id, storedUntilMs } = remembered;
    const known = this.#storing.get(id);
    if (known !== undefined) return known;
    const storing = this.insert(remembered, storedUntilMs)
      .then((revision) => memory.stored(id, revision, storedUntilMs))
      .catch((error: unknown) => logger.warn('session.not-stored', { error }))
      .finally(() => this.#storing.delete(id));
    this.#storing.set(id, storing);
    return storing;
  }

  /** For one that must be stored before anything is said of it. @throws StoreError */
  async insert(
    entry: { readonly id: string; readonly ip: string; readonly session: OpenSession },
    expiresAtMs: number,
  ): Promise<Revision> {
    const revision = await this.#parts.sessions.insert(toSessionDocument(entry, expiresAtMs));
    if (revision === null) throw new Error('A new session has the id of another');
    return revision;
  }

  /** Until it is no longer on its way; undefined where it is not. */
  arrival(id: string): Promise<void> | undefined {
    return this.#storing.get(id);
  }

  /** Takes over what has become of storing it while its request was being worked on. */
  async adopt(entry: SharedEntry): Promise<void> {
    if (entry.revision !== null) return;
    await this.arrival(entry.id);
    const remembered = this.#parts.memory.get(entry.id);
    if (remembered === null || remembered.revision === null) return;
    entry.revision = remembered.revision;
    entry.storedUntilMs = remembered.storedUntilMs;
  }

  /** None is stored by itself any more. */
  stopDeferring(): void {
    this.#deferral.stop();
  }

  /** Resolves when none is on its way. */
  async arrived(): Promise<void> {
    await Promise.all(this.#storing.values());
  }
}
