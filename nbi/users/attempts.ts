import { MINUTE_MS } from '../../common/index.js';

/** Failed log-ins a minute from one address for one user, and from one address in all. */
export const ATTEMPTS_PER_USER_MAX = 10;
export const ATTEMPTS_PER_ADDRESS_MAX = 60;
/** Addresses, and users by address, that are remembered; the oldest are forgotten first. */
export const ATTEMPT_KEYS_MAX = 20_000;

interface Count {
  failures: number;
  readonly untilMs: number;
}

/** Counts failed log-ins, so that a guesser is turned away before a password is hashed. */
export class Attempts {
  // Apart, so that however many users are guessed at, no address is forgotten for them.
  readonly #byAddress = new Counts();
  readonly #byUser = new Counts();

  /** Addresses and users remembered. */
  get size(): number {
    return this.#byAddress.size + this.#byUser.size;
  }

  /** Takes one attempt. @returns how many seconds to wait where there is none left, else 0 */
  take(address: string, user: string, nowMs: number): number {
    const byAddress = this.#byAddress.open(address, nowMs);
    // Before anything is noted of the user: who is turned away must not use up memory either.
    if (byAddress.failures >= ATTEMPTS_PER_ADDRESS_MAX) return secondsUntil(byAddress.untilMs, nowMs);
    const byUser = this.#byUser.open(userKey(address, user), nowMs);
    if (byUser.failures >= ATTEMPTS_PER_USER_MAX) return secondsUntil(byUser.untilMs, nowMs);
    byAddress.failures++;
    byUser.failures++;
    return 0;
  }

  /** Gives one attempt back: the password was right, or never looked at. */
  giveBack(address: string, user: string, nowMs: number): void {
    for (const count of [
      this.#byAddress.get(address, nowMs),
      this.#byUser.get(userKey(address, user), nowMs),
    ]) {
      if (count !== null) count.failures = Math.max(0, count.failures - 1);
    }
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

/** What attempts are counted by: an IPv6 host has a whole /64 to itself, so its last 64 bits say nothing. */
export function attemptOrigin(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address;
  const [head = '', tail] = address.split('::');
  const groups = head.split(':');
  if (tail === undefined) return groups.slice(0, 4).join(':');
  const end = tail.split(':');
  const zeros = Array.from({ length: Math.max(0, 8 - groups.length - end.length) }, () => '0');
  return [...groups, ...zeros, ...end]
    .map((group) => group || '0')
    .slice(0, 4)
    .join(':');
}

function secondsUntil(untilMs: number, nowMs: number): number {
  return Math.max(1, Math.ceil((untilMs - nowMs) / 1_000));
}
