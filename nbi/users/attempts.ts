import { MINUTE_MS } from '../../common/index.js';

/** Failed log-ins a minute from one address for one user, and from one address in all. */
export const ATTEMPTS_PER_USER_MAX = 10;
export const ATTEMPTS_PER_ADDRESS_MAX = 60;
/** Addresses and users remembered; the oldest are forgotten first. */
export const ATTEMPT_KEYS_MAX = 20_000;

interface Count {
  failures: number;
  readonly untilMs: number;
}

/** Counts failed log-ins, so that a guesser is turned away before a password is hashed. */
export class Attempts {
  readonly #counts = new Map<string, Count>();

  /** Takes one attempt. @returns how many seconds to wait where there is none left, else 0 */
  take(address: string, user: string, nowMs: number): number {
    const byAddress = this.#count(address, nowMs);
    const byUser = this.#count(`${address} ${user}`, nowMs);
    if (byAddress.failures >= ATTEMPTS_PER_ADDRESS_MAX) return secondsUntil(byAddress.untilMs, nowMs);
    if (byUser.failures >= ATTEMPTS_PER_USER_MAX) return secondsUntil(byUser.untilMs, nowMs);
    byAddress.failures++;
    byUser.failures++;
    return 0;
  }

  /** Gives one attempt back: the password was right, or never looked at. */
  giveBack(address: string, user: string, nowMs: number): void {
    for (const key of [address, `${address} ${user}`]) {
      const count = this.#count(key, nowMs);
      count.failures = Math.max(0, count.failures - 1);
    }
  }

  #count(key: string, nowMs: number): Count {
    const known = this.#counts.get(key);
    if (known !== undefined && known.untilMs > nowMs) return known;
    this.#counts.delete(key);
    const count = { failures: 0, untilMs: nowMs + MINUTE_MS };
    this.#counts.set(key, count);
    if (this.#counts.size > ATTEMPT_KEYS_MAX) {
      const [oldest] = this.#counts.keys();
      if (oldest !== undefined) this.#counts.delete(oldest);
    }
    return count;
  }
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
