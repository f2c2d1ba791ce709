import {
  CLOCKS_APART_MS_MAX,
  type Clock,
  type Logger,
  type MonotonicClock,
  NONCE_MS_MAX,
  type NonceUse,
  SECOND_MS,
} from '../../common/index.js';
import {
  type Collection,
  type CollectionDefinition,
  type Document,
  Duty,
  type Store,
} from '../../store/index.js';
import type { NonceClaims } from './cpe-auth.js';

/** Ids begin with the time that their nonce was made, so that those whose nonce is over are found without an index. */
export const NONCES: CollectionDefinition = { name: 'cwmp-nonces', indexes: {}, passing: true };

const CLEANED_EVERY_MS = 30 * SECOND_MS;
/** When the process that cleans dies, another does soon after this. */
const LEASE_MS = 90 * SECOND_MS;
const PAGE = 500;
const TIME_DIGITS = 9;

/**
 * The nonces that have begun a session, of all processes that share a store: whoever says the same answer to another process is told that
 * it is stale. One small document for each, which goes when its nonce would not be good any more.
 */
export class StoredNonceClaims implements NonceClaims {
  readonly #nonces: Collection<Document>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #duty: Duty;
  readonly #cleaning: NodeJS.Timeout;
  #cleaned: Promise<void> = Promise.resolve();

  constructor(parts: {
    readonly store: Store;
    readonly clock: Clock;
    readonly monotonic: MonotonicClock;
    readonly logger: Logger;
  }) {
    const { store, clock, monotonic, logger } = parts;
    this.#nonces = store.collection(NONCES);
    this.#clock = clock;
    this.#logger = logger;
    this.#duty = new Duty({ store, clock, monotonic, id: NONCES.name, leaseMs: LEASE_MS });
    this.#cleaning = setInterval(() => {
      this.#cleaned = this.clean().catch((error: unknown) =>
        this.#logger.warn('cpe.nonces-not-cleaned', { error }),
      );
    }, CLEANED_EVERY_MS);
    this.#cleaning.unref();
  }

  async claim({ nonce, madeAtMs }: NonceUse): Promise<boolean> {
    return (await this.#nonces.insert({ id: `${timeText(madeAtMs)}-${nonce}` })) !== null;
  }

  /** Takes out those whose nonces are over on every process, where that is this process's to do. */
  async clean(): Promise<void> {
    if (!(await this.#duty.isOurs())) return;
    const below = timeText(this.#clock() - NONCE_MS_MAX - CLOCKS_APART_MS_MAX);
    let page = await this.#nonces.find({ below, limit: PAGE });
    for (;;) {
      // Side by side they share their flushes.
      await Promise.all(page.items.map(({ document }) => this.#nonces.delete(document.id)));
      if (page.next === null) return;
      page = await this.#nonces.find({ below, limit: PAGE, after: page.next });
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#cleaning);
    await this.#cleaned;
    await this.#duty.release();
  }
}

function timeText(timeMs: number): string {
  return Math.max(0, timeMs).toString(36).padStart(TIME_DIGITS, '0');
}
