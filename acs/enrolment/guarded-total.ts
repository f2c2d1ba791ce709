/** Addresses of which it is known how much each has taken; of more, those that have taken least are forgotten. */
const NETWORKS_MAX = 65_536;

/** What becomes of one more: `guarded`: it is let in, from what is kept for others than the greediest. */
export type Place = 'free' | 'guarded' | 'greediest' | 'none';

export interface Guarding {
  /** How many there may be in all. */
  readonly totalMax: number;
  /** From this many on what is left is guarded. */
  readonly guardedFrom: number;
  /** What any address may have before it can be the greediest. */
  readonly ownMax: number;
}

/**
 * A total that many share of whom nobody knows who is honest. Most of it is anybody's; of what is left, whoever has taken as much as any other,
 * and more than a fair part, gets no more. So whoever takes least is refused last.
 */
export class GuardedTotal {
  readonly #guarding: Guarding;
  readonly #takenBy = new Map<string, number>();
  readonly #networksMax: number;
  #mostTaken = 0;

  constructor(guarding: Guarding, networksMax = NETWORKS_MAX) {
    this.#guarding = guarding;
    this.#networksMax = networksMax;
  }

  /** What the greediest address has taken. */
  get mostTaken(): number {
    return this.#mostTaken;
  }

  /** Addresses that are remembered. */
  get networks(): number {
    return this.#takenBy.size;
  }

  /**
   * @param taken  in all, so far
   * @param network  who asks (`networkOf`); null for whoever is never the greediest
   */
  look(taken: number, network: string | null): Place {
    const { totalMax, guardedFrom, ownMax } = this.#guarding;
    if (taken >= totalMax) return 'none';
    if (taken < guardedFrom) return 'free';
    const own = network === null ? 0 : (this.#takenBy.get(network) ?? 0);
    return own > ownMax && own >= this.#mostTaken ? 'greediest' : 'guarded';
  }

  take(network: string): void {
    const own = (this.#takenBy.get(network) ?? 0) + 1;
    if (own === 1 && this.#takenBy.size >= this.#networksMax) this.#forgetLeast();
    this.#takenBy.set(network, own);
    if (own > this.#mostTaken) this.#mostTaken = own;
  }

  clear(): void {
    this.#takenBy.clear();
    this.#mostTaken = 0;
  }

  /** The half of them that have taken least, of those with the same the oldest: seldom enough for one look at all of them. */
  #forgetLeast(): void {
    const byTaken = [...this.#takenBy].sort(([, one], [, other]) => one - other);
    for (const [network] of byTaken.slice(0, Math.ceil(byTaken.length / 2))) this.#takenBy.delete(network);
  }
}
