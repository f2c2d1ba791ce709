import { MINUTE_MS, type MonotonicClock, SECOND_MS } from '../../common/index.js';

/** From the beginning of one pass to that of the next. */
const PASS_MS_MIN = 10 * MINUTE_MS;
/** So long a pass is gone on with in one round: a million things are gone through in minutes. */
const WORK_MS_MAX = SECOND_MS;

export interface PassesParts<T> {
  readonly monotonic: MonotonicClock;
  /** All that a pass goes through, from the first. */
  readonly walk: () => AsyncIterator<T>;
  readonly look: (each: T) => Promise<void>;
}

/** Passes over very many things, one after the other, each of them in the pieces of many rounds. */
export class Passes<T> {
  readonly #parts: PassesParts<T>;
  #walk: AsyncIterator<T> | null = null;
  #begunAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: PassesParts<T>) {
    this.#parts = parts;
  }

  /** Goes on with the pass, for about a second; begins the next where it is time. @throws whatever the walk, or a look, does */
  async advance(): Promise<void> {
    const { monotonic, walk, look } = this.#parts;
    const nowMs = monotonic();
    if (this.#walk === null) {
      if (nowMs - this.#begunAtMs < PASS_MS_MIN) return;
      this.#begunAtMs = nowMs;
      this.#walk = walk();
    }
    do {
      const next = await this.#walk.next();
      if (next.done === true) {
        this.#walk = null;
        return;
      }
      await look(next.value);
    } while (monotonic() - nowMs < WORK_MS_MAX);
  }
}
