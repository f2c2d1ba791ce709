import { networkOf } from '../../common/index.js';
import type { NbiLimits } from '../limits.js';
import type { Principal } from '../users/index.js';
import { ApiError } from './api-error.js';
import { type Exhausted, Shares } from './shares.js';

const RETRY_AFTER_SECONDS = 5;

/** What asks for room. */
export interface Entering {
  /** See {@link clientOf}. */
  readonly client: string;
  /** The path of a route that has room of its own; null: that of all other calls. */
  readonly reservedFor: string | null;
  /** Whether nobody need log in for it. Such calls have room apart from that of users, who are not to wait for strangers. */
  readonly isOpen: boolean;
  /** The most that is held of the request's body at once. */
  readonly bodyBytes: number;
}

/** What a request has taken up; each part is given back once, however often that is asked for. */
export interface Admitted {
  /** Once the answer is out, or its client gone; of a route with room of its own, whose answers are small, once it is made. */
  leave(): void;
  /** Once nothing is held of the body any more. */
  dropBody(): void;
}

/** Who is counted: the user, or where there is none the address (of IPv6 the /64). */
export function clientOf(user: Pick<Principal, 'name'> | null, address: string): string {
  return user === null ? `at ${networkOf(address)}` : `user ${user.name}`;
}

/**
 * How many requests are under way, and how much of their bodies, by client and in all: a store that is slow to answer must not fill the
 * memory, and whoever takes all that one may leaves room for everybody else. What has room of its own is counted by route: the brake,
 * probes and metrics are there also while everything else is taken.
 */
export class Admission {
  readonly #limits: NbiLimits;
  readonly #requests: Shares;
  readonly #open: Shares;
  readonly #bodiesBytes: Shares;
  readonly #reserved = new Map<string, Shares>();
  #bodies = 0;

  constructor(limits: NbiLimits) {
    this.#limits = limits;
    this.#requests = new Shares(limits.requestsPerClientMax, limits.requestsMax);
    this.#open = new Shares(limits.requestsPerClientMax, limits.requestsMax);
    this.#bodiesBytes = new Shares(limits.bodiesBytesPerClientMax, limits.bodiesBytesMax);
  }

  /** How many requests have taken room that is not reserved, of users or on open routes. */
  get requests(): number {
    return this.#requests.total + this.#open.total;
  }

  /** How many have taken room of their own route. */
  get reserved(): number {
    let total = 0;
    for (const shares of this.#reserved.values()) total += shares.total;
    return total;
  }

  /** How many have taken room for a body. */
  get bodies(): number {
    return this.#bodies;
  }

  /** @throws ApiError 429 where the client has all that one may, 503 where there is no room at all */
  enter({ client, reservedFor, isOpen, bodyBytes }: Entering): Admitted {
    const shared = isOpen ? this.#open : this.#requests;
    const requests = reservedFor === null ? shared : this.#reservedFor(reservedFor);
    const bodies = reservedFor === null ? this.#bodiesBytes : null;
    const noPlace = requests.exhausted(client, 1);
    if (noPlace !== null) throw busy(noPlace, `fewer than ${maxOf(requests, noPlace)} requests`);
    const noBytes = bodies?.take(client, bodyBytes) ?? null;
    if (bodies !== null && noBytes !== null)
      throw busy(noBytes, `less than ${maxOf(bodies, noBytes)} bytes of bodies`);
    requests.take(client, 1);
    const leave = once(() => requests.giveBack(client, 1));
    if (bodies === null || bodyBytes === 0) return { leave, dropBody() {} };
    this.#bodies++;
    const dropBody = once(() => {
      bodies.giveBack(client, bodyBytes);
      this.#bodies--;
    });
    return { leave, dropBody };
  }

  #reservedFor(route: string): Shares {
    let shares = this.#reserved.get(route);
    if (shares === undefined) {
      const { reservedPerClientMax, reservedMax } = this.#limits;
      shares = new Shares(reservedPerClientMax, reservedMax);
      this.#reserved.set(route, shares);
    }
    return shares;
  }
}

function maxOf({ perClientMax, totalMax }: Shares, exhausted: Exhausted): number {
  return exhausted === 'own' ? perClientMax : totalMax;
}

function once(act: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) act();
    isDone = true;
  };
}

function busy(exhausted: Exhausted, what: string): ApiError {
  const [status, whose] = exhausted === 'own' ? ([429, ' of yours'] as const) : ([503, ''] as const);
  return new ApiError(
    status,
    [{ field: '', code: 'busy', expected: `${what}${whose} under way: try again later` }],
    { 'Retry-After': String(RETRY_AFTER_SECONDS) },
  );
}
