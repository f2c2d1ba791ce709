/**
 * Does something again and again, so long after it was begun last, and never twice at a time: a round that takes longer is not joined by
 * a second one, and what was missed (the machine slept, the process was busy) is not made up for. Goes by a timer of the process, which
 * no change of the wall's clock moves.
 */
export class Rounds {
  readonly #run: () => Promise<void>;
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> | null = null;

  /** @param run  never rejects */
  constructor({ everyMs, run }: { readonly everyMs: number; readonly run: () => Promise<void> }) {
    this.#run = run;
    this.#timer = setInterval(() => this.#begin(), everyMs);
    this.#timer.unref();
  }

  #begin(): void {
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
  }

  /** Begins no other, and waits for the one that runs. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }
}
