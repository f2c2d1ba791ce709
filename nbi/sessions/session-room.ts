import {
  CLOCKS_APART_MS_MAX,
  type Clock,
  type MonotonicClock,
  monotonicClock,
  SECOND_MS,
} from '../../common/index.js';
import type { Collection, FindQuery } from '../../store/index.js';
import type { UserSession } from './user-session.js';

/** What is over does no harm where it lies: it is purged by log-ins, which alone make more of it. */
const PURGED_AFTER_MS = 10 * SECOND_MS;
const PAGE_ITEMS = 500;

export interface SessionRoomParts {
  readonly sessions: Collection<UserSession>;
  readonly clock: Clock;
  readonly monotonic?: MonotonicClock;
  readonly inAllMax: number;
  /** Of the kind that may be without a request for the longest time: what is older is over, of whatever kind it is. */
  readonly idleMsMax: number;
}

/** Sees to it that no more sessions are kept than there may be. */
export class SessionRoom {
  readonly #parts: SessionRoomParts;
  #counted: { readonly atMs: number; count: number } | null = null;

  constructor(parts: SessionRoomParts) {
    this.#parts = parts;
  }

  /** Purges what is over, and what is too much, now and then and before there could be too many. */
  async make(): Promise<void> {
    const { sessions, clock, monotonic = monotonicClock, inAllMax, idleMsMax } = this.#parts;
    const atMs = monotonic();
    const known = this.#counted;
    if (known !== null && atMs - known.atMs < PURGED_AFTER_MS && known.count < inAllMax) {
      known.count++;
      return;
    }
    const nowMs = clock();
    await this.#removeAll({ below: nowMs - idleMsMax });
    await this.#removeAll({ atLeast: nowMs + CLOCKS_APART_MS_MAX + 1 });
    const count = await sessions.count();
    const surplus = Math.max(0, count - (inAllMax - 1));
    if (surplus > 0) await this.#removeAll({}, surplus);
    this.#counted = { atMs, count: count - surplus + 1 };
  }

  /** Those used longest ago first, of a range of times. */
  async #removeAll(
    range: Pick<FindQuery, 'atLeast' | 'below'>,
    atMost = Number.POSITIVE_INFINITY,
  ): Promise<void> {
    const { sessions } = this.#parts;
    let left = atMost;
    while (left > 0) {
      const limit = Math.min(PAGE_ITEMS, left);
      const { items } = await sessions.find({ index: 'lastUsed', ...range, limit });
      if (items.length === 0) return;
      // One that was used meanwhile is found elsewhere the next time.
      await Promise.all(items.map(({ document, revision }) => sessions.delete(document.id, revision)));
      left -= items.length;
    }
  }
}
