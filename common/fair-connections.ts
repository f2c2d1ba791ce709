import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { networkOf } from './addresses.js';
import { addressOf, type RefusedRequests } from './refused-requests.js';

export interface FairConnectionsOptions {
  readonly inAllMax: number;
  /** Whether an address speaks for many clients, as proxies do: none of its connections makes room for another client's. */
  readonly isShared: (address: string) => boolean;
}

/**
 * Bounds the connections of a server in all. A whole fleet may come from one address, so no address has a bound of its own; but where
 * all are taken the one that has most of them makes room for one that has fewer, by its oldest, which has had the most time. So whoever
 * takes all keeps nobody out but those behind the same address.
 */
export function shareConnections(
  server: Server,
  { inAllMax, isShared }: FairConnectionsOptions,
  refused: Pick<RefusedRequests, 'cutOff'>,
): void {
  const origins = new Origins();
  server.on('connection', (socket) => {
    const address = addressOf(socket);
    const origin = origins.find(networkOf(address), isShared(address));
    if (origins.connections >= inAllMax) {
      const [oldest] = origins.largerBy(2, origin)?.sockets ?? [];
      if (oldest === undefined) {
        refused.cutOff(socket, 'too-many-connections');
        return;
      }
      // Its 'close' comes later, and there may be another newcomer before.
      origins.remove(oldest);
      refused.cutOff(oldest, 'made-room');
    }
    origins.add(origin, socket);
    socket.once('close', () => origins.remove(socket));
  });
}

/** One address, or one /64 of IPv6, with its connections, the oldest first. */
interface Origin {
  readonly network: string;
  readonly sockets: Set<Socket>;
  readonly isShared: boolean;
}

/** Who has how many, in constant time whatever comes and goes. */
class Origins {
  readonly #byNetwork = new Map<string, Origin>();
  readonly #bySocket = new Map<Socket, Origin>();
  /** Those that may have to make room, by how many they have. */
  readonly #bySize = new Map<number, Set<Origin>>();
  #sizeMost = 0;

  get connections(): number {
    return this.#bySocket.size;
  }

  find(network: string, isShared: boolean): Origin {
    return this.#byNetwork.get(network) ?? { network, sockets: new Set(), isShared };
  }

  /** One of those that have most; null where that is not `more` than `origin` has. */
  largerBy(more: number, origin: Origin): Origin | null {
    if (this.#sizeMost < origin.sockets.size + more) return null;
    const [largest] = this.#bySize.get(this.#sizeMost) ?? [];
    return largest ?? null;
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
