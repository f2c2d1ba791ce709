/** A line for each origin, which take turns. */
export class Lines<Waiting> {
  /** The one whose turn is next first; none is empty. */
  readonly #lines = new Map<string, Waiting[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(origin: string, waiting: Waiting): void {
    const line = this.#lines.get(origin);
    if (line === undefined) this.#lines.set(origin, [waiting]);
    else line.push(waiting);
    this.#size++;
  }

  /** The first of the line whose turn is next; null where there is none. */
  take(): Waiting | null {
    for (const [origin, line] of this.#lines) {
      const next = line.shift();
      this.#lines.delete(origin);
      if (line.length > 0) this.#lines.set(origin, line);
      if (next === undefined) continue;
      this.#size--;
      return next;
    }
    return null;
  }
}
