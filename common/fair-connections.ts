import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { networkOf } from './addresses.js';
import { refuseEarly } from './early-refusal.js';
import type { Entrance } from './entrance.js';
import { addressOf, answerUnderWay, type RefusalReason, type RefusedRequests } from './refused-requests.js';

export interface FairConnectionsOptions {
  readonly inAllMax: number;
  /** Of one address, or one /64 of IPv6. Default: as many as there are. */
  readonly perAddressMax?: number;
  /** Whether an address speaks for many clients, as proxies do: it has no bound of its own, and no share by which it makes room. */
  readonly isShared: (address: string) => boolean;
  /** What may go for a newcomer before anybody's share is looked at. Default: nothing. */
  readonly spare?: Spare;
  /** In which connections are served, each address in its turn, beside what must not wait. Nothing is read of one before. Default: at once. */
  readonly entrance?: Pick<Entrance, 'wait' | 'waitingOf'>;
}

/** How dear connections are. The cheapest that may go goes first; of those that are as dear, the oldest. */
export interface Spare {
  /** @param network  where it comes from, see `networkOf` */
  worthOf(socket: Socket, network: string): number;
  /** What is cheaper than this may go for a newcomer from that network. */
  worthBeforeWhichGoes(newcomer: string): number;
  /**
   * Whether somebody from there has logged in. Then a newcomer, where its network has all that one may, takes the place of another of its own.
   * Else it is closed, which costs next to nothing: whoever opens thousands must not have each of them answered for a moment, one in the
   * place of the other. And those who are known wait in a line of their own.
   */
  isKnown(network: string): boolean;
  /** Whether newcomers from there are closed at once for what others from there have done. */
  isKeptOut(network: string): boolean;
}

/** The connections of a server, shared out. */
export interface SharedConnections {
  /** Closes all that there are from a network, unless it speaks for many. */
  keepOut(network: string): void;
}

/**
 * Bounds the connections of a server, to be called before it has other listeners of its connections than its own: of those that are closed at
 * once it never hears. Where all are taken, room is made by what may go freely; where there is no such thing, by the
 * address that has most, for one that has fewer, and by its oldest, which has had the most time; and where each has but one, by the
 * oldest on which no request is under way, for an address that has none. A whole fleet may come from one address, so that none need
 * have a bound of its own.
 */
export function shareConnections(
  server: Server,
  { inAllMax, perAddressMax = Number.POSITIVE_INFINITY, isShared, spare, entrance }: FairConnectionsOptions,
  refused: Pick<RefusedRequests, 'cutOff' | 'turnedAway'>,
): SharedConnections {
  const origins = new Origins();
  /** Without a look at other connections; null: that is not known yet. */
  const refusalOf = (network: string, speaksForMany: () => boolean): RefusalReason | null => {
    if (spare?.isKeptOut(network) === true) return speaksForMany() ? null : 'kept-out';
    const hasAll =
      (origins.sizeOf(network) >= perAddressMax && spare?.isKnown(network) !== true) ||
      (entrance?.waitingOf(network) ?? 0) >= WAITING_OF_ONE_MAX;
    return hasAll && !speaksForMany() ? 'too-many-connections' : null;
  };
  const makeRoom = (chosen: Socket | null): boolean => {
    if (chosen === null) return false;
    // Its 'close' comes later, and there may be another newcomer before.
    origins.remove(chosen);
    refused.cutOff(chosen, 'made-room');
    return true;
  };
  const isAdmitted = (socket: Socket): boolean => {
    const address = addressOf(socket);
    const speaksForMany = isShared(address);
    const origin = origins.find(networkOf(address), speaksForMany);
    const cheapest = (among: Iterable<Held>) =>
      spare === undefined ? null : cheapestOf(among, origin, spare);
    const reason = refusalOf(origin.network, () => speaksForMany);
    if (reason !== null) {
      refused.cutOff(socket, reason);
      return false;
    }
    const hasRoom =
      (origin.sockets.size < perAddressMax || speaksForMany || makeRoom(cheapest(heldBy(origin)))) &&
      (origins.connections < inAllMax || makeRoom(cheapest(origins.all()) ?? origins.leastMissed(origin)));
    if (!hasRoom) {
      refused.cutOff(socket, 'too-many-connections');
      return false;
    }
    origins.add(origin, socket);
    socket.once('close', () => origins.remove(socket));
    return true;
  };
  refuseEarly(server, (address) => {
    const reason = refusalOf(networkOf(address), () => isShared(address));
    if (reason !== null) refused.turnedAway(reason, address);
    return reason !== null;
  });
  const serving = server.listeners('connection');
  server.removeAllListeners('connection');
  const serve = (socket: Socket) => {
    for (const each of serving) each.call(server, socket);
  };
  if (entrance !== undefined) Object.assign(server, { pauseOnConnect: true });
  server.on('connection', (socket) => {
    if (!isAdmitted(socket)) return;
    if (entrance === undefined) {
      serve(socket);
      return;
    }
    const network = networkOf(addressOf(socket));
    const leave = entrance.wait(network, spare?.isKnown(network) === true, () => {
      if (!server.listening) socket.destroy();
      if (socket.destroyed) return;
      serve(socket);
      socket.resume();
    });
    socket.once('close', leave);
  });
  return {
    keepOut(network) {
      for (const socket of origins.of(network)) refused.cutOff(socket, 'kept-out');
    },
  };
}

