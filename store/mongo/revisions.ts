import type { Collection } from 'mongodb';
import type { Revision } from '../collection.js';
import type { StoredRecord } from './layout.js';

/** So many revisions are taken from the database at once; a process that ends leaves the rest of its block unused. */
const BLOCK = 2 ** 20;
const COUNTER_ID = 'revisions';

/**
 * Numbers that no node ever gives twice, of any collection: blocks of them come from one counter in the database, and
 * 2^53 / 2^20 blocks do not run out. Clocks, or the document's last revision plus one, would come back after a delete.
 */
export class RevisionSource {
  #next = 0;
  #end = 0;

  constructor(private readonly meta: Collection<StoredRecord>) {}

  /** Makes sure that `next` can be called `count` times. */
  async ensure(count: number): Promise<void> {
    if (this.#end - this.#next >= count) return;
    const counter = await this.meta.findOneAndUpdate(
      { _id: COUNTER_ID },
      { $inc: { end: BLOCK } },
      { upsert: true, returnDocument: 'after' },
    );
    const end: unknown = counter?.['end'];
    if (typeof end !== 'number' || !Number.isSafeInteger(end)) {
      throw new Error('The counter of revisions is damaged: restore a backup');
    }
    this.#next = end - BLOCK + 1;
    this.#end = end + 1;
  }

  /** So many at once. Safe to call while others do. */
  async take(count: number): Promise<Revision[]> {
    // Another that waited too may have been first to take what was ensured for both.
    do await this.ensure(count);
    while (this.#end - this.#next < count);
    return Array.from({ length: count }, () => this.next());
  }

  next(): Revision {
    if (this.#next >= this.#end) throw new Error('More revisions were taken than ensured');
    return this.#next++ as Revision;
  }
}
