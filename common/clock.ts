/** Where "now" comes from, in epoch milliseconds; a test passes its own. For what people read in calendars, and for what is stored. */
export type Clock = () => number;

/**
 * Milliseconds that only ever grow, since a moment that means nothing: for whatever elapses within one process. Nobody sets it, and it
 * stands still while the machine sleeps.
 */
export type MonotonicClock = () => number;

export const systemClock: Clock = () => Date.now();

export const monotonicClock: MonotonicClock = () => performance.now();

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** Between two processes of an installation: a node may be 30 s off the database's clock, to either side. */
export const CLOCKS_APART_MS_MAX = MINUTE_MS;

/**
 * Whether a time that was stored still keeps something from being done. It is believed only as far as its own duration from now: one
 * that lies further was stored by a clock that was ahead, and is over. Whatever is stored of this kind is asked about here, or put
 * right where it is found (`acs/upgrade/deadlines.ts`); `test/structure/stored-times.test.ts` has the list.
 *
 * @param untilMs  when it ends, as it was stored
 * @param durationMs  how long it may last, from the moment that it is stored
 */
export function stillHolds(untilMs: number | undefined, durationMs: number, nowMs: number): boolean {
  if (untilMs === undefined) return false;
  return untilMs > nowMs && untilMs <= nowMs + durationMs + CLOCKS_APART_MS_MAX;
}

/**
 * Whether a time at which something was seen was stored by a clock that was ahead: then it says nothing about when that was, and must
 * not outdo what is seen later. One a little ahead may be another node's.
 */
export function isAhead(atMs: number, nowMs: number): boolean {
  return atMs > nowMs + CLOCKS_APART_MS_MAX;
}

/** Less may be drift, or a busy machine. */
const STEP_MS_MIN = 2 * SECOND_MS;

/**
 * Notices that the wall's clock was set: it has gone on further, or less far, than time has. What was stored before that says nothing
 * about how long ago it was. To be asked at least every few seconds, or a step is noticed late.
 */
export class ClockSteps {
  readonly #clock: Clock;
  readonly #monotonic: MonotonicClock;
  #aheadMs: number;
  #atMs = Number.NEGATIVE_INFINITY;
  #untakenMs = 0;

  constructor({ clock, monotonic }: { readonly clock: Clock; readonly monotonic: MonotonicClock }) {
    this.#clock = clock;
    this.#monotonic = monotonic;
    this.#aheadMs = clock() - monotonic();
  }

  /** @returns milliseconds since the clock was last found to have been set; infinite where it never was */
  sinceMs(): number {
    return this.#look() - this.#atMs;
  }

  /** @returns by how many milliseconds the clock was set since this was asked last, forward (> 0) or back; 0 where it was not */
  takeMs(): number {
    this.#look();
    const takenMs = this.#untakenMs;
    this.#untakenMs = 0;
    return takenMs;
  }

  #look(): number {
    const nowMs = this.#monotonic();
    const aheadMs = this.#clock() - nowMs;
    const steppedMs = aheadMs - this.#aheadMs;
    this.#aheadMs = aheadMs;
    if (Math.abs(steppedMs) >= STEP_MS_MIN) {
      this.#atMs = nowMs;
      this.#untakenMs += steppedMs;
    }
    return nowMs;
  }
}
