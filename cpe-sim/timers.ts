/** Longest wait that a timer takes. */
export const TIMER_MS_MAX = 2 ** 31 - 1;

export interface Timer {
  cancel(): void;
}

/** The timers of one CPE, to be cleared together. They keep no process alive. */
export class Timers {
  readonly #running = new Set<NodeJS.Timeout>();

  after(waitMs: number, act: () => void): Timer {
    const timeout = setTimeout(
      () => {
        this.#running.delete(timeout);
        act();
      },
      Math.min(waitMs, TIMER_MS_MAX),
    );
    timeout.unref();
    this.#running.add(timeout);
    return {
      cancel: () => {
        clearTimeout(timeout);
        this.#running.delete(timeout);
      },
    };
  }

  clear(): void {
    for (const timeout of this.#running) clearTimeout(timeout);
    this.#running.clear();
  }
}

/** Lets at most so many run at once; the others wait their turn. */
export class Gate {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(places: number) {
    this.#free = places;
  }

  async enter(): Promise<void> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}
