import { MINUTE_MS, SECOND_MS } from './clock.js';

/** How often something has failed lately. */
export interface MinuteCount {
  failures: number;
  /** When the count is over, by the clock that it was opened by. */
  readonly untilMs: number;
}

/** Failures by key, each for a minute from its first; of a bounded number of keys, of which the oldest are forgotten first. */
export class MinuteCounts {
  /** All are kept equally long, so the first to be added are the first to expire. */
  readonly #counts = new Map<string, MinuteCount>();
  readonly #keysMax: number;

  constructor(keysMax: number) {
    this.#keysMax = keysMax;
  }

  /** Keys that are remembered. */
  get size(): number {
    return this.#counts.size;
  }

  /** @returns null where nothing has failed lately */
  get(key: string, nowMs: number): MinuteCount | null {
    const known = this.#counts.get(key);
    return known !== undefined && known.untilMs > nowMs ? known : null;
  }

  /** To be counted on. */
  open(key: string, nowMs: number): MinuteCount {
    const known = this.get(key, nowMs);
    if (known !== null) return known;
    this.#counts.delete(key);
    this.#makeRoom(nowMs);
    const count = { failures: 0, untilMs: nowMs + MINUTE_MS };
    this.#counts.set(key, count);
    return count;
  }

  #makeRoom(nowMs: number): void {
    for (const [key, { untilMs }] of this.#counts) {
      if (untilMs > nowMs && this.#counts.size < this.#keysMax) return;
      this.#counts.delete(key);
    }
  }
}

/** For whoever is told to wait until then: whole seconds, at least one. */
export function secondsUntil(untilMs: number, nowMs: number): number {
  return Math.max(1, Math.ceil((untilMs - nowMs) / SECOND_MS));
}
