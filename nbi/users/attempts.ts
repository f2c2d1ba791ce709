import { MinuteCounts, secondsUntil } from '../../common/index.js';

/** Failed log-ins a minute. */
export interface AttemptLimits {
  /** From one address for one user. */
  readonly perUserMax: number;
  /** From one address in all. */
  readonly perAddressMax: number;
  /** For one name from all addresses from which it has not logged in, before others from such wait for each other. */
  readonly perNameMax: number;
}

/** Users behind one address that may each have failed as often as one may. */
const FAILING_USERS = 6;
/** Addresses from which a name may have been got wrong as often as from one. */
const FAILING_ADDRESSES = 10;

export const FAILED_LOGINS_MAX = 10;

/** The limits where one user may fail so often a minute from one address. */
export function attemptLimits(perUserMax: number): AttemptLimits {
  return {
    perUserMax,
    perAddressMax: FAILING_USERS * perUserMax,
    perNameMax: FAILING_ADDRESSES * perUserMax,
  };
}

/** Addresses, users by address, and names that are remembered; the oldest are forgotten first. */
export const ATTEMPT_KEYS_MAX = 20_000;

/** Who tries to log in from where. */
export interface Attempt {
  readonly address: string;
  readonly user: string;
  /** This user has logged in from this address before: others who guess from there, behind a proxy perhaps, are nothing to them. */
  readonly isFamiliar: boolean;
}

/** Counts failed log-ins, so that a guesser is turned away before a password is hashed. */
export class Attempts {
  // Apart, so that however many users are guessed at, no address is forgotten for them.
  readonly #byAddress = new MinuteCounts(ATTEMPT_KEYS_MAX);
  readonly #byUser = new MinuteCounts(ATTEMPT_KEYS_MAX);
  readonly #byName = new MinuteCounts(ATTEMPT_KEYS_MAX);
  readonly #wrongByAddress = new MinuteCounts(ATTEMPT_KEYS_MAX);
  readonly #limits: AttemptLimits;

  constructor(limits: AttemptLimits) {
    this.#limits = limits;
  }

  /** Addresses, users and names remembered. */
  get size(): number {
    return this.#byAddress.size + this.#byUser.size + this.#byName.size + this.#wrongByAddress.size;
  }

  /** @returns how many seconds to wait where there is no attempt left, else 0 */
  wait({ address, user, isFamiliar }: Attempt, nowMs: number): number {
    const counts = [
      [isFamiliar ? null : this.#byAddress.get(address, nowMs), this.#limits.perAddressMax],
      [this.#byUser.get(userKey(address, user), nowMs), this.#limits.perUserMax],
    ] as const;
    for (const [count, max] of counts) {
      if (count !== null && count.failures >= max) return secondsUntil(count.untilMs, nowMs);
    }
    return 0;
  }

  /** Takes one attempt. @returns how many seconds to wait where there is none left, else 0 */
  take({ address, user, isFamiliar }: Attempt, nowMs: number): number {
    const byAddress = this.#byAddress.open(address, nowMs);
    // Before anything is noted of the user: who is turned away must not use up memory either.
    if (!isFamiliar && byAddress.failures >= this.#limits.perAddressMax)
      return secondsUntil(byAddress.untilMs, nowMs);
    const byUser = this.#byUser.open(userKey(address, user), nowMs);
    if (byUser.failures >= this.#limits.perUserMax) return secondsUntil(byUser.untilMs, nowMs);
    byAddress.failures++;
    byUser.failures++;
    return 0;
  }

  /** Gives one attempt back: the password was right, or never looked at. */
  giveBack({ address, user }: Attempt, nowMs: number): void {
    for (const count of [
      this.#byAddress.get(address, nowMs),
      this.#byUser.get(userKey(address, user), nowMs),
    ]) {
      if (count !== null) count.failures = Math.max(0, count.failures - 1);
    }
  }

  /**
   * Counts a wrong password of who is not familiar for the name, wherever it came from, and for where it came from. Not before it is one: who
   * logs in at many places at once has none.
   */
  noteFailure({ address, user }: Attempt, nowMs: number): void {
    this.#byName.open(user, nowMs).failures++;
    this.#wrongByAddress.open(address, nowMs).failures++;
  }

  /** How many wrong passwords have come from an address lately. */
  wrongFrom(address: string, nowMs: number): number {
    return this.#wrongByAddress.get(address, nowMs)?.failures ?? 0;
  }

  /** Whether a name has had so many failures that nobody is to be quick about it from where it has not logged in. */
  isGuessedAt(name: string, nowMs: number): boolean {
    return (this.#byName.get(name, nowMs)?.failures ?? 0) >= this.#limits.perNameMax;
  }
}

function userKey(address: string, user: string): string {
  return `${address} ${user}`;
}
