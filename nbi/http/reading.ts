import { Background, SECOND_MS, type Turn } from '../../common/index.js';
import type { NbiLimits } from '../limits.js';
import { Places } from './places.js';
import type { Exchange } from './route.js';

const RETRY_AFTER_SECONDS = 10;

/**
 * How a storage is read for lists, and for whatever else may have to look at all of it: so many reads of one user and in all, and all of
 * them in the background, page by page. One is made for all APIs.
 */
export class Reading {
  readonly #background = new Background();
  readonly #places: Places;

  constructor(limits: NbiLimits) {
    this.#places = new Places({
      what: 'lists',
      perClientMax: limits.listsPerUserMax,
      totalMax: limits.listsAtATime,
      waiting: { perClientMax: limits.requestsPerClientMax, msMax: limits.listWaitSecondsMax * SECOND_MS },
      retryAfterSeconds: RETRY_AFTER_SECONDS,
    });
  }

  /** Reads under way that may be long. */
  get underWay(): number {
    return this.#places.taken;
  }

  /**
   * For what may look at any number of entries.
   * @param read  is to read every page at the turn it is handed, which also ends it once nobody waits for the answer
   * @throws ApiError 429, 503 where no place was free for as long as a request may wait
   */
  long<T>({ user, over }: Pick<Exchange, 'user' | 'over'>, read: (turn: Turn) => Promise<T>): Promise<T> {
    return this.#places.run(user?.name ?? '', over, () => read(this.turn(over)));
  }

  /** The same for what changes entries on the way: once it has begun it goes on also where nobody waits for the answer any more. */
  change(
    { user, over }: Pick<Exchange, 'user' | 'over'>,
    change: (turn: Turn) => Promise<void>,
  ): Promise<void> {
    return this.#places.run(user?.name ?? '', over, () => change(this.#background.turn));
  }

  /** For what looks at no more than a page or so: it needs no place. */
  turn(over: AbortSignal): Turn {
    return async (work) => {
      over.throwIfAborted();
      return this.#background.turn(() => {
        over.throwIfAborted();
        return work();
      });
    };
  }
}
