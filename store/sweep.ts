import { HOUR_MS, type MonotonicClock } from '../common/index.js';
import type { Collection, Cursor, Document, Stored } from './collection.js';

/** So much is looked at in one go, and all of it so often. */
const LOOKED_AT_MAX = 100;
const EVERY_MS = HOUR_MS;

/** Looks at all documents of a collection now and then, a few in one go: for what is to be forgotten and nothing leads to. */
export class Sweep<D extends Document> {
  #after: Cursor | null = null;
  #dueMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly collection: Collection<D>,
    private readonly monotonic: MonotonicClock,
  ) {}

  /** The next of them; nothing for an hour once it was all. @throws StoreError */
  async next(look: (stored: Stored<D>) => Promise<unknown>): Promise<void> {
    const nowMs = this.monotonic();
    if (nowMs < this.#dueMs) return;
    const after = this.#after === null ? {} : { after: this.#after };
    const { items, next } = await this.collection.find({ limit: LOOKED_AT_MAX, ...after });
    for (const stored of items) await look(stored);
    this.#after = next;
    if (next === null) this.#dueMs = nowMs + EVERY_MS;
  }
}
