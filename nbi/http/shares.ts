/** Who has no more: the client itself, or all together. */
export type Exhausted = 'own' | 'all';

/** So much of something as one client, and all together, may have at a time. */
export class Shares {
  /** What each client has; with none, no entry. */
  readonly #clients = new Map<string, number>();
  #total = 0;

  constructor(
    readonly perClientMax: number,
    readonly totalMax: number,
  ) {}

  get total(): number {
    return this.#total;
  }

  of(client: string): number {
    return this.#clients.get(client) ?? 0;
  }

  /** @returns null where it was taken */
  take(client: string, amount: number): Exhausted | null {
    const exhausted = this.exhausted(client, amount);
    if (exhausted !== null) return exhausted;
    if (amount > 0) this.#clients.set(client, this.of(client) + amount);
    this.#total += amount;
    return null;
  }

  /** Why so much more cannot be had now; null where it can. */
  exhausted(client: string, amount: number): Exhausted | null {
    if (this.of(client) + amount > this.perClientMax) return 'own';
    return this.#total + amount > this.totalMax ? 'all' : null;
  }

  giveBack(client: string, amount: number): void {
    const left = this.of(client) - amount;
    if (left > 0) this.#clients.set(client, left);
    else this.#clients.delete(client);
    this.#total -= amount;
  }
}
