import { setTimeout as delay } from 'node:timers/promises';

/** Why a watch is over, as the reason of its signal; anything else is an end from outside. */
export const CAME = 'came';

export interface SessionWatchParts {
  /** Looks whether the CPE has informed since the watch began. */
  readonly look: () => Promise<boolean>;
  /** Says when a look is worth it; gives how to stop listening. */
  readonly listen: (listener: () => void) => () => void;
  /** How often to look unasked, for sessions at other processes; null: only when asked. */
  readonly pollMs: number | null;
  /** Ends the watch from outside. */
  readonly stop: AbortSignal | null;
}

/** Notices that a CPE has come while it is being called: a session is what a connection request is for, whatever HTTP says. */
export class SessionWatch {
  readonly #parts: SessionWatchParts;
  readonly #over = new AbortController();
  readonly #stopListening: () => void;
  readonly #timer: NodeJS.Timeout | null;
  #came = false;

  constructor(parts: SessionWatchParts) {
    this.#parts = parts;
    const glance = () => void this.hasCome().catch(() => {});
    this.#stopListening = parts.listen(glance);
    this.#timer = parts.pollMs === null ? null : setInterval(glance, parts.pollMs);
    // Not by AbortSignal.any: what it makes of a signal that lives as long as the process is kept as long.
    parts.stop?.addEventListener('abort', this.#end, { once: true });
    if (parts.stop?.aborted) this.#end();
  }

  readonly #end = (): void => this.#over.abort();

  /** Aborted once the CPE has come, with the reason {@link CAME}, or the watch was ended from outside. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  /** @throws StoreError */
  async hasCome(): Promise<boolean> {
    if (!this.#came && (await this.#parts.look())) {
      this.#came = true;
      this.#over.abort(CAME);
    }
    return this.#came;
  }

  /** Waits for so long at most. @returns whether the CPE has come */
  async hasComeWithin(ms: number): Promise<boolean> {
    if (!this.over.aborted) {
      await delay(Math.max(0, ms), undefined, { signal: this.over }).catch(() => {});
    }
    return this.hasCome();
  }

  close(): void {
    this.#stopListening();
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#parts.stop?.removeEventListener('abort', this.#end);
  }
}
