import type { Socket } from 'node:net';
import {
  addressOf,
  type FairConnectionsOptions,
  type MonotonicClock,
  monotonicClock,
  networkOf,
  SECOND_MS,
  type Spare,
} from '../common/index.js';

export type ConnectionBounds = Required<Omit<FairConnectionsOptions, 'spare' | 'entrance'>>;

/** A request, while it is under way. */
export interface RequestUnderWay {
  /** Whether it is known by now that it comes from somebody who has logged in. */
  readonly hasLoggedIn: () => boolean;
  /** Whether it has a place among the requests of such a one, and not just an answer that says why not. */
  readonly hasPlace: () => boolean;
}

/**
 * So often may connections of an address where nobody has logged in be cut off for pipelining; then it is kept out until it has not done so for
 * as long. One packet of such requests has a thousand, and all of them are read before anything can be closed.
 */
const PIPELINED_MAX = 3;
const KEPT_OUT_MS = 10 * SECOND_MS;
/** Addresses that are remembered as having pipelined. */
const PIPELINING_ADDRESSES_MAX = 1_000;
/** Addresses that are remembered as having logged in; the ones that have not for longest are forgotten. */
const KNOWN_ADDRESSES_MAX = 1_000;

/**
 * Which connections may go where there are too many: none while something is done on it for somebody who has logged in. So whoever opens
 * many without logging in closes their own, and the brake finds a way in. How much is done for one user is bounded elsewhere, and the rest
 * is a matter of shares (`common/fair-connections.ts`).
 */
export class SpareConnections implements Spare {
  readonly #requests = new WeakMap<Socket, RequestUnderWay>();
  readonly #known = new Set<string>();
  /** How often each address has pipelined, and when it did last; the ones that have not for longest first. */
  readonly #pipelined = new Map<string, { readonly times: number; readonly lastMs: number }>();
  readonly #monotonic: MonotonicClock;

  constructor(monotonic: MonotonicClock = monotonicClock) {
    this.#monotonic = monotonic;
  }

  /** @returns to be called once its answer is out */
  began(socket: Socket, request: RequestUnderWay): () => void {
    // Not later: a connection that has ended does not say where it came from.
    const origin = networkOf(addressOf(socket));
    this.#requests.set(socket, request);
    return () => {
      this.#requests.delete(socket);
      if (request.hasLoggedIn()) this.#remember(origin);
    };
  }

  /** The least goes first: where nothing is under way; and before the addresses that have logged in, the others. */
  worthOf(socket: Socket, network: string): number {
    const request = this.#requests.get(socket);
    if (request?.hasPlace() === true) return Number.POSITIVE_INFINITY;
    return (
      (this.#known.has(network) ? WORTH_OF_THE_KNOWN : 0) + (request === undefined ? 0 : WORTH_OF_A_REQUEST)
    );
  }

  /** For a stranger none goes on which anything is done for an address that has logged in. */
  worthBeforeWhichGoes(newcomer: string): number {
    return WORTH_OF_THE_KNOWN + 1 + (this.#known.has(newcomer) ? WORTH_OF_A_REQUEST : 0);
  }

  /** To be told of each connection that is cut off for it. */
  pipelined(network: string): void {
    const before = this.#pipelined.get(network);
    this.#pipelined.delete(network);
    const nowMs = this.#monotonic();
    const times = before !== undefined && nowMs - before.lastMs < KEPT_OUT_MS ? before.times + 1 : 1;
    this.#pipelined.set(network, { times, lastMs: nowMs });
    if (this.#pipelined.size <= PIPELINING_ADDRESSES_MAX) return;
    const [oldest] = this.#pipelined.keys();
    if (oldest !== undefined) this.#pipelined.delete(oldest);
  }

  isKeptOut(network: string): boolean {
    const pipelined = this.#pipelined.get(network);
    if (pipelined === undefined || pipelined.times < PIPELINED_MAX || this.#known.has(network)) return false;
    return this.#monotonic() - pipelined.lastMs < KEPT_OUT_MS;
  }

  isKnown(network: string): boolean {
    return this.#known.has(network);
  }

  #remember(origin: string): void {
    this.#known.delete(origin);
    this.#known.add(origin);
    if (this.#known.size <= KNOWN_ADDRESSES_MAX) return;
    const [oldest] = this.#known;
    if (oldest !== undefined) this.#known.delete(oldest);
  }
}

const WORTH_OF_A_REQUEST = 1;
const WORTH_OF_THE_KNOWN = 2;
