import { CLOCKS_APART_MS_MAX, type Clock, isAhead } from '../clock.js';
import { NONCE_MS_MAX } from './nonces.js';

/** An answer to a nonce, as far as it may be given once. */
export interface NonceUse {
  readonly nonce: string;
  readonly madeAtMs: number;
  /** Null: the client does not count (RFC 2069). */
  readonly count: number | null;
}

/**
 * What a nonce is good for. `one-answer`: whatever its count, as where only some requests are looked at, and the others of the same
 * client could be said again in their place. `each-count`: an answer for each count, where every request is looked at; without a count any
 * number of them.
 */
export type NonceLaw = 'one-answer' | 'each-count';

/** Those of a burst of 300 CPEs a second, for as long as a nonce lives; some 15 MB. */
const NONCES_MAX = 100_000;
/** How far below the highest count one may still come, as connections side by side overtake each other. */
const BEHIND_MAX = 32;

/** The counts of one nonce: the highest, and a bit for each of those before it that has come. */
interface Counts {
  readonly madeAtMs: number;
  highest: number;
  before: number;
}

/** Which answers one process has taken, so that none counts twice. */
export class SpentNonces {
  readonly #law: NonceLaw;
  readonly #clock: Clock;
  readonly #countsMax: number;
  /** By nonce, the first to be spent first. */
  readonly #spent = new Map<string, Counts>();
  /** Of those that were forgotten for want of room nothing is known: all that were made no later are spent. */
  #spentUntilMs = 0;

  constructor(law: NonceLaw, clock: Clock, countsMax = NONCES_MAX) {
    this.#law = law;
    this.#clock = clock;
    this.#countsMax = countsMax;
  }

  get size(): number {
    return this.#spent.size;
  }

  /** @returns false where it has been taken before, or may have been */
  take({ nonce, madeAtMs, count }: NonceUse): boolean {
    if (this.#law === 'each-count' && count === null) return true;
    // What a clock that was ahead has left behind would keep everybody out until then.
    if (madeAtMs <= this.#spentUntilMs && !isAhead(this.#spentUntilMs, this.#clock())) return false;
    const counts = this.#spent.get(nonce);
    if (counts !== undefined) {
      return this.#law === 'each-count' && count !== null && takeCount(counts, count);
    }
    this.#makeRoom();
    this.#spent.set(nonce, { madeAtMs, highest: count ?? 0, before: 0 });
    return true;
  }

  #makeRoom(): void {
    const nowMs = this.#clock();
    for (const [nonce, { madeAtMs }] of this.#spent) {
      const isOver = nowMs - madeAtMs > NONCE_MS_MAX + CLOCKS_APART_MS_MAX;
      if (!isOver && this.#spent.size < this.#countsMax) return;
      if (!isOver) this.#spentUntilMs = Math.max(this.#spentUntilMs, madeAtMs);
      this.#spent.delete(nonce);
    }
  }
}

function takeCount(counts: Counts, count: number): boolean {
  const ahead = count - counts.highest;
  if (ahead > 0) {
    // The bit of the one that was the highest so far is the one before the new highest.
    const before = ahead >= BEHIND_MAX ? 0 : counts.before << ahead;
    counts.before = ahead > BEHIND_MAX ? 0 : before | (1 << (ahead - 1));
    counts.highest = count;
    return true;
  }
  const behind = -ahead;
  if (behind === 0 || behind > BEHIND_MAX) return false;
  const bit = 1 << (behind - 1);
  if ((counts.before & bit) !== 0) return false;
  counts.before |= bit;
  return true;
}
