import { Lines } from '../../common/index.js';

/** How many passwords are hashed at a time, and how many wait for it. */
export interface HashLimits {
  /** Each takes 32 MB and a thread: more at once would starve the rest of the process. */
  readonly atATime: number;
  /** Of these only for who is familiar, so that whatever strangers try, nobody who was right before waits for them. */
  readonly keptForFamiliar: number;
  readonly perOriginAtATime: number;
  /** For names at which too many guess, in all: slow for a guesser, and whoever knows the password has a turn. */
  readonly guessedAtATime: number;
  /** Of each {@link Standing}. */
  readonly waitingMax: number;
}

/**
 * Who waits: somebody who has logged in from there before; a stranger; a stranger with a name at which too many guess, whose password
 * may be right all the same.
 */
export type Standing = 'familiar' | 'stranger' | 'guessed-at';

export const HASH_LIMITS: HashLimits = {
  atATime: 3,
  keptForFamiliar: 1,
  perOriginAtATime: 2,
  guessedAtATime: 1,
  waitingMax: 256,
};

interface Waiting {
  readonly origin: string;
  readonly standing: Standing;
  begin(): void;
  turnAway(): void;
}

/**
 * Who hashes next. Who is familiar goes before strangers, and strangers with names at which too many guess go one at a time beside the
 * others; among each every origin has its turn, however many wait from others. Where too many wait, the last of the origin that has most
 * waiting goes.
 */
export class HashPlaces {
  readonly #limits: HashLimits;
  readonly #lines: Readonly<Record<Standing, Lines<Waiting>>> = {
    familiar: new Lines(),
    stranger: new Lines(),
    'guessed-at': new Lines(),
  };
  /** What is being hashed for each origin; with nothing, no entry. */
  readonly #running = new Map<string, number>();
  readonly #runningAs: Record<Standing, number> = { familiar: 0, stranger: 0, 'guessed-at': 0 };

  constructor(limits: HashLimits = HASH_LIMITS) {
    this.#limits = limits;
  }

  /** How many are being hashed. */
  get taken(): number {
    const { familiar, stranger, 'guessed-at': guessedAt } = this.#runningAs;
    return familiar + stranger + guessedAt;
  }

  /**
   * Does the work when its turn has come.
   * @returns what came of it; null where too many wait, and it was not done
   */
  async run<T>(
    { origin, standing }: Pick<Waiting, 'origin' | 'standing'>,
    work: () => Promise<T>,
  ): Promise<T | null> {
    const hasBegun = await new Promise<boolean>((resolve) => {
      this.#queue({ origin, standing, begin: () => resolve(true), turnAway: () => resolve(false) });
    });
    if (!hasBegun) return null;
    try {
      return await work();
    } finally {
      this.#count(origin, standing, -1);
      this.#beginNext();
    }
  }

  #queue(waiting: Waiting): void {
    const lines = this.#lines[waiting.standing];
    lines.add(waiting.origin, waiting);
    this.#beginNext();
    if (lines.size > this.#limits.waitingMax) lines.dropFromLongest()?.turnAway();
  }

  #beginNext(): void {
    for (let next = this.#next(); next !== null; next = this.#next()) {
      this.#count(next.origin, next.standing, 1);
      next.begin();
    }
  }

  /** Whose turn it is; null where nobody waits who may begin. */
  #next(): Waiting | null {
    const { atATime, keptForFamiliar, perOriginAtATime, guessedAtATime } = this.#limits;
    const isFree = (origin: string) => (this.#running.get(origin) ?? 0) < perOriginAtATime;
    const { familiar, stranger, 'guessed-at': guessedAt } = this.#runningAs;
    const strangers = stranger + guessedAt;
    if (familiar + strangers >= atATime) return null;
    const next = this.#lines.familiar.take(isFree);
    if (next !== null || strangers >= atATime - keptForFamiliar) return next;
    // These first: of what strangers have they never take more than theirs, and would wait forever behind the others.
    const besieged = guessedAt < guessedAtATime ? this.#lines['guessed-at'].take(isFree) : null;
    return besieged ?? this.#lines.stranger.take(isFree);
  }

  #count(origin: string, standing: Standing, change: 1 | -1): void {
    const running = (this.#running.get(origin) ?? 0) + change;
    if (running === 0) this.#running.delete(origin);
    else this.#running.set(origin, running);
    this.#runningAs[standing] += change;
  }
}
