import { SECOND_MS } from '../../common/index.js';
import { ApiError } from './api-error.js';
import { Shares } from './shares.js';

export interface PlacesOptions {
  /** In the plural, for the answer to who gets none. */
  readonly what: string;
  readonly perClientMax: number;
  readonly totalMax: number;
  /** How many of one client may wait for a place, and how long; without it nobody does. */
  readonly waiting?: { readonly perClientMax: number; readonly msMax: number };
  readonly retryAfterSeconds: number;
}

interface Waiting {
  readonly client: string;
  enter(): void;
}

/** What is dear enough that only so much of it may be under way, by client and in all. */
export class Places {
  readonly #options: PlacesOptions;
  readonly #taken: Shares;
  /** The one that has waited longest first. */
  readonly #waiting = new Set<Waiting>();

  constructor(options: PlacesOptions) {
    this.#options = options;
    this.#taken = new Shares(options.perClientMax, options.totalMax);
  }

  get taken(): number {
    return this.#taken.total;
  }

  /**
   * Does the work once there is a place for it.
   * @param over  aborted where nobody waits for the work any more: then it gets no place
   * @throws ApiError 429 where the client has too many under way, 503 where all together have
   * @throws the reason of `over`
   */
  async run<T>(client: string, over: AbortSignal, work: () => Promise<T>): Promise<T> {
    over.throwIfAborted();
    if (this.#taken.take(client, 1) !== null) await this.#wait(client, over);
    try {
      return await work();
    } finally {
      this.#taken.giveBack(client, 1);
      this.#letIn();
    }
  }

  /** Resolves with the place taken. */
  #wait(client: string, over: AbortSignal): Promise<void> {
    const { perClientMax = 0, msMax = 0 } = this.#options.waiting ?? {};
    if (this.#waitingOf(client) >= perClientMax) throw this.#refusal(client);
    return new Promise((resolve, reject) => {
      const end = (settle: () => void) => {
        this.#waiting.delete(waiting);
        clearTimeout(timer);
        over.removeEventListener('abort', onOver);
        settle();
      };
      const waiting: Waiting = { client, enter: () => end(resolve) };
      const onOver = () => end(() => reject(over.reason));
      const timer = setTimeout(() => end(() => reject(this.#refusal(client))), msMax);
      over.addEventListener('abort', onOver);
      this.#waiting.add(waiting);
    });
  }

  #waitingOf(client: string): number {
    let own = 0;
    for (const waiting of this.#waiting) if (waiting.client === client) own++;
    return own;
  }

  /** Whose client has least goes first; of those the one that has waited longest. */
  #letIn(): void {
    let next: Waiting | null = null;
    for (const waiting of this.#waiting) {
      if (this.#taken.exhausted(waiting.client, 1) !== null) continue;
      if (next === null || this.#taken.of(waiting.client) < this.#taken.of(next.client)) next = waiting;
    }
    if (next === null || this.#taken.take(next.client, 1) !== null) return;
    next.enter();
  }

  #refusal(client: string): ApiError {
    const { what, perClientMax, retryAfterSeconds, waiting } = this.#options;
    const own = this.#taken.of(client);
    const isOwn = own >= perClientMax;
    const forWhat = isOwn
      ? `yours, of which ${own} is under way, to end`
      : `one of the ${this.#taken.total} under way to end`;
    const waited =
      waiting === undefined ? '' : ` (a place was waited for up to ${waiting.msMax / SECOND_MS} seconds)`;
    const expected = `fewer ${what} at a time: wait for ${forWhat}${waited}`;
    return new ApiError(isOwn ? 429 : 503, [{ field: '', expected }], {
      'Retry-After': String(retryAfterSeconds),
    });
  }
}
