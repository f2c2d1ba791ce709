/** Calls back about each id once, a fixed time after it was added, with one timer for all. */
export class Deferral {
  readonly #delayMs: number;
  readonly #onDue: (id: string) => void;
  #waiting: { readonly id: string; readonly dueMs: number }[] = [];
  #timer: NodeJS.Timeout | null = null;

  constructor(delayMs: number, onDue: (id: string) => void) {
    this.#delayMs = delayMs;
    this.#onDue = onDue;
  }

  add(id: string): void {
    this.#waiting.push({ id, dueMs: performance.now() + this.#delayMs });
    this.#timer ??= this.#wakeIn(this.#delayMs);
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#waiting = [];
  }

  #wakeIn(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#run(), ms).unref();
  }

  #run(): void {
    const nowMs = performance.now();
    // In the order of their times, as all wait equally long.
    const left = this.#waiting.findIndex(({ dueMs }) => dueMs > nowMs);
    const due = this.#waiting.splice(0, left === -1 ? this.#waiting.length : left);
    const [next] = this.#waiting;
    this.#timer = next === undefined ? null : this.#wakeIn(Math.max(1, next.dueMs - nowMs));
    for (const { id } of due) this.#onDue(id);
  }
}
