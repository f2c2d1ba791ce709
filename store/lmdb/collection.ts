import { setImmediate as yieldToEvents } from 'node:timers/promises';
import { BaseCollection } from '../base-collection.js';
import {
  type Change,
  type CollectionDefinition,
  type CommitOutcome,
  type Document,
  type FindQuery,
  PAGE_ITEMS_MAX,
  type Page,
  type Stored,
  StoreError,
  type Watch,
} from '../collection.js';
import { type Damage, engineFailure, isDamaged } from '../damage.js';
import { isPossibleId } from '../document.js';
import { idOfKey } from '../index-key.js';
import { type FindPlan, planFind } from '../query.js';
import { type Catalog, readCatalog } from './catalog.js';
import { indexNumber } from './indexing.js';
import {
  type CollectionState,
  decodeRecord,
  decodeState,
  documentKey,
  ENTRY_ONE_OF_MANY,
  keyOf,
  type Trees,
  withoutNumber,
} from './layout.js';
import { letGo } from './let-go.js';
import { type KnownCatalog, stateKey } from './transaction.js';

/** A page ends early at this many bytes of documents, or entries walked for too few matches: reads block the process. */
const PAGE_BYTES_MAX = 16 * 1024 * 1024;
const PAGE_ENTRIES_MAX = 10_000;

/** What a collection needs of its store. */
export interface Engine {
  readonly trees: Trees;
  readonly damage: Damage;
  /** Shared with the write transactions of the process. */
  readonly known: Map<string, KnownCatalog>;
  commit(changes: readonly Change[]): Promise<CommitOutcome>;
  /** Takes a snapshot that has every commit answered until now, by any process. @throws StoreError `closed` */
  refresh(): void;
}

/** An entry of the range a query walks. */
interface Entry {
  readonly key: Uint8Array;
  readonly id: string;
  readonly oneOfMany: boolean;
}

export class LmdbCollection<T extends Document> extends BaseCollection<T> {
  readonly #engine: Engine;
  readonly #stateKey: Buffer;
  /** Null while indexes are being made. */
  #number: number | null = null;
  /** What the state said last, and what that is: most reads find it unchanged. */
  #readState: { readonly text: string | undefined; readonly state: CollectionState } | null = null;
  readonly #settled: Promise<void>;

