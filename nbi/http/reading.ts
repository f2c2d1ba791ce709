import { Background, SECOND_MS, type Turn } from '../../common/index.js';
import type { NbiLimits } from '../limits.js';
import { Held } from './held.js';
import { Places } from './places.js';
import type { Exchange } from './route.js';
import { Shares } from './shares.js';

const RETRY_AFTER_SECONDS = 10;
/** While CPEs have work for all of a processor, readers have a tenth of it: a list can wait. */
const OTHERS_WEIGHT = 9;

/** By what an answer is made. */
export interface Means {
  /** When each page is read. */
  readonly turn: Turn;
  /** Counts what is held of the answer while its client has not taken it. */
  readonly held: Held;
  /** Whether it has a place, and so may be of any length as long as it is read while it is sent. */
  readonly hasPlace: boolean;
}

/**
 * How a storage is read for lists, and for whatever else may have to look at all of it: so many reads of one user and in all, and all of
 * them in the background, page by page. One is made for all APIs.
 */
export class Reading {
  readonly #background = new Background({ othersWeight: OTHERS_WEIGHT });
  readonly #places: Places;
  readonly #unreadBytes: Shares;

  constructor(limits: NbiLimits) {
    this.#places = new Places({
      what: 'lists',
      perClientMax: limits.listsPerUserMax,
      totalMax: limits.listsAtATime,
      waiting: { perClientMax: limits.requestsPerClientMax, msMax: limits.waitSecondsMax * SECOND_MS },
      retryAfterSeconds: RETRY_AFTER_SECONDS,
    });
    this.#unreadBytes = new Shares(limits.unreadBytesPerClientMax, limits.unreadBytesMax);
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
    return this.#places.run(user?.name ?? '', over, () => read(this.turn({ user, over })));
  }

  /** The same for what changes entries on the way: once it has begun it goes on also where nobody waits for the answer any more. */
  change(
    { user, over }: Pick<Exchange, 'user' | 'over'>,
    change: (turn: Turn) => Promise<void>,
  ): Promise<void> {
    const client = user?.name ?? '';
    const turn: Turn = (work) => this.#background.turn(client, work);
    return this.#places.run(client, over, () => change(turn));
  }

  /**
   * For answers that need no place where they are short and their clients take them: what is held of them is counted, and where that
   * is too much the answer is made again, in a place.
   * @param isShort  whether it looks at no more than a page or so
   * @param send  makes and sends the answer; false, and nothing sent, where it must have a place
   * @throws ApiError as {@link long}
   */
  async answer(
    exchange: Pick<Exchange, 'user' | 'over'>,
    isShort: boolean,
    send: (means: Means) => Promise<boolean>,
  ): Promise<void> {
    const sending = async (turn: Turn, hasPlace: boolean): Promise<boolean> => {
      const held = new Held(this.#unreadBytes, exchange.user?.name ?? '');
      try {
        return await send({ turn, held, hasPlace });
      } finally {
        held.drop();
      }
    };
    if (isShort && (await sending(this.turn(exchange), false))) return;
    await this.long(exchange, (turn) => sending(turn, true));
  }

  /** For what looks at no more than a page or so: it needs no place. */
  turn({ user, over }: Pick<Exchange, 'user' | 'over'>): Turn {
    return async (work) => {
      over.throwIfAborted();
      return this.#background.turn(user?.name ?? '', () => {
        over.throwIfAborted();
        return work();
      });
    };
  }
}
