import type { ClientSession, Collection as DriverCollection, Filter } from 'mongodb';
import type { Logger } from '../../common/index.js';
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
import { type Damage, isDamaged } from '../damage.js';
import { isPossibleId } from '../document.js';
import { type FindPlan, planFind } from '../query.js';
import type { FindAtOnce } from './find-at-once.js';
import { Gathered } from './gathered.js';
import { decodeRecord, idOf, idText, keyBytes, type StoredRecord, TOMBSTONE_INDEX } from './layout.js';
import { isLookup, lookUpTogether } from './lookups.js';
import { boundsOf, countPieces, filterOf, indexOf, isEmpty, keyIn, sortOf } from './ranges.js';

/** A page ends early at this many bytes of documents, or entries walked for too few matches. */
const PAGE_BYTES_MAX = 16 * 1024 * 1024;
const PAGE_ENTRIES_MAX = 10_000;
/** How many documents are read at first that are known by their satellites alone; then as many as fit a page. */
const OWNERS_AT_FIRST = 16;

type Find = Omit<FindAtOnce, 'collection' | 'readConcern'>;

/** What a collection needs of its store. */
export interface Engine {
  readonly records: DriverCollection<StoredRecord>;
  /** The same, for reads in the session of `inSession`: the driver adds the moment, but not what makes it one. */
  readonly pages: DriverCollection<StoredRecord>;
  readonly logger: Logger;
  readonly damage: Damage;
  /** How long a read may take. */
  readonly timeoutMs: number;
  commit(changes: readonly Change[]): Promise<CommitOutcome>;
  readSequence(): Promise<number>;
  watch(): Watch;
  /** A few records in one request; null where they must be read in the driver's own way. */
  findAtOnce(asked: Find): Promise<readonly StoredRecord[] | null>;
  /** The same, all of one moment. */
  findOfOneMoment(asked: Find): Promise<readonly StoredRecord[] | null>;
  /** Runs `act` within the time-out. @throws StoreError `closed`, `unavailable` */
  read<R>(what: string, act: () => Promise<R>): Promise<R>;
  /** The two parts of `read`: runs `act`, and the store is not closed meanwhile … */
  hold<R>(what: string, act: () => Promise<R>): Promise<R>;
  /** … and runs it within the time-out, also while the store is closing. @throws StoreError `unavailable` */
  timed<R>(what: string, act: () => Promise<R>): Promise<R>;
  /** Runs `act` in a session whose reads are of one moment (but of a passing collection), after every commit answered until now. */
  inSession<R>(act: (session: ClientSession) => Promise<R>): Promise<R>;
  /** {@link read} in such a session. */
  readSnapshot<R>(what: string, act: (session: ClientSession) => Promise<R>): Promise<R>;
}

interface Entry {
  /** As the database has it in the index. */
  readonly key: string;
  /** The record of its document; null where that has yet to be read, as `owner`. */
  readonly record: StoredRecord | null;
  readonly owner: string;
}

export class MongoCollection<T extends Document> extends BaseCollection<T> {
  readonly #engine: Engine;
  readonly #settle: () => Promise<void>;
  #settling: Promise<void> | null = null;
  #isSettled = false;
  /** Small pages, by index. */
  readonly #lookups = new Map<string, Gathered<FindPlan, Page<T>>>();
  /** Documents that are read by their ids. */
  readonly #gets: Gathered<string, StoredRecord | null>;

  /** @param settle  gives the collection its indexes; called again where the database could not be reached */
  constructor(definition: CollectionDefinition, engine: Engine, settle: () => Promise<void>) {
    super(definition, (changes) => engine.commit(changes));
    this.#engine = engine;
    this.#gets = new Gathered(
      (ids) => this.#recordsOf(ids),
      (record) => record?.d?.length ?? 0,
      engine.timeoutMs,
    );
    this.#settle = settle;
    // Whoever uses the collection is told; that nobody has yet must not end the process.
    this.settled().catch(() => {});
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  settled(): Promise<void> {
    this.#settling ??= this.#trySettling();
    return this.#settling;
  }

