import { randomBytes } from 'node:crypto';

const DRAWN_BYTES = 4_096;

/**
 * Random bytes for what anyone may see, such as nonces, and is made thousands of times a second: to ask the system for each costs as much
 * as what they are used for. What must stay secret is better drawn when it is made, as here it lies in memory before and after.
 */
export class RandomBytes {
  #drawn: Buffer = Buffer.alloc(0);
  #at = 0;

  /** @param count  at most {@link DRAWN_BYTES}. @returns bytes that nobody else is given */
  take(count: number): Buffer {
    if (this.#at + count > this.#drawn.length) {
      // A new buffer, as what was taken of the last one is in use.
      this.#drawn = randomBytes(DRAWN_BYTES);
      this.#at = 0;
    }
    const from = this.#at;
    this.#at += count;
    return this.#drawn.subarray(from, this.#at);
  }
}
