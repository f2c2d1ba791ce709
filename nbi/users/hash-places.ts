import { type MonotonicClock, SECOND_MS } from '../../common/index.js';
import { Turns } from './turns.js';

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

/** From so many processors on there are some for sessions beside two strangers' hashes. */
const PROCESSORS_FOR_TWO_STRANGERS = 4;

/**
 * On one processor two hashes take as long side by side as one after the other, and twice the memory: who is familiar waits for the one that
 * is under way, and goes next.
 * @param processors  that this process may use
 */
export function hashLimits(processors: number): HashLimits {
  const keptForFamiliar = processors === 1 ? 0 : 1;
  const strangersAtATime = processors < PROCESSORS_FOR_TWO_STRANGERS ? 1 : 2;
  return {
    atATime: strangersAtATime + keptForFamiliar,
    keptForFamiliar,
    perOriginAtATime: 2,
    guessedAtATime: 1,
    waitingMax: 256,
  };
}

/**
 * So many times as long as a stranger's wrong password has kept its place busy the place is left empty afterwards: wrong ones take at most
 * an eighth of a processor for each place of strangers. After a right one there is no rest: a hundred scripts log in after a start.
 */
export const REST_FACTOR = 7;
/** Time goes on while a hash waits for a processor, too: where all are busy, a rest is not to grow beyond what people wait. */
export const REST_MS_MAX = SECOND_MS;

export interface HashPlacesParts {
  readonly limits: HashLimits;
  /** How many wrong passwords came from there lately: strangers with fewer go first. */
  readonly wrongFrom: (origin: string) => number;
  readonly monotonic: MonotonicClock;
  /** Calls `then` after so many milliseconds. */
  readonly rest: (ms: number, then: () => void) => void;
}

/** Who wants a password hashed. */
export interface Asking {
  readonly origin: string;
  readonly standing: Standing;
  /** Aborted where nobody waits for it any more. */
  readonly over: AbortSignal;
}

interface Waiting {
  readonly origin: string;
  standing: Standing;
  begin(): void;
  turnAway(): void;
}

/**
 * Who hashes next. Who is familiar goes before strangers, and of strangers one with a name at which too many guess goes at a time, by turns
 * with the others; among each every origin has its turn ({@link Turns}), however many wait from others. Where too many wait, the last of
 * the origin that has most waiting goes.
 */
export class HashPlaces {
  readonly #parts: HashPlacesParts;
  readonly #lines: Readonly<Record<Standing, Turns<Waiting>>>;
  /** What is being hashed for each origin; with nothing, no entry. */
  readonly #running = new Map<string, number>();
  readonly #runningAs: Record<Standing, number> = { familiar: 0, stranger: 0, 'guessed-at': 0 };
  /** Places that are left empty for a while. */
  readonly #restingAs: Record<Standing, number> = { familiar: 0, stranger: 0, 'guessed-at': 0 };
  #wasGuessedAt = false;

