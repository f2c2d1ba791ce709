import { type Clock, ClockSteps, type MonotonicClock, stillHolds } from '../../../common/index.js';
import type { OpenSession } from '../session.js';
import { silentMsMaxOf } from '../sessions.js';

/**
 * How long sessions stand. What this process remembers elapses; what is stored is compared by the wall's clock, which all processes go
 * by. Where that has just been set, what was stored before says nothing of how long a CPE has been silent: for the longest silence
 * there may be it is believed whatever it says, so that every CPE that is in a session can go on with it.
 */
export class SessionTimes {
  readonly #clock: Clock;
  readonly #monotonic: MonotonicClock;
  readonly #steps: ClockSteps;
  readonly idleMsMax: number;

  constructor(parts: {
    readonly clock: Clock;
    readonly monotonic: MonotonicClock;
    readonly idleMsMax: number;
  }) {
    this.#clock = parts.clock;
    this.#monotonic = parts.monotonic;
    this.#steps = new ClockSteps(parts);
    this.idleMsMax = parts.idleMsMax;
  }

  /** As the clocks of all processes show it. */
  get wallMs(): number {
    return this.#clock();
  }

  /** For what elapses in this process. */
  get elapsedMs(): number {
    return this.#monotonic();
  }

  /** By when its CPE must have spoken again, to be stored. */
  storedUntilMs(session: OpenSession): number {
    return this.#clock() + silentMsMaxOf(session, this.idleMsMax);
  }

  /** The same, to be remembered. */
  rememberedUntilMs(session: OpenSession): number {
    return this.#monotonic() + silentMsMaxOf(session, this.idleMsMax);
  }

  /** Whether the clock was set so lately that stored times cannot be believed. */
  get areUnsettled(): boolean {
    return this.#steps.sinceMs() < this.idleMsMax;
  }

  /** Whether a stored session may be gone on with. */
  isOpen({ expiresAtMs }: { readonly expiresAtMs: number }): boolean {
    return this.areUnsettled || stillHolds(expiresAtMs, this.idleMsMax, this.#clock());
  }
}
