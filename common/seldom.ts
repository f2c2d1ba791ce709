import { type MonotonicClock, monotonicClock } from './clock.js';

/**
 * Lets something that would be said thousands of times be said now and then: of each kind the first, and then one in each
 * interval, with how many were left out in between.
 */
export class Seldom {
  readonly #lastOf = new Map<string, { saidAtMs: number; omitted: number }>();

  constructor(
    private readonly intervalMs: number,
    private readonly nowMs: MonotonicClock = monotonicClock,
  ) {}

  /**
   * @param kind  from a fixed set, never from outside
   * @returns how many of its kind were left out since the last one; null where this one is to be left out as well
   */
  admit(kind: string): number | null {
    const nowMs = this.nowMs();
    const last = this.#lastOf.get(kind);
    if (last !== undefined && nowMs - last.saidAtMs < this.intervalMs) {
      last.omitted++;
      return null;
    }
    this.#lastOf.set(kind, { saidAtMs: nowMs, omitted: 0 });
    return last?.omitted ?? 0;
  }
}