  constructor(parts: HashPlacesParts) {
    this.#parts = parts;
    const { wrongFrom } = parts;
    this.#lines = {
      familiar: new Turns(null),
      stranger: new Turns(wrongFrom),
      'guessed-at': new Turns(wrongFrom),
    };
  }

  /** How many are being hashed. */
  get taken(): number {
    const { familiar, stranger, 'guessed-at': guessedAt } = this.#runningAs;
    return familiar + stranger + guessedAt;
  }

  /** How many wait for that. */
  get waiting(): number {
    const { familiar, stranger, 'guessed-at': guessedAt } = this.#lines;
    return familiar.size + stranger.size + guessedAt.size;
  }

  /**
   * Does the work when its turn has come.
   * @param isWrong  whether what came of it is a wrong password, after which a stranger's place rests
   * @returns what came of it; null where too many wait, and it was not done
   * @throws the reason of `over`, where that was aborted before its turn
   */
  async run<T>(asking: Asking, work: () => Promise<T>, isWrong: (outcome: T) => boolean): Promise<T | null> {
    const standing = await this.#turn(asking);
    if (standing === null) return null;
    const { origin } = asking;
    const { monotonic } = this.#parts;
    const beganMs = monotonic();
    let restMs = 0;
    try {
      const outcome = await work();
      if (standing !== 'familiar' && isWrong(outcome)) {
        restMs = Math.min(REST_FACTOR * (monotonic() - beganMs), REST_MS_MAX);
      }
      return outcome;
    } finally {
      this.#count(origin, standing, -1);
      if (restMs > 0) this.#rest(standing, restMs);
      this.#beginNext();
    }
  }

  /** Somebody was right from there: who waits as a stranger from the same is familiar now. */
  becameFamiliar(origin: string): void {
    for (const waiting of this.#lines.stranger.takeAll(origin)) {
      waiting.standing = 'familiar';
      this.#lines.familiar.add(origin, waiting);
    }
    this.#beginNext();
  }

  /** @returns as what it is to run; null where it is turned away */
  #turn(asking: Asking): Promise<Standing | null> {
    const { origin, standing, over } = asking;
    over.throwIfAborted();
    return new Promise((resolve, reject) => {
      const onOver = () => {
        for (const line of Object.values(this.#lines)) line.remove(origin, waiting);
        reject(over.reason);
      };
      const end = (as: Standing | null) => {
        over.removeEventListener('abort', onOver);
        resolve(as);
      };
      const waiting: Waiting = {
        origin,
        standing,
        begin: () => end(waiting.standing),
        turnAway: () => end(null),
      };
      over.addEventListener('abort', onOver);
      this.#queue(waiting);
    });
  }

  #queue(waiting: Waiting): void {
    const line = this.#lines[waiting.standing];
    line.add(waiting.origin, waiting);
    this.#beginNext();
    if (line.size > this.#parts.limits.waitingMax) line.dropFromLongest()?.turnAway();
  }

  #beginNext(): void {
    for (let next = this.#next(); next !== null; next = this.#next()) {
      this.#count(next.origin, next.standing, 1);
      next.begin();
    }
  }

  /** Whose turn it is; null where nobody waits who may begin. */
  #next(): Waiting | null {
    const { atATime, keptForFamiliar, perOriginAtATime } = this.#parts.limits;
    if (this.taken >= atATime) return null;
    const isFree = (origin: string) => (this.#running.get(origin) ?? 0) < perOriginAtATime;
    const next = this.#lines.familiar.take(isFree);
    const strangers = this.#takenAs('stranger') + this.#takenAs('guessed-at');
    if (next !== null || strangers >= atATime - keptForFamiliar) return next;
    return this.#nextStranger(isFree);
  }

  /** By turns: neither is to wait for all of the others, though there may be one place for both. */
  #nextStranger(isFree: (origin: string) => boolean): Waiting | null {
    const { stranger, 'guessed-at': guessedAt } = this.#lines;
    const mayBeGuessedAt = this.#takenAs('guessed-at') < this.#parts.limits.guessedAtATime;
    const lines = this.#wasGuessedAt ? [stranger, guessedAt] : [guessedAt, stranger];
    for (const line of lines) {
      if (line === guessedAt && !mayBeGuessedAt) continue;
      const next = line.take(isFree);
      if (next === null) continue;
      this.#wasGuessedAt = line === guessedAt;
      return next;
    }
    return null;
  }

  /** A place that rests is taken. */
  #takenAs(standing: Standing): number {
    return this.#runningAs[standing] + this.#restingAs[standing];
  }

  #rest(standing: Standing, ms: number): void {
    this.#restingAs[standing]++;
    this.#parts.rest(ms, () => {
      this.#restingAs[standing]--;
      this.#beginNext();
    });
  }

  #count(origin: string, standing: Standing, change: 1 | -1): void {
    const running = (this.#running.get(origin) ?? 0) + change;
    if (running === 0) this.#running.delete(origin);
    else this.#running.set(origin, running);
    this.#runningAs[standing] += change;
  }
}