/** One address, or one /64 of IPv6, with its connections, the oldest first. */
interface Origin {
  readonly network: string;
  readonly sockets: Set<Socket>;
  readonly isShared: boolean;
}

type Held = readonly [Socket, Origin];

function* heldBy(origin: Origin): Iterable<Held> {
  for (const socket of origin.sockets) yield [socket, origin];
}

/** Of the oldest few that may go; where none of them may, the first that does. */
function cheapestOf(among: Iterable<Held>, { network }: Origin, spare: Spare): Socket | null {
  let chosen: Socket | null = null;
  let worthBefore = spare.worthBeforeWhichGoes(network);
  let looked = 0;
  for (const [socket, origin] of among) {
    if (++looked > COMPARED_MAX && chosen !== null) break;
    const worth = spare.worthOf(socket, origin.network);
    if (worth >= worthBefore) continue;
    chosen = socket;
    worthBefore = worth;
  }
  return chosen;
}

/** So many of one network may wait to be let in: those that come first are answered sooner than those that keep coming in their place. */
const WAITING_OF_ONE_MAX = 100;
/** A newcomer among a thousand connections is not to compare all of them. */
const COMPARED_MAX = 50;
/** Of a newcomer's time: where more are being answered than this the next newcomer looks at others. */
const LOOKED_AT_MAX = 100;

/** Who has how many, in constant time whatever comes and goes. */
class Origins {
  readonly #byNetwork = new Map<string, Origin>();
  /** The oldest first, but for those that {@link leastMissed} has found at work. */
  readonly #bySocket = new Map<Socket, Origin>();
  /** Those that may have to make room, by how many they have. */
  readonly #bySize = new Map<number, Set<Origin>>();
  #sizeMost = 0;

  get connections(): number {
    return this.#bySocket.size;
  }

  sizeOf(network: string): number {
    return this.#byNetwork.get(network)?.sockets.size ?? 0;
  }

  all(): Iterable<Held> {
    return this.#bySocket;
  }

  find(network: string, isShared: boolean): Origin {
    return this.#byNetwork.get(network) ?? { network, sockets: new Set(), isShared };
  }

  /** All of a network that does not speak for many. */
  of(network: string): readonly Socket[] {
    const origin = this.#byNetwork.get(network);
    return origin === undefined || origin.isShared ? [] : [...origin.sockets];
  }

  /** Which connection goes for a newcomer, by who has how many; null: none. */
  leastMissed(newcomer: Origin): Socket | null {
    const [largest] = this.#bySize.get(this.#sizeMost) ?? [];
    // With one more the newcomer would have as many as any other, and be closed in turn.
    if (largest !== undefined && this.#sizeMost >= newcomer.sockets.size + 2) return firstOf(largest.sockets);
    return newcomer.sockets.size === 0 ? this.#oldestIdle() : null;
  }

  /** What is at work goes behind all others, so that the next newcomer does not look at it again. */
  #oldestIdle(): Socket | null {
    let left = Math.min(LOOKED_AT_MAX, this.#bySocket.size);
    for (const [socket, origin] of this.#bySocket) {
      if (left-- === 0) return null;
      if (!origin.isShared && answerUnderWay(socket) === null) return socket;
      this.#bySocket.delete(socket);
      this.#bySocket.set(socket, origin);
    }
    return null;
  }

  add(origin: Origin, socket: Socket): void {
    this.#byNetwork.set(origin.network, origin);
    this.#bySocket.set(socket, origin);
    this.#resize(origin, () => origin.sockets.add(socket));
  }

  remove(socket: Socket): void {
    const origin = this.#bySocket.get(socket);
    if (origin === undefined) return;
    this.#bySocket.delete(socket);
    this.#resize(origin, () => origin.sockets.delete(socket));
    if (origin.sockets.size === 0) this.#byNetwork.delete(origin.network);
  }

  #resize(origin: Origin, change: () => void): void {
    const before = origin.sockets.size;
    change();
    if (origin.isShared) return;
    const after = origin.sockets.size;
    const left = this.#bySize.get(before);
    left?.delete(origin);
    if (left?.size === 0) this.#bySize.delete(before);
    if (after > 0) {
      const joined = this.#bySize.get(after) ?? new Set();
      this.#bySize.set(after, joined.add(origin));
    }
    // Sizes change by one.
    if (after > this.#sizeMost) this.#sizeMost = after;
    else if (before === this.#sizeMost && !this.#bySize.has(before)) this.#sizeMost = after;
  }
}

function firstOf<T>(all: Iterable<T>): T | null {
  for (const each of all) return each;
  return null;
}
