import { SECOND_MS } from '../../../common/index.js';
import type { Collection } from '../../../store/index.js';
import type { SessionDocument } from './session-document.js';

/** Of all processes together: past this many, further sessions are told to come later. */
const SESSIONS_MAX = 200_000;
/** How often the sessions are counted, for the bound above. */
const COUNT_INTERVAL_MS = 5 * SECOND_MS;

/** How many more sessions may begin here, by what is stored now and then and what this process began since. */
export class SessionRoom {
  readonly #sessions: Collection<SessionDocument>;
  #counted = { sessions: 0, atMs: 0, begunSince: 0 };

  constructor(sessions: Collection<SessionDocument>) {
    this.#sessions = sessions;
  }

  /** @returns false where there is none; then nothing is taken */
  take(): boolean {
    if (this.#counted.sessions + this.#counted.begunSince >= SESSIONS_MAX) return false;
    this.#counted.begunSince++;
    return true;
  }

  /** Counts, where it is time to. @param nowMs  milliseconds that only ever grow */
  async recount(nowMs: number): Promise<void> {
    const { atMs, begunSince } = this.#counted;
    if (begunSince === 0 || nowMs - atMs < COUNT_INTERVAL_MS) return;
    const sessions = await this.#sessions.count();
    this.#counted = { sessions, atMs: nowMs, begunSince: 0 };
  }
}
