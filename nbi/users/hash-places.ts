import { Lines } from '../../common/index.js';

/** How many passwords are hashed at a time, and how many wait for it. */
export interface HashLimits {
  /** Each takes 32 MB and a thread: more at once would starve the rest of the process. */
  readonly atATime: number;
  /** Of these only for who is familiar, so that whatever strangers try, nobody who was right before waits for them. */
  readonly keptForFamiliar: number;
  readonly perOriginAtATime: number;
  /** Strangers that wait, and of those that are familiar as many as that again. */
  readonly waitingMax: number;
}

export const HASH_LIMITS: HashLimits = {
  atATime: 3,
  keptForFamiliar: 1,
  perOriginAtATime: 2,
  waitingMax: 256,
};

interface Waiting {
  readonly origin: string;
  readonly isFamiliar: boolean;
  begin(): void;
  turnAway(): void;
}

/**
 * Who hashes next. Who is familiar goes before strangers; among either every origin has its turn, however many wait from others. Where too
 * many wait, the last of the origin that has most waiting goes.
 */
export class HashPlaces {
  readonly #limits: HashLimits;
  readonly #familiar = new Lines<Waiting>();
  readonly #strangers = new Lines<Waiting>();
  /** What is being hashed for each origin; with nothing, no entry. */
  readonly #running = new Map<string, number>();
  #total = 0;
  #forStrangers = 0;

  constructor(limits: HashLimits = HASH_LIMITS) {
    this.#limits = limits;
  }

  /**
   * Does the work when its turn has come.
   * @returns what came of it; null where too many wait, and it was not done
   */
  async run<T>(
    { origin, isFamiliar }: Pick<Waiting, 'origin' | 'isFamiliar'>,
    work: () => Promise<T>,
  ): Promise<T | null> {
    const hasBegun = await new Promise<boolean>((resolve) => {
      this.#queue({ origin, isFamiliar, begin: () => resolve(true), turnAway: () => resolve(false) });
    });
    if (!hasBegun) return null;
    try {
      return await work();
    } finally {
      this.#count(origin, isFamiliar, -1);
      this.#beginNext();
    }
  }

  #queue(waiting: Waiting): void {
    const lines = waiting.isFamiliar ? this.#familiar : this.#strangers;
    lines.add(waiting.origin, waiting);
    this.#beginNext();
    if (lines.size > this.#limits.waitingMax) lines.dropFromLongest()?.turnAway();
  }

  #beginNext(): void {
    const { atATime, keptForFamiliar, perOriginAtATime } = this.#limits;
    const isFree = (origin: string) => (this.#running.get(origin) ?? 0) < perOriginAtATime;
    while (this.#total < atATime) {
      const mayBeStranger = this.#forStrangers < atATime - keptForFamiliar;
      const next = this.#familiar.take(isFree) ?? (mayBeStranger ? this.#strangers.take(isFree) : null);
      if (next === null) return;
      this.#count(next.origin, next.isFamiliar, 1);
      next.begin();
    }
  }

  #count(origin: string, isFamiliar: boolean, change: 1 | -1): void {
    const running = (this.#running.get(origin) ?? 0) + change;
    if (running === 0) this.#running.delete(origin);
    else this.#running.set(origin, running);
    this.#total += change;
    if (!isFamiliar) this.#forStrangers += change;
  }
}
