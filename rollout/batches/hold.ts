import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { type BatchId, type Clock, type Logger, Rounds, SECOND_MS } from '../../common/index.js';
import { type Change, type Lease, openLeases, type Store } from '../../store/index.js';

/** So long after its process died somebody else goes on with a batch. */
const HOLD_MS = 60 * SECOND_MS;
/** By a timer, whatever is being done meanwhile: a list may take minutes to bring the next CPE. */
const RENEWED_EVERY_MS = HOLD_MS / 4;

/** Whoever asks for a batch that a round has in hand need not come again for that. */
const TRIES_MAX = 20;
const TRY_AGAIN_MS = 100;

/** The right to write portions of one batch: one at a time has it, on all nodes. */
export class Hold {
  readonly #renewing: Rounds;
  readonly #acquire: () => Promise<Lease | null>;
  readonly #release: (lease: Lease) => Promise<void>;
  #lease: Lease;
  #renewal: Promise<void> | null = null;

  private constructor(
    lease: Lease,
    acquire: () => Promise<Lease | null>,
    release: (lease: Lease) => Promise<void>,
    renewedEveryMs: number,
  ) {
    this.#lease = lease;
    this.#acquire = acquire;
    this.#release = release;
    // Where it cannot be renewed it runs out, and then commits that rest on it are refused.
    this.#renewing = new Rounds({ everyMs: renewedEveryMs, run: () => this.#renew().catch(() => {}) });
  }

  /**
   * @param renewedEveryMs  for tests
   * @returns null where somebody else has it
   * @throws StoreError
   */
  static async take(
    { store, clock, logger }: { readonly store: Store; readonly clock: Clock; readonly logger: Logger },
    batch: BatchId,
    renewedEveryMs = RENEWED_EVERY_MS,
  ): Promise<Hold | null> {
    const leases = openLeases(store, clock);
    const holder = randomUUID();
    const acquire = () => leases.acquire(`batch:${batch}`, holder, HOLD_MS);
    const lease = await acquire();
    if (lease === null) return null;
    const release = (held: Lease) =>
      // Where the store fails it runs out by itself.
      leases.release(held).catch((error: unknown) => logger.warn('batches.not-released', { batch, error }));
    return new Hold(lease, acquire, release, renewedEveryMs);
  }

  /** The same, where somebody else may have it for a moment. */
  static async takeSoon(parts: Parameters<typeof Hold.take>[0], batch: BatchId): Promise<Hold | null> {
    for (let tries = 1; tries < TRIES_MAX; tries++) {
      const hold = await Hold.take(parts, batch);
      if (hold !== null) return hold;
      await setTimeout(TRY_AGAIN_MS);
    }
    return Hold.take(parts, batch);
  }

  /** Refuses a commit once somebody else has it. Renewing moves it: a commit that was refused by this may be tried again with the next. */
  get held(): Change {
    return this.#lease.held;
  }

  /**
   * Whether a commit was refused as somebody else has it.
   * @param held  as {@link held} was when it went into that commit
   * @throws StoreError where nobody can tell
   */
  async isLost(held: Change, refused: Change | null): Promise<boolean> {
    if (refused !== held || this.held !== held) return false;
    // A renewal may be stored already, and not be known here yet.
    await this.#renew();
    return this.held === held;
  }

  async release(): Promise<void> {
    await this.#renewing.stop();
    await this.#release(this.#lease);
  }

  #renew(): Promise<void> {
    this.#renewal ??= this.#renewed().finally(() => {
      this.#renewal = null;
    });
    return this.#renewal;
  }

  async #renewed(): Promise<void> {
    this.#lease = (await this.#acquire()) ?? this.#lease;
  }
}
