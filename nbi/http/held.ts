import type { Shares } from './shares.js';

/** So much of an answer is not counted: one entry, or a few, can always be had, and requests are counted as well. */
const UNCOUNTED_BYTES = 64 * 1024;

/** What is held of one answer until its client has taken it. */
export class Held {
  readonly #shares: Shares;
  readonly #client: string;
  #bytes = 0;
  #counted = 0;

  constructor(shares: Shares, client: string) {
    this.#shares = shares;
    this.#client = client;
  }

  /** @returns false where so much more must not be held */
  take(bytes: number): boolean {
    const more = Math.max(0, this.#bytes + bytes - UNCOUNTED_BYTES) - this.#counted;
    if (this.#shares.take(this.#client, more) !== null) return false;
    this.#bytes += bytes;
    this.#counted += more;
    return true;
  }

  drop(): void {
    this.#shares.giveBack(this.#client, this.#counted);
    this.#bytes = 0;
    this.#counted = 0;
  }
}
