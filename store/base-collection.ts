import { setImmediate as yieldToEvents } from 'node:timers/promises';
import type { Turn } from '../common/index.js';
import {
  type Change,
  type Collection,
  type CollectionDefinition,
  type CommitOutcome,
  type Cursor,
  type Document,
  type FindQuery,
  type Page,
  type Revision,
  type Stored,
  StoreError,
  type Watch,
} from './collection.js';
import { isPossibleId } from './document.js';
import { planFind } from './query.js';

/** How many documents a scan reads at a time: reads block the process, so it is well under a millisecond's worth. */
const SCAN_PAGE_ITEMS = 100;

/** An engine may answer without any I/O, and a chain of settled promises lets nobody else have a turn. */
const atNextTurn: Turn = async (work) => {
  await yieldToEvents();
  return work();
};

/** What is the same in every engine: the changes of a collection, and what follows from `commit` and `find`. */
export abstract class BaseCollection<T extends Document> implements Collection<T> {
  readonly name: string;

  constructor(
    readonly definition: CollectionDefinition,
    private readonly commit: (changes: readonly Change[]) => Promise<CommitOutcome>,
  ) {
    this.name = definition.name;
  }

  abstract get(id: string): Promise<Stored<T> | null>;
  abstract getMany(ids: readonly string[]): Promise<(Stored<T> | null)[]>;
  abstract find(query: FindQuery): Promise<Page<T>>;
  abstract count(query?: Omit<FindQuery, 'limit' | 'after' | 'order'>): Promise<number>;
  abstract watch(): Watch;
  protected abstract readSequence(): Promise<number>;

  async sequence(): Promise<number> {
    if (this.definition.sequenced === true) return this.readSequence();
    throw new StoreError('bad-query', `${this.name} has no sequence: its definition must say "sequenced"`);
  }

  cursorAt(query: Omit<FindQuery, 'limit' | 'after'>, document: Document): Cursor | null {
    const plan = planFind(this.definition, { ...query, limit: 1 });
    const key = isPossibleId(document.id) ? plan.givenAt(document) : null;
    if (key === null || Buffer.compare(key, plan.start) < 0) return null;
    return plan.end !== null && Buffer.compare(key, plan.end) >= 0 ? null : plan.cursor(key);
  }

  async *scan(query: Omit<FindQuery, 'limit'>, turn: Turn = atNextTurn): AsyncIterable<Stored<T>> {
    let page = await this.find({ ...query, limit: SCAN_PAGE_ITEMS });
    yield* page.items;
    while (page.next !== null) {
      const after = page.next;
      page = await turn(() => this.find({ ...query, limit: SCAN_PAGE_ITEMS, after }));
      yield* page.items;
    }
  }

  inserting(document: T): Change {
    return { kind: 'insert', collection: this.name, document };
  }

  replacing(document: T, revision: Revision): Change {
    return { kind: 'replace', collection: this.name, document, revision };
  }

  putting(document: T): Change {
    return { kind: 'put', collection: this.name, document };
  }

  deleting(id: string, revision?: Revision): Change {
    return { kind: 'delete', collection: this.name, id, revision: revision ?? null };
  }

  requiring(id: string, revision: Revision | null): Change {
    return { kind: 'require', collection: this.name, id, revision };
  }

  counting(
    id: string,
    add: Readonly<Record<string, number>>,
    atMost: Readonly<Record<string, number>> = {},
  ): Change {
    return { kind: 'count', collection: this.name, id, add, atMost };
  }

  insert(document: T): Promise<Revision | null> {
    return this.#revisionOf(this.inserting(document));
  }

  replace(document: T, revision: Revision): Promise<Revision | null> {
    return this.#revisionOf(this.replacing(document, revision));
  }

  async put(document: T): Promise<Revision> {
    const revision = await this.#revisionOf(this.putting(document));
    if (revision === null) throw new Error('A put has no condition, yet it was refused');
    return revision;
  }

  async delete(id: string, revision?: Revision): Promise<boolean> {
    return (await this.commit([this.deleting(id, revision)])).committed;
  }

  async #revisionOf(change: Change): Promise<Revision | null> {
    const outcome = await this.commit([change]);
    return outcome.committed ? (outcome.revisions[0] ?? null) : null;
  }
}
