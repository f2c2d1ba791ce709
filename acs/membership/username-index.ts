/** Of many user names and beginnings of such, in an order, the first that a user name is or begins with. */
export class UsernameIndex {
  readonly #exact = new Map<string, number>();
  /** By their length, in characters. */
  readonly #beginnings = new Map<number, Map<string, number>>();

  /** @param username  with `*` at its end: how it begins */
  add(username: string, rank: number): void {
    if (!username.endsWith('*')) {
      this.#exact.set(username, Math.min(this.#exact.get(username) ?? rank, rank));
      return;
    }
    const beginning = username.slice(0, -1);
    const ofLength = this.#beginnings.get(beginning.length) ?? new Map<string, number>();
    this.#beginnings.set(beginning.length, ofLength);
    ofLength.set(beginning, Math.min(ofLength.get(beginning) ?? rank, rank));
  }

  get isEmpty(): boolean {
    return this.#exact.size === 0 && this.#beginnings.size === 0;
  }

  /** @returns the smallest rank, or infinity */
  rankOf(username: string): number {
    let least = this.#exact.get(username) ?? Number.POSITIVE_INFINITY;
    for (const [length, beginnings] of this.#beginnings) {
      const rank = length > username.length ? undefined : beginnings.get(username.slice(0, length));
      if (rank !== undefined && rank < least) least = rank;
    }
    return least;
  }
}