  async #trySettling(): Promise<void> {
    try {
      await this.#settle();
      this.#isSettled = true;
    } catch (error) {
      if (error instanceof StoreError && error.code === 'unavailable') this.#settling = null;
      throw error;
    }
  }

  async get(id: string): Promise<Stored<T> | null> {
    await this.settled();
    return this.#engine.hold(`${this.name}: reading a document`, async () =>
      isPossibleId(id) ? this.#decode(await this.#gets.answer(idText(id))) : null,
    );
  }

  async #recordsOf(ids: readonly string[]): Promise<(StoredRecord | null)[]> {
    const [first, ...others] = ids;
    return this.#engine.timed(`${this.name}: reading documents`, async () => {
      if (first === undefined) return [];
      const filter = { _id: others.length === 0 ? first : { $in: [...new Set(ids)] } };
      const atOnce = await this.#engine.findAtOnce({ filter, countMax: ids.length });
      const records = atOnce ?? (await this.#engine.records.find(filter).toArray());
      const found = new Map(records.map((record) => [record._id, record]));
      return ids.map((id) => found.get(id) ?? null);
    });
  }

  /** @throws StoreError `damaged` */
  #decode(record: StoredRecord | null): Stored<T> | null {
    try {
      return decodeRecord<T>(record, this.name);
    } catch (error) {
      if (record !== null && isDamaged(error))
        this.#engine.damage.noteDocument(this.name, idOf(record), error);
      throw error;
    }
  }

  /** Null also where it cannot be read, of which there is a trace then. */
  #decodeOrNote(record: StoredRecord | null): Stored<T> | null {
    try {
      return this.#decode(record);
    } catch (error) {
      if (isDamaged(error)) return null;
      throw error;
    }
  }

  async getMany(ids: readonly string[]): Promise<(Stored<T> | null)[]> {
    if (ids.length > PAGE_ITEMS_MAX) {
      throw new StoreError('bad-query', `getMany takes at most ${PAGE_ITEMS_MAX} ids, found ${ids.length}`);
    }
    await this.settled();
    return this.#engine.readSnapshot(`${this.name}: reading documents`, async (session) => {
      const wanted = [...new Set(ids.filter(isPossibleId).map(idText))];
      const found = new Map<string, StoredRecord>();
      if (wanted.length > 0) {
        const cursor = this.#engine.pages.find(
          { _id: { $in: wanted } },
          { session, batchSize: wanted.length + 1 },
        );
        for await (const record of cursor) found.set(record._id, record);
      }
      return ids.map((id) => this.#decode(isPossibleId(id) ? (found.get(idText(id)) ?? null) : null));
    });
  }

  async find(query: FindQuery): Promise<Page<T>> {
    const plan = planFind(this.definition, query);
    await this.settled();
    if (isLookup(plan)) {
      return this.#engine.hold(`${this.name}: looking up`, () => this.#lookupsIn(plan.index).answer(plan));
    }
    return this.#engine.readSnapshot(`${this.name}: reading a page`, (session) =>
      isEmpty(plan) ? Promise.resolve({ items: [], next: null }) : this.#page(plan, session),
    );
  }

  #lookupsIn(index: string): Gathered<FindPlan, Page<T>> {
    let lookups = this.#lookups.get(index);
    if (lookups === undefined) {
      lookups = new Gathered(
        (plans) => this.#lookUp(plans),
        // Together they bring little, or are read one by one.
        () => 0,
        this.#engine.timeoutMs,
      );
      this.#lookups.set(index, lookups);
    }
    return lookups;
  }

  #lookUp(plans: readonly FindPlan[]): Promise<Page<T>[]> {
    return this.#engine.timed(`${this.name}: looking up`, async () => {
      const together = await lookUpTogether<T>(
        this.#engine.findOfOneMoment,
        (record) => this.#decodeOrNote(record),
        plans,
      );
      if (together !== null) return together;
      return this.#engine.inSession(async (session) => {
        const found: Page<T>[] = [];
        for (const plan of plans) found.push(await this.#page(plan, session));
        return found;
      });
    });
  }

  async count(query: Omit<FindQuery, 'limit' | 'after' | 'order'> = {}): Promise<number> {
    const { index, equals, atLeast, below, prefix } = query;
    const range = { index, equals, atLeast, below, prefix };
    const plan = planFind(this.definition, { ...withoutUndefined(range), limit: 1 });
    await this.settled();
    if (plan.inexact) return this.#countByReading(withoutUndefined(range));
    return this.#engine.readSnapshot(`${this.name}: counting`, async (session) =>
      isEmpty(plan) ? 0 : this.#count(plan, session),
    );
  }

  watch(): Watch {
    return this.#engine.watch();
  }

  protected async readSequence(): Promise<number> {
    await this.settled();
    return this.#engine.read(`${this.name}: reading its sequence`, () => this.#engine.readSequence());
  }

  async #page(plan: FindPlan, session: ClientSession): Promise<Page<T>> {
    const items: Stored<T>[] = [];
    let sizeBytes = 0;
    let walked = 0;
    let at = plan;
    for (;;) {
      const { entries, isLast } = await this.#walk({ ...at, limit: plan.limit - items.length }, session);
      for (const { key, record } of entries) {
        const stored = this.#decodeOrNote(record);
        if (stored === null || !isGivenHere(plan, key, stored.document)) continue;
        items.push(stored);
        sizeBytes += record?.d?.length ?? 0;
      }
      walked += entries.length;
      const last = entries.at(-1);
      if (isLast || last === undefined) return { items, next: null };
      const after = keyBytes(last.key);
      if (items.length === plan.limit || sizeBytes > PAGE_BYTES_MAX || walked >= PAGE_ENTRIES_MAX) {
        return { items, next: plan.cursor(after) };
      }
      at = { ...plan, after };
    }
  }

  /** At most `plan.limit` entries of its range, each with its document. */
  async #walk(plan: FindPlan, session: ClientSession): Promise<{ entries: Entry[]; isLast: boolean }> {
    const { hint, field } = indexOf(plan);
    const cursor = this.#engine.pages.find(filterOf(plan), {
      session,
      hint,
      projection: { r: 1, d: 1, o: 1, [field]: 1 },
      sort: sortOf(plan),
      limit: plan.limit + 1,
      // In one answer where its bytes allow; the driver's first one would hold 101 documents.
      batchSize: plan.limit + 2,
    });
    const entries: Entry[] = [];
    let sizeBytes = 0;
    let isLast = true;
    for await (const record of cursor) {
      if (entries.length === plan.limit || sizeBytes > PAGE_BYTES_MAX) {
        isLast = false;
        break;
      }
      const isDocument = record.o === undefined;
      entries.push({
        key: keyIn(plan, record),
        record: isDocument ? record : null,
        owner: record.o ?? record._id,
      });
      sizeBytes += record.d?.length ?? 0;
    }
    const whole = await this.#withOwners(entries, session);
    return { entries: whole, isLast: isLast && whole.length === entries.length };
  }

  /** The entries with their documents, up to where these become too many bytes. */
  async #withOwners(entries: readonly Entry[], session: ClientSession): Promise<Entry[]> {
    const owners = [...new Set(entries.flatMap(({ record, owner }) => (record === null ? [owner] : [])))];
    const records = new Map<string, StoredRecord>();
    let sizeBytes = 0;
    let asked = 0;
    for (let next = OWNERS_AT_FIRST; asked < owners.length && sizeBytes < PAGE_BYTES_MAX; ) {
      const some = owners.slice(asked, asked + next);
      const cursor = this.#engine.pages.find({ _id: { $in: some } }, { session, batchSize: some.length + 1 });
      for await (const record of cursor) {
        records.set(record._id, record);
        sizeBytes += record.d?.length ?? 0;
      }
      asked += some.length;
      next = Math.max(1, Math.floor(((PAGE_BYTES_MAX - sizeBytes) * asked) / Math.max(1, sizeBytes)));
    }
    const unread = new Set(owners.slice(asked));
    const end = entries.findIndex(({ record, owner }) => record === null && unread.has(owner));
    return entries.slice(0, end === -1 ? undefined : end).map((entry) => {
      if (entry.record !== null) return entry;
      const record = records.get(entry.owner) ?? null;
      if (record === null) {
        this.#engine.logger.error('store.entry-without-document', { collection: this.name, id: entry.owner });
      }
      return { ...entry, record };
    });
  }

  async #count(plan: FindPlan, session: ClientSession): Promise<number> {
    // Two requests agree only where they are of one moment.
    const subtractAbsent = plan.index === 'id' && this.definition.passing !== true;
    let counted = 0;
    for await (const piece of countPieces(this.#engine.pages, plan, session, subtractAbsent))
      counted += piece;
    if (!subtractAbsent) return counted;
    const absent: Filter<StoredRecord> = { _id: boundsOf(plan), gone: { $exists: true } };
    return counted - (await this.#engine.pages.countDocuments(absent, { session, hint: TOMBSTONE_INDEX }));
  }

  async #countByReading(range: Omit<FindQuery, 'limit'>): Promise<number> {
    let counted = 0;
    for (let page = await this.find({ ...range, limit: PAGE_ITEMS_MAX }); ; ) {
      counted += page.items.length;
      if (page.next === null) return counted;
      page = await this.find({ ...range, limit: PAGE_ITEMS_MAX, after: page.next });
    }
  }
}

/** Upwards the database leaves out repeats by itself. */
function isGivenHere(plan: FindPlan, entry: string, document: Document): boolean {
  if (!plan.inexact && !(plan.repeats && plan.descending)) return true;
  const key = plan.givenAt(document);
  return key?.equals(keyBytes(entry)) ?? false;
}

function withoutUndefined<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
