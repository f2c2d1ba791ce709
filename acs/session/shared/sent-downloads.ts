import type { OpenSession } from '../session.js';

/** Sessions in which this process has sent a Download. Its stopping waits until some process has taken the answer. */
export class SentDownloads {
  /** With when they expire, in time that elapses in this process. */
  readonly #sessions = new Map<string, number>();

  /** @param session  what the session has become */
  note(id: string, session: OpenSession, expiresAtMs: number): void {
    if (session.outstanding?.request === 'Download') this.#sessions.set(id, expiresAtMs);
    else this.#sessions.delete(id);
  }

  forget(id: string): void {
    this.#sessions.delete(id);
  }

  forgetExpired(nowMs: number): void {
    for (const [id, expiresAtMs] of this.#sessions) if (expiresAtMs <= nowMs) this.#sessions.delete(id);
  }

  /** @param read  the session as whoever went on with it has left it */
  async areAwaited(
    read: (id: string) => Promise<{ readonly session: OpenSession } | null>,
  ): Promise<boolean> {
    for (const id of [...this.#sessions.keys()]) {
      const entry = await read(id);
      if (entry?.session.outstanding?.request === 'Download') return true;
      this.#sessions.delete(id);
    }
    return false;
  }
}
