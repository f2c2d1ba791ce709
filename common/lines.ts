/** A line for each origin, which take turns. Nobody waits twice. */
export class Lines<Waiting> {
  /** The one whose turn is next first; none is empty. */
  readonly #lines = new Map<string, Set<Waiting>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  sizeOf(origin: string): number {
    return this.#lines.get(origin)?.size ?? 0;
  }

  add(origin: string, waiting: Waiting): void {
    const line = this.#lines.get(origin);
    if (line === undefined) this.#lines.set(origin, new Set([waiting]));
    else line.add(waiting);
    this.#size++;
  }

  /** Who has had a turn already is not missed. */
  remove(origin: string, waiting: Waiting): void {
    const line = this.#lines.get(origin);
    if (line?.delete(waiting) !== true) return;
    this.#size--;
    if (line.size === 0) this.#lines.delete(origin);
  }

  /** The first of the line whose turn is next; null where there is none. */
  take(): Waiting | null {
    for (const [origin, line] of this.#lines) {
      this.#lines.delete(origin);
      for (const next of line) {
        line.delete(next);
        this.#size--;
        if (line.size > 0) this.#lines.set(origin, line);
        return next;
      }
    }
    return null;
  }
}
