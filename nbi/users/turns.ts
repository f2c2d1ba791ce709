/** Whoever waits, by where from; `Waiting` is compared by identity. */
interface Line<Waiting> {
  readonly origin: string;
  readonly waiting: Set<Waiting>;
  /** Since its first came: the others of it are no newer than who has waited meanwhile. */
  hasHadTurn: boolean;
}

/**
 * A line for each origin, which take turns. Of strangers those go first from where least has been wrong lately; of as many wrong the one that
 * had its turn longest ago, and every second time the one that came last and has had none: so many who each have a first guess keep nobody
 * who comes after them waiting for all of theirs.
 */
export class Turns<Waiting> {
  /** The one whose turn is next, of as many wrong, first; none is empty. */
  readonly #lines = new Map<string, Line<Waiting>>();
  readonly #wrongFrom: (origin: string) => number;
  #size = 0;
  readonly #areStrangers: boolean;
  #isNewestNext: boolean;

  /** @param wrongFrom  how often something was wrong lately that came from there; null: no strangers, who just take turns */
  constructor(wrongFrom: ((origin: string) => number) | null) {
    this.#wrongFrom = wrongFrom ?? (() => 0);
    this.#areStrangers = wrongFrom !== null;
    this.#isNewestNext = this.#areStrangers;
  }

  get size(): number {
    return this.#size;
  }

  add(origin: string, waiting: Waiting): void {
    const line = this.#lines.get(origin);
    if (line === undefined) {
      this.#lines.set(origin, { origin, waiting: new Set([waiting]), hasHadTurn: false });
    } else line.waiting.add(waiting);
    this.#size++;
  }

  /** The first of the line whose turn is next, and that may have it; null where there is none. */
  take(isFree: (origin: string) => boolean): Waiting | null {
    let oldest: Line<Waiting> | null = null;
    let newest: Line<Waiting> | null = null;
    let least = Number.POSITIVE_INFINITY;
    for (const line of this.#lines.values()) {
      if (!isFree(line.origin)) continue;
      const wrong = this.#wrongFrom(line.origin);
      if (wrong > least) continue;
      if (wrong < least) [oldest, newest, least] = [line, null, wrong];
      if (!line.hasHadTurn) newest = line;
    }
    const line = this.#isNewestNext ? (newest ?? oldest) : oldest;
    if (line === null) return null;
    this.#isNewestNext = this.#areStrangers && !this.#isNewestNext;
    line.hasHadTurn = true;
    this.#lines.delete(line.origin);
    this.#lines.set(line.origin, line);
    const [next] = line.waiting;
    if (next === undefined) return null;
    this.remove(line.origin, next);
    return next;
  }

  /** Does nothing where it does not wait any more. */
  remove(origin: string, waiting: Waiting): void {
    const line = this.#lines.get(origin);
    if (line === undefined || !line.waiting.delete(waiting)) return;
    this.#size--;
    if (line.waiting.size === 0) this.#lines.delete(origin);
  }

  /** Takes everything that waits from one origin, the first to come first. */
  takeAll(origin: string): readonly Waiting[] {
    const line = this.#lines.get(origin);
    if (line === undefined) return [];
    this.#lines.delete(origin);
    this.#size -= line.waiting.size;
    return [...line.waiting];
  }

  /** The last of the longest line; of several as long, of the one from where most was wrong, and then of that whose turn is last. */
  dropFromLongest(): Waiting | undefined {
    let longest: Line<Waiting> | null = null;
    let most = 0;
    for (const line of this.#lines.values()) {
      const length = longest?.waiting.size ?? 0;
      if (line.waiting.size < length) continue;
      const wrong = this.#wrongFrom(line.origin);
      if (line.waiting.size === length && wrong < most) continue;
      [longest, most] = [line, wrong];
    }
    const dropped = longest === null ? undefined : [...longest.waiting].at(-1);
    if (longest !== null && dropped !== undefined) this.remove(longest.origin, dropped);
    return dropped;
  }
}
