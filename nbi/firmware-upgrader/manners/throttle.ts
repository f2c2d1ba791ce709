import { type MonotonicClock, secondsUntil } from '../../../common/index.js';

interface ThrottleOptions {
  /** Requests of one client in a window; 0: as many as it likes. */
  readonly requestsMax: number;
  readonly windowMs: number;
  /** Clients remembered; the one that came longest ago is forgotten first. */
  readonly clientsMax: number;
  readonly monotonic: MonotonicClock;
}

/** So many requests of one client within any while, in this process. What is refused does not count. */
export class RequestThrottle {
  readonly #options: ThrottleOptions;
  /** When each of the last requests came, the oldest first. */
  readonly #requests = new Map<string, number[]>();

  constructor(options: ThrottleOptions) {
    this.#options = options;
  }

  /** Takes a request. @returns null; where it is one too many, in how many whole seconds there is room for one */
  admit(client: string): number | null {
    const { requestsMax, windowMs, clientsMax, monotonic } = this.#options;
    if (requestsMax === 0) return null;
    const nowMs = monotonic();
    const came = (this.#requests.get(client) ?? []).filter((atMs) => atMs > nowMs - windowMs);
    this.#requests.delete(client);
    this.#requests.set(client, came);
    const [oldest] = this.#requests.keys();
    if (this.#requests.size > clientsMax && oldest !== undefined) this.#requests.delete(oldest);
    const [first = nowMs] = came;
    if (came.length >= requestsMax) return secondsUntil(first + windowMs, nowMs);
    came.push(nowMs);
    return null;
  }
}
