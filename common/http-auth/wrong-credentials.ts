import { networkOf } from '../addresses.js';
import { type MonotonicClock, monotonicClock, SECOND_MS } from '../clock.js';
import type { LogFields, Logger } from '../log.js';
import { MinuteCounts, secondsUntil } from '../minute-counts.js';
import type { Secrets } from '../secrets.js';
import { Seldom } from '../seldom.js';

/** A minute, from one address: far more than CPEs that have been set up wrongly need to be found. */
export const WRONG_OF_ADDRESS_MAX = 60;
/** A minute, for one user name from wherever. */
export const WRONG_OF_NAME_MAX = 600;
/** Addresses, and user names, that are counted; the oldest are forgotten first. */
const KEYS_MAX = 10_000;
const NAME_CHARACTERS_COUNTED = 64;
/** While thousands of guesses come, the log says so now and then. */
const LOG_MS = 10 * SECOND_MS;
/** Of the digest of a name that is not the configured one: enough to see that it is the same again. */
const DIGEST_CHARACTERS = 8;

export interface WrongCredentialsParts {
  /** The name of the event that tells of them. */
  readonly event: string;
  /** The user name that there is. */
  readonly username: string;
  readonly secrets: Pick<Secrets, 'mac'>;
  readonly logger: Logger;
  readonly monotonic?: MonotonicClock;
}

/**
 * Counts wrong credentials by address and by user name, and tells of them now and then. Who has right ones never comes here: behind one
 * address there may be a whole fleet beside the one that guesses.
 */
export class WrongCredentials {
  readonly #parts: WrongCredentialsParts;
  readonly #monotonic: MonotonicClock;
  readonly #byAddress = new MinuteCounts(KEYS_MAX);
  readonly #byName = new MinuteCounts(KEYS_MAX);
  readonly #log: Seldom;

  constructor(parts: WrongCredentialsParts) {
    this.#parts = parts;
    this.#monotonic = parts.monotonic ?? monotonicClock;
    this.#log = new Seldom(LOG_MS, this.#monotonic);
  }

  /** Whether an address is told to wait by now. */
  isTold(address: string): boolean {
    const count = this.#byAddress.get(networkOf(address), this.#monotonic());
    return count !== null && count.failures > WRONG_OF_ADDRESS_MAX;
  }

  /** @returns how many seconds whoever sent them is to wait, where there have been too many; else 0 */
  note(address: string, username: string, fields: LogFields = {}): number {
    const nowMs = this.#monotonic();
    const counted = [
      [this.#byAddress.open(networkOf(address), nowMs), WRONG_OF_ADDRESS_MAX],
      [this.#byName.open(username.slice(0, NAME_CHARACTERS_COUNTED), nowMs), WRONG_OF_NAME_MAX],
    ] as const;
    this.#tell(address, username, fields);
    const waits = counted.map(([count, max]) =>
      ++count.failures > max ? secondsUntil(count.untilMs, nowMs) : 0,
    );
    return Math.max(...waits);
  }

  /** What was typed as a name may be a password: it is told only where it is the right one. */
  #tell(address: string, name: string, fields: LogFields): void {
    const { event, username, secrets, logger } = this.#parts;
    const omitted = this.#log.admit(event);
    if (omitted === null) return;
    const isKnown = name === Buffer.from(username, 'utf8').toString('latin1');
    const digest = () =>
      secrets.mac('http-unknown-name', name).toString('base64url').slice(0, DIGEST_CHARACTERS);
    logger.warn(event, {
      ...(isKnown ? { user: username } : { unknownName: digest() }),
      ip: address,
      ...fields,
      ...(omitted > 0 && { omitted }),
    });
  }
}
