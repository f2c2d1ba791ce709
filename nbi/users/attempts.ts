import { MINUTE_MS } from '../../common/index.js';

/** Failed log-ins a minute from one address for one user, and from one address in all. */
export const ATTEMPTS_PER_USER_MAX = 10;
export const ATTEMPTS_PER_ADDRESS_MAX = 60;
/** Failed log-ins a minute for one name from all addresses from which it has not logged in, before others from such wait for each other. */
export const ATTEMPTS_PER_NAME_MAX = 100;
/** Addresses, users by address, and names that are remembered; the oldest are forgotten first. */
export const ATTEMPT_KEYS_MAX = 20_000;

interface Count {
  failures: number;
  readonly untilMs: number;
}

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
  readonly #byAddress = new Counts();
  readonly #byUser = new Counts();
  readonly #byName = new Counts();

  /** Addresses, users and names remembered. */
  get size(): number {
    return this.#byAddress.size + this.#byUser.size + this.#byName.size;
  }

  /** @returns how many seconds to wait where there is no attempt left, else 0 */
  wait({ address, user, isFamiliar }: Attempt, nowMs: number): number {
    const counts = [
      [isFamiliar ? null : this.#byAddress.get(address, nowMs), ATTEMPTS_PER_ADDRESS_MAX],
      [this.#byUser.get(userKey(address, user), nowMs), ATTEMPTS_PER_USER_MAX],
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
    if (!isFamiliar && byAddress.failures >= ATTEMPTS_PER_ADDRESS_MAX)
      return secondsUntil(byAddress.untilMs, nowMs);
    const byUser = this.#byUser.open(userKey(address, user), nowMs);
    if (byUser.failures >= ATTEMPTS_PER_USER_MAX) return secondsUntil(byUser.untilMs, nowMs);
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

  /** Counts a failure for a name, wherever it came from. Not before it is one: who logs in at many places at once has none. */
  noteFailure(name: string, nowMs: number): void {
    this.#byName.open(name, nowMs).failures++;
  }

  /** Whether a name has had so many failures that nobody is to be quick about it from where it has not logged in. */
  isGuessedAt(name: string, nowMs: number): boolean {
    return (this.#byName.get(name, nowMs)?.failures ?? 0) >= ATTEMPTS_PER_NAME_MAX;
  }
}

/** Failures by key, each for a minute from its first; at most {@link ATTEMPT_KEYS_MAX} keys. */
class Counts {
  /** All are kept equally long, so the first to be added are the first to expire. */
  readonly #counts = new Map<string, Count>();

  get size(): number {
    return this.#counts.size;
  }

  get(key: string, nowMs: number): Count | null {
    const known = this.#counts.get(key);
    return known !== undefined && known.untilMs > nowMs ? known : null;
  }

  open(key: string, nowMs: number): Count {
    const known = this.get(key, nowMs);
    if (known !== null) return known;
    this.#counts.delete(key);
    this.#makeRoom(nowMs);
    const count = { failures: 0, untilMs: nowMs + MINUTE_MS };
    this.#counts.set(key, count);
    return count;
  }

  #makeRoom(nowMs: number): void {
    for (const [key, { untilMs }] of this.#counts) {
      if (untilMs > nowMs && this.#counts.size < ATTEMPT_KEYS_MAX) return;
      this.#counts.delete(key);
    }
  }
}

function userKey(address: string, user: string): string {
  return `${address} ${user}`;
}

function secondsUntil(untilMs: number, nowMs: number): number {
  return Math.max(1, Math.ceil((untilMs - nowMs) / 1_000));
}
