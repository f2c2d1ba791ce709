import type { IncomingMessage, ServerResponse } from 'node:http';
import { whenOver, withinTime } from '../../common/index.js';
import type { Sessions } from '../session/sessions.js';

/** While stopping, how often it is asked whether another process has taken what this one waits for. */
const DRAIN_POLL_MS = 100;

/** The requests that have not been answered in full, and what stopping waits for. */
export class UnderWay {
  readonly #sessions: Pick<Sessions, 'awaitsDownload'>;
  #count = 0;
  #onDrained: (() => void) | null = null;

  constructor(sessions: Pick<Sessions, 'awaitsDownload'>) {
    this.#sessions = sessions;
  }

  /** Nothing new is begun any more. */
  get isStopping(): boolean {
    return this.#onDrained !== null;
  }

  /**
   * Counts a request as under way until it has been worked on and its answer is written, or there is nobody to write it to.
   * @returns to be called when the work is done
   */
  begin(request: IncomingMessage, response: ServerResponse): () => void {
    this.#count++;
    let left = 2;
    const part = () => {
      if (--left > 0) return;
      this.#count--;
      void this.#checkDrained();
    };
    whenOver(request, response, part);
    return part;
  }

  /**
   * Waits for answers that are being worked on, and for CPEs that have a Download to answer.
   * @param graceMs  how long to wait at most
   */
  async drain(graceMs: number): Promise<void> {
    const drained = new Promise<void>((resolve) => {
      this.#onDrained = resolve;
    });
    void this.#checkDrained();
    const polling = setInterval(() => void this.#checkDrained(), DRAIN_POLL_MS);
    await withinTime(drained, graceMs);
    clearInterval(polling);
  }

  async #checkDrained(): Promise<void> {
    if (this.#onDrained === null || this.#count > 0) return;
    // Whoever cannot be asked about is not waited for.
    const awaited = await Promise.resolve(this.#sessions.awaitsDownload()).catch(() => false);
    if (!awaited && this.#count === 0) this.#onDrained();
  }
}
