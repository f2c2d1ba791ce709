import type { CpeId, Logger } from '../../../common/index.js';
import type { Collection, Revision } from '../../../store/index.js';
import type { EndedSession } from '../sessions.js';
import type { SessionDocument } from './session-document.js';

/** So long the first of a batch waits for others. */
const BATCH_INTERVAL_MS = 100;
const BATCH_COUNT_MAX = 500;
/** Past this many the store is what is slow; the others expire there. */
const WAITING_COUNT_MAX = 20_000;

export interface Ending {
  readonly id: string;
  readonly revision: Revision;
  readonly cpeid: CpeId;
}

/**
 * Sessions that are over, on their way out of the store: many at a time, and nobody waits for them. What cannot be deleted is left to
 * whoever takes out expired sessions.
 */
export class SessionEndings {
  readonly #sessions: Collection<SessionDocument>;
  readonly #logger: Logger;
  #waiting: Ending[] = [];
  #ended: EndedSession[] = [];
  #timer: NodeJS.Timeout | null = null;
  #deleting: Promise<void> = Promise.resolve();

  constructor(parts: { readonly sessions: Collection<SessionDocument>; readonly logger: Logger }) {
    this.#sessions = parts.sessions;
    this.#logger = parts.logger;
  }

  /** Ends a session, unless it is no longer at this revision by then: its CPE has spoken, here or elsewhere. */
  add(ending: Ending): void {
    if (this.#waiting.length >= WAITING_COUNT_MAX) return;
    this.#waiting.push(ending);
    this.#timer ??= setTimeout(() => void this.flush(), BATCH_INTERVAL_MS).unref();
  }

  /** Notes the end of a session that was never stored. */
  note(ended: EndedSession): void {
    this.#ended.push(ended);
  }

  /** Resolves when nothing waits. Never throws. */
  flush(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    // One batch after the other, however long each takes.
    this.#deleting = this.#deleting.then(() => this.#deleteWaiting());
    return this.#deleting;
  }

  /** Those that have ended since it was asked last. */
  takeEnded(): EndedSession[] {
    const ended = this.#ended;
    this.#ended = [];
    return ended;
  }

  async #deleteWaiting(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        const batch = this.#waiting.splice(0, BATCH_COUNT_MAX);
        const gone = await Promise.all(batch.map(({ id, revision }) => this.#sessions.delete(id, revision)));
        for (const [index, { cpeid }] of batch.entries()) {
          if (gone[index]) this.#ended.push({ cpeid, wasOver: true });
        }
      }
    } catch (error) {
      this.#logger.warn('session.endings-not-written', { waiting: this.#waiting.length, error });
      this.#waiting = [];
    }
  }
}
