import type { Socket } from 'node:net';
import { addressOf, networkOf } from '../common/index.js';

export interface ConnectionBounds {
  readonly inAllMax: number;
  /** Of one address, or one /64 of IPv6. */
  readonly perAddressMax: number;
  /** Whether an address speaks for many clients, as proxies do: these have no bound of their own. */
  readonly isShared: (address: string) => boolean;
}

/** A request, while it is under way. */
export interface RequestUnderWay {
  /** Whether it is known by now that it comes from somebody who has logged in. */
  readonly hasLoggedIn: () => boolean;
}

/** Addresses that are remembered as having logged in; the ones that have not for longest are forgotten. */
const KNOWN_ADDRESSES_MAX = 1_000;

interface Connection {
  readonly socket: Socket;
  readonly origin: string;
  request: RequestUnderWay | null;
}

/**
 * Which connections there are, and which of them goes where there are too many. None goes while something is done on it for somebody who has
 * logged in. So whoever opens many without logging in closes their own, and the brake finds a way in.
 */
export class Connections {
  readonly #bounds: ConnectionBounds;
  readonly #close: (socket: Socket, reason: 'made-room' | 'too-many-connections') => void;
  /** The oldest first, here and for each origin. */
  readonly #all = new Map<Socket, Connection>();
  readonly #byOrigin = new Map<string, Set<Connection>>();
  readonly #known = new Set<string>();

  /** @param close  closes a connection at once */
  constructor(
    bounds: ConnectionBounds,
    close: (socket: Socket, reason: 'made-room' | 'too-many-connections') => void,
  ) {
    this.#bounds = bounds;
    this.#close = close;
  }

  get size(): number {
    return this.#all.size;
  }

  /** A connection has been made: it, or another in its place, is closed where there are too many. */
  opened(socket: Socket): void {
    const address = addressOf(socket);
    const connection: Connection = { socket, origin: networkOf(address), request: null };
    const { inAllMax, perAddressMax, isShared } = this.#bounds;
    const ofOrigin = this.#byOrigin.get(connection.origin) ?? new Set();
    const hasRoom =
      (ofOrigin.size < perAddressMax || isShared(address) || this.#makeRoom(ofOrigin, connection)) &&
      (this.#all.size < inAllMax || this.#makeRoom(this.#all.values(), connection));
    if (!hasRoom) {
      this.#close(socket, 'too-many-connections');
      return;
    }
    this.#all.set(socket, connection);
    ofOrigin.add(connection);
    this.#byOrigin.set(connection.origin, ofOrigin);
    socket.once('close', () => this.#forget(connection));
  }

  /** @returns to be called once its answer is out */
  began(socket: Socket, request: RequestUnderWay): () => void {
    const connection = this.#all.get(socket);
    if (connection === undefined) return () => {};
    connection.request = request;
    return () => {
      connection.request = null;
      if (request.hasLoggedIn()) this.#remember(connection.origin);
    };
  }

  /** @returns false where none of these may go */
  #makeRoom(among: Iterable<Connection>, newcomer: Connection): boolean {
    const isKnown = this.#known.has(newcomer.origin);
    let chosen: Connection | null = null;
    let chosenWorth = isKnown ? WORTH_OF_THE_KNOWN + WORTH_OF_A_REQUEST + 1 : WORTH_OF_THE_KNOWN + 1;
    for (const connection of among) {
      const worth = this.#worthOf(connection);
      if (worth >= chosenWorth) continue;
      chosen = connection;
      chosenWorth = worth;
    }
    if (chosen === null) return false;
    // Its 'close' comes later, and there may be another newcomer before.
    this.#forget(chosen);
    this.#close(chosen.socket, 'made-room');
    return true;
  }

  /** The least goes first: where nothing is under way; and before the addresses that have logged in, the others. */
  #worthOf({ request, origin }: Connection): number {
    if (request?.hasLoggedIn() === true) return Number.POSITIVE_INFINITY;
    return (this.#known.has(origin) ? WORTH_OF_THE_KNOWN : 0) + (request === null ? 0 : WORTH_OF_A_REQUEST);
  }

  #forget(connection: Connection): void {
    if (this.#all.get(connection.socket) !== connection) return;
    this.#all.delete(connection.socket);
    const ofOrigin = this.#byOrigin.get(connection.origin);
    ofOrigin?.delete(connection);
    if (ofOrigin?.size === 0) this.#byOrigin.delete(connection.origin);
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
