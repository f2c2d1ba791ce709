import { randomUUID } from 'node:crypto';
import type { Clock } from '../common/index.js';
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
  readonly #id: string;
  readonly #leaseMs: number;
  readonly #holder = randomUUID();
  #held: { readonly lease: Lease; readonly sinceMs: number } | null = null;

  constructor(parts: {
    readonly store: Store;
    readonly clock: Clock;
    readonly id: string;
    /** Longer than the time between two rounds. */
    readonly leaseMs: number;
  }) {
    this.#leases = openLeases(parts.store, parts.clock);
    this.#clock = parts.clock;
    this.#id = parts.id;
    this.#leaseMs = parts.leaseMs;
  }

  /**
   * Whether this round is this process's; takes the lease where nobody has it, and renews it in time.
   * @throws StoreError
   */
  async isOurs(): Promise<boolean> {
    const nowMs = this.#clock();
    const heldMs = this.#held === null ? Number.POSITIVE_INFINITY : nowMs - this.#held.sinceMs;
    if (heldMs >= 0 && heldMs < this.#leaseMs * RENEWED_AFTER) return true;
    const lease = await this.#leases.acquire(this.#id, this.#holder, this.#leaseMs);
    this.#held = lease === null ? null : { lease, sinceMs: nowMs };
    return lease !== null;
  }

  /** Lets another process take over at once. */
  async release(): Promise<void> {
    const held = this.#held;
    this.#held = null;
    if (held !== null) await this.#leases.release(held.lease);
  }
}
