import type { Timer, Timers } from './timers.js';

/** The periodic Inform of one CPE, as often as it is set to (TR-069 A.3.3.1). */
export class PeriodicInform {
  readonly #timers: Timers;
  readonly #intervalMs: () => number | null;
  readonly #onDue: () => void;
  #running: { readonly timer: Timer; readonly intervalMs: number } | null = null;

  /** @param intervalMs  as it is set now; null: none is sent */
  constructor(timers: Timers, intervalMs: () => number | null, onDue: () => void) {
    this.#timers = timers;
    this.#intervalMs = intervalMs;
    this.#onDue = onDue;
  }

  /** Takes what is set into account; where that is as before the one under way stays. */
  schedule(): void {
    const intervalMs = this.#intervalMs();
    if (this.#running?.intervalMs === intervalMs) return;
    this.#running?.timer.cancel();
    this.#running = null;
    if (intervalMs === null) return;
    const timer = this.#timers.after(intervalMs, () => {
      this.#running = null;
      this.schedule();
      this.#onDue();
    });
    this.#running = { timer, intervalMs };
  }

  /** Its timers have been cleared. */
  goDown(): void {
    this.#running = null;
  }
}
