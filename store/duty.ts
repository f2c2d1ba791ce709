import { randomUUID } from 'node:crypto';
import { type Clock, type MonotonicClock, monotonicClock } from '../common/index.js';
import type { Store } from './collection.js';
import { type Lease, type Leases, openLeases } from './lease.js';

/** The lease is asked for again when this part of it is over: two rounds may fail before another process takes over. */
const RENEWED_AFTER = 1 / 3;

/**
 * Work that one process of an installation does at a time, for all of them; when it dies another takes over within the lease.
 * For rounds that may overlap once in a while, at a take-over: the lease is no condition of what they commit.
 *
 * @example const duty = new Duty({ store, clock, id: 'sweep', leaseMs: 15_000 }); if (await duty.isOurs()) await sweep()
 */
export class Duty {
  readonly #leases: Leases;
  readonly #clock: Clock;
  readonly #monotonic: MonotonicClock;
  readonly #id: string;
  readonly #leaseMs: number;
  readonly #holder = randomUUID();
  /** Two rounds may ask at once, and only one of two renewals goes through. */
  #asking: Promise<boolean> | null = null;
  #held: { readonly lease: Lease; readonly sinceMs: number; readonly atMs: number } | null = null;

  constructor(parts: {
    readonly store: Store;
    readonly clock: Clock;
    readonly monotonic?: MonotonicClock;
    readonly id: string;
    /** Longer than the time between two rounds. */
    readonly leaseMs: number;
  }) {
    this.#leases = openLeases(parts.store, parts.clock);
    this.#clock = parts.clock;
    this.#monotonic = parts.monotonic ?? monotonicClock;
    this.#id = parts.id;
    this.#leaseMs = parts.leaseMs;
  }

  /**
   * Whether this round is this process's; takes the lease where nobody has it, and renews it in time.
   * @throws StoreError
   */
  isOurs(): Promise<boolean> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  async #ask(): Promise<boolean> {
    const nowMs = this.#clock();
    const atMs = this.#monotonic();
    if (this.#held !== null) {
      // By both: others go by the wall's clock, which may have been set; and it stands still for nobody, as ours does in a sleep.
      const heldMs = Math.max(atMs - this.#held.atMs, Math.abs(nowMs - this.#held.sinceMs));
      if (heldMs < this.#leaseMs * RENEWED_AFTER) return true;
    }
    const lease = await this.#leases.acquire(this.#id, this.#holder, this.#leaseMs);
    this.#held = lease === null ? null : { lease, sinceMs: nowMs, atMs };
    return lease !== null;
  }

  /** Lets another process take over at once. */
  async release(): Promise<void> {
    const held = this.#held;
    this.#held = null;
    if (held !== null) await this.#leases.release(held.lease);
  }
}