  /** @param settled  resolves to the collection's number when it has its indexes */
  constructor(definition: CollectionDefinition, engine: Engine, settled: Promise<number>) {
    super(definition, (changes) => engine.commit(changes));
    this.#engine = engine;
    this.#stateKey = stateKey(definition.name);
    this.#settled = settled.then((number) => {
      this.#number = number;
    });
    // Whoever uses the collection is told; that nobody has yet must not end the process.
    this.#settled.catch(() => {});
  }

  get isSettled(): boolean {
    return this.#number !== null;
  }

  /** Resolves when the indexes are there. */
  settled(): Promise<void> {
    return this.#settled;
  }

  async get(id: string): Promise<Stored<T> | null> {
    if (this.#number === null) await this.#settled;
    this.#engine.refresh();
    return this.#read(id);
  }

  async getMany(ids: readonly string[]): Promise<(Stored<T> | null)[]> {
    if (ids.length > PAGE_ITEMS_MAX) {
      throw new StoreError('bad-query', `getMany takes at most ${PAGE_ITEMS_MAX} ids, found ${ids.length}`);
    }
    if (this.#number === null) await this.#settled;
    this.#engine.refresh();
    return ids.map((id) => this.#read(id));
  }

  async find(query: FindQuery): Promise<Page<T>> {
    const plan = planFind(this.definition, query);
    if (this.#number === null) await this.#settled;
    this.#engine.refresh();
    const items: Stored<T>[] = [];
    let last: Uint8Array | null = null;
    let walked = 0;
    let sizeBytes = 0;
    for (const entry of this.#walk(plan)) {
      if (
        last !== null &&
        (items.length === plan.limit || walked === PAGE_ENTRIES_MAX || sizeBytes > PAGE_BYTES_MAX)
      ) {
        return { items, next: plan.cursor(last) };
      }
      last = entry.key;
      walked++;
      const record = this.#record(entry.id);
      if (record === undefined) {
        this.#engine.damage.noteEntry(this.name, plan.index);
        continue;
      }
      const stored = this.#decodeOrNote(record, entry.id);
      if (stored === null || !isGivenHere(plan, entry, stored.document)) continue;
      items.push(stored);
      sizeBytes += record.length;
    }
    return { items, next: null };
  }

  async count(query: Omit<FindQuery, 'limit' | 'after' | 'order'> = {}): Promise<number> {
    let plan = planFind(this.definition, { ...query, order: 'ascending', limit: 1 });
    if (this.#number === null) await this.#settled;
    for (let counted = 0; ; await yieldToEvents()) {
      const { last, walked, counting } = this.#countPiece(plan);
      counted += counting;
      if (last === null || walked < PAGE_ENTRIES_MAX) return counted;
      plan = { ...plan, after: Buffer.from(last) };
    }
  }

  #countPiece(plan: FindPlan): {
    readonly last: Uint8Array | null;
    readonly walked: number;
    readonly counting: number;
  } {
    this.#engine.refresh();
    let last: Uint8Array | null = null;
    let walked = 0;
    let counting = 0;
    for (const entry of this.#walk(plan)) {
      last = entry.key;
      if (this.#counts(plan, entry)) counting++;
      if (++walked === PAGE_ENTRIES_MAX) break;
    }
    return { last, walked, counting };
  }

  watch(): Watch {
    return { position: () => this.#position() };
  }

  /** The number of the last change. It is in memory that the processes share, and cheaper to read than any document. */
  #position(): number | null {
    if (this.#number === null) return null;
    try {
      this.#engine.refresh();
      return this.#state().sequence;
    } catch {
      // Who reads then is told what is wrong.
      return null;
    }
  }

  protected async readSequence(): Promise<number> {
    if (this.#number === null) await this.#settled;
    this.#engine.refresh();
    return this.#state().sequence;
  }

  #counts(plan: FindPlan, entry: Entry): boolean {
    if (!plan.inexact && !(plan.repeats && entry.oneOfMany)) return true;
    const record = this.#record(entry.id);
    const stored = record === undefined ? null : this.#decodeOrNote(record, entry.id);
    return stored !== null && isGivenHere(plan, entry, stored.document);
  }

  #read(id: string): Stored<T> | null {
    const record = isPossibleId(id) ? this.#record(id) : undefined;
    return record === undefined ? null : this.#decode(record, id);
  }

  /** @throws StoreError `damaged` */
  #decode(record: string, id: string): Stored<T> {
    try {
      return decodeRecord<T>(record, this.name, id);
    } catch (error) {
      if (isDamaged(error)) this.#engine.damage.noteDocument(this.name, id, error);
      throw error;
    }
  }

  /** Null where it cannot be read, of which there is a trace then. */
  #decodeOrNote(record: string, id: string): Stored<T> | null {
    try {
      return this.#decode(record, id);
    } catch (error) {
      if (isDamaged(error)) return null;
      throw error;
    }
  }

  #record(id: string): string | undefined {
    try {
      return this.#engine.trees.documents.get(documentKey(this.#number ?? 0, id));
    } catch (error) {
      throw engineFailure(error, `${this.name} is read`);
    }
  }

  /** The range of a plan from where the last page ended, in the order asked. Must be walked without awaiting anything. */
  *#walk(plan: FindPlan): Iterable<Entry> {
    try {
      yield* this.#walkRange(plan);
    } catch (error) {
      throw engineFailure(error, `${this.name} is read`);
    }
  }

  *#walkRange(plan: FindPlan): Iterable<Entry> {
    if (plan.end !== null && Buffer.compare(plan.start, plan.end) >= 0) return;
    const { documents, indexes } = this.#engine.trees;
    const number =
      plan.index === 'id' ? this.#number : indexNumber(this.#catalog(), this.definition, plan.index);
    if (number === null) return;
    const range = bounds(plan, number);
    if (plan.index === 'id') {
      // Keys alone: a large document would come as a view of LMDB's own memory.
      for (const found of letGo(documents.getKeys(range))) {
        if (plan.descending && Buffer.compare(found, range.start) >= 0) continue;
        const key = withoutNumber(found);
        yield { key, id: Buffer.from(key.buffer, key.byteOffset, key.length).toString(), oneOfMany: false };
      }
      return;
    }
    for (const found of letGo(indexes.getRange(range))) {
      if (plan.descending && Buffer.compare(found.key, range.start) >= 0) continue;
      const key = withoutNumber(found.key);
      yield { key, id: idOfKey(key, plan.fields.length), oneOfMany: found.value === ENTRY_ONE_OF_MANY };
    }
  }

  #catalog(): Catalog {
    const version = this.#state().catalogVersion;
    const known = this.#engine.known.get(this.name);
    if (known?.version === version) return known.catalog;
    const catalog = readCatalog(this.#engine.trees, this.name);
    if (catalog === null)
      throw new StoreError('unavailable', `The store has lost the catalog of ${this.name}`);
    this.#engine.known.set(this.name, { version, catalog });
    return catalog;
  }

  #state(): CollectionState {
    const text = this.#engine.trees.meta.get(this.#stateKey);
    if (this.#readState === null || this.#readState.text !== text)
      this.#readState = { text, state: decodeState(text, this.name) };
    return this.#readState.state;
  }
}

/**
 * Where LMDB begins and ends. Upwards it gives `start <= key < end`. Downwards it begins at `start`, which is the first
 * key that is not wanted (the caller leaves it out), and `end` is the last that is (findings/lmdb-range-downwards.sh).
 */
function bounds(plan: FindPlan, number: number) {
  const first = keyOf(number, plan.start);
  const end = keyOf(number, plan.end);
  const after = plan.after === null ? null : keyOf(number, plan.after);
  if (plan.descending) return { start: after ?? end, end: first, reverse: true, inclusiveEnd: true };
  return { start: after === null ? first : Buffer.concat([after, Buffer.of(0)]), end };
}

function isGivenHere(plan: FindPlan, entry: Entry, document: Document): boolean {
  if (!plan.inexact && !(plan.repeats && entry.oneOfMany)) return true;
  const key = plan.givenAt(document);
  return key !== null && Buffer.compare(key, entry.key) === 0;
}
