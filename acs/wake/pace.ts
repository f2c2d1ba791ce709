import { SECOND_MS } from '../../common/index.js';

/** So many a second, and never more than a second's worth at a time (but always one). */
export class Pace {
  readonly #perSecond: number;
  #atMs: number;
  #due: number;

  /** @param nowMs  milliseconds that only ever grow */
  constructor(perSecond: number, nowMs: number) {
    this.#perSecond = perSecond;
    this.#atMs = nowMs;
    this.#due = Math.max(1, perSecond);
  }

  /** How many may go now. */
  due(nowMs: number): number {
    const earned = ((nowMs - this.#atMs) / SECOND_MS) * this.#perSecond;
    this.#atMs = nowMs;
    this.#due = Math.min(Math.max(1, this.#perSecond), this.#due + earned);
    return Math.floor(this.#due);
  }

  /** One went. */
  spend(): void {
    this.#due -= 1;
  }
}
