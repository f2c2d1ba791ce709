import { SECOND_MS } from '../../common/index.js';

/** So many a second, and never more than a second's worth at a time (but always one). */
export class Pace {
  readonly #perSecond: number;
  #atMs: number;
  #due: number;

  constructor(perSecond: number, nowMs: number) {
    this.#perSecond = perSecond;
    this.#atMs = nowMs;
    this.#due = Math.max(1, perSecond);
  }

  /** How many may go now. */
  due(nowMs: number): number {
    // A clock that is set back is waited for: it must not make up for anything.
    const elapsedMs = Math.max(0, nowMs - this.#atMs);
    this.#atMs = nowMs;
    const earned = (elapsedMs / SECOND_MS) * this.#perSecond;
    this.#due = Math.min(Math.max(1, this.#perSecond), this.#due + earned);
    return Math.floor(this.#due);
  }

  /** One went. */
  spend(): void {
    this.#due -= 1;
  }
}
