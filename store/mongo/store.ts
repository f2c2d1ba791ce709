import type {
  ClientSession,
  ClientSessionOptions,
  Db,
  Collection as DriverCollection,
  MongoClient,
} from 'mongodb';
import { type Clock, type Logger, silentLogger } from '../../common/index.js';
import { prepareCommit } from '../changes.js';
import {
  type Change,
  type Collection,
  type CollectionDefinition,
  type CommitOutcome,
  type Document,
  type Store,
  StoreError,
  type StoreInspection,
} from '../collection.js';
import { Damage } from '../damage.js';
import type { StoredFiles } from '../files.js';
import { OpenCollections } from '../open-collections.js';
import { Bulk } from './bulk.js';
import { bringSchema, Catalog, requireSchema } from './catalog.js';
import { ChangeWatch } from './change-watch.js';
import { type Engine, MongoCollection } from './collection.js';
import { Committer } from './committer.js';
import { connect, DATABASE_DEFAULT, databaseIn } from './connection.js';
import { storeErrorOf, within } from './errors.js';
import { MongoFiles } from './files.js';
import { type FindAtOnce, findAtOnce } from './find-at-once.js';
import { GroupCommit } from './group-commit.js';
import { giveKeys } from './indexing.js';
import { inspectDatabase, sizeOfDatabase } from './inspect.js';
import { fieldsName, META, type StoredRecord } from './layout.js';
import { PassingCommits } from './passing.js';
import { RevisionSource } from './revisions.js';
import { Vigil } from './vigil.js';
import { sequenceId } from './writes.js';

const GROUP_COMMIT_MS = 2;
const TIMEOUT_MS = 10_000;
/** Of the time-out: when nothing at all has come from the database for so long, nobody else is let wait for it. */
const SILENCE_SHARE = 0.5;
/** Most reads under way: beyond it a slow database would only fill the memory. */
const READS_MAX = 10_000;
/** How old what a process knows of the indexes may be when it writes. */
const CATALOG_AGE_MS_MAX = 1_000;

export interface MongoStoreOptions {
  /** `mongodb://` or `mongodb+srv://`: a replica set (one member is enough) or a sharded cluster, MongoDB 6.0 or newer. */
  readonly url: string;
  /** Default: the one in the address, else `ferry`. */
  readonly database?: string;
  readonly logger?: Logger;
  /**
   * How long a commit waits for others to share its transaction; 0: for those of the same turn of the event loop, and while
   * another is under way. Default 2 ms.
   */
  readonly groupCommitMs?: number;
  /**
   * How long nodes of another version may go on writing without an index that this one adds to documents that are there.
   * Default: as long as their writes may take.
   */
  readonly indexWaitMs?: number;
  /** Refuses a database that no Ferry has been in, instead of making one. */
  readonly mustExist?: boolean;
  /**
   * A read is answered within this, a commit within about twice this. When the database has not answered anything for half of it,
   * both are refused at once until it does. Default 10 s.
   */
  readonly timeoutMs?: number;
}

/**
 * Opens the store that any number of machines share, in MongoDB.
 * @throws StoreError `unavailable` where the database cannot be used or was written by a newer version of Ferry
 */
export async function openMongoStore(options: MongoStoreOptions): Promise<SharedStore> {
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  const client = await connect({ url: options.url, timeoutMs });
  try {
    const database = client.db(options.database ?? databaseIn(options.url) ?? DATABASE_DEFAULT);
    if (options.mustExist) await requireSchema(database);
    const migratedFrom = await bringSchema(database);
    return new MongoStore(client, database, { ...options, timeoutMs, migratedFrom });
  } catch (error) {
    await client.close().catch(() => {});
    throw storeErrorOf(error, 'The database cannot be used');
  }
}

/** A store that nodes on many machines share: with room for files, and a clock of its own. */
export interface SharedStore extends Store {
  readonly files: StoredFiles;
  /** False while the database is taken for gone: it has been asked, and nothing has come for seconds. */
  readonly isAnswering: boolean;
  /**
   * How far the database's clock is ahead of this one (negative: behind), as far as that is certain: the time that the answer
   * took is not counted.
   */
  clockOffsetMs(clock: Clock): Promise<number>;
}

class MongoStore implements SharedStore {
  readonly damage: Damage;
  readonly files: StoredFiles;
  readonly #client: MongoClient;
  readonly #database: Db;
  readonly #logger: Logger;
  readonly #timeoutMs: number;
  readonly #migratedFrom: number;
  readonly #indexWaitMs: number;
  readonly #catalog: Catalog;
  readonly #committer: Committer;
  readonly #commits: GroupCommit;
  readonly #bulk: Bulk;
  readonly #collections = new OpenCollections();
  /** By collection. */
  readonly #passing = new Map<string, PassingCommits>();
  readonly #watches = new Map<string, ChangeWatch>();
  readonly #reads = new Set<Promise<unknown>>();
  readonly #vigil: Vigil;
  #closing: Promise<void> | null = null;

  constructor(
    client: MongoClient,
    database: Db,
    options: MongoStoreOptions & { readonly timeoutMs: number; readonly migratedFrom: number },
  ) {
    this.#client = client;
    this.#database = database;
    this.#logger = options.logger ?? silentLogger;
    this.damage = new Damage(this.#logger);
    this.#timeoutMs = options.timeoutMs;
    this.#migratedFrom = options.migratedFrom;
    // What others began to write before they knew of an index has ended by then.
    this.#indexWaitMs = options.indexWaitMs ?? CATALOG_AGE_MS_MAX + 2 * options.timeoutMs;
    this.#vigil = new Vigil({
      silenceMsMax: options.timeoutMs * SILENCE_SHARE,
      ask: () => database.command({ ping: 1 }),
      onSilent: () => {
        this.#commits.expireWaiting();
        for (const passing of this.#passing.values()) passing.expireWaiting();
      },
      logger: this.#logger,
    });
    this.files = new MongoFiles({ database, timeoutMs: options.timeoutMs, vigil: this.#vigil });
    this.#catalog = new Catalog(database, CATALOG_AGE_MS_MAX);
    this.#committer = new Committer({
      client,
      database,
      catalog: this.#catalog,
      revisions: new RevisionSource(database.collection<StoredRecord>(META)),
      logger: this.#logger,
      isSequenced: (collection) => this.#collections.isSequenced(collection),
      records: (collection) => this.#records(collection, this.#collections.isPassing(collection)),
    });
    this.#commits = new GroupCommit({
      windowMs: options.groupCommitMs ?? GROUP_COMMIT_MS,
      timeoutMs: options.timeoutMs,
      run: (group, deadlineMs) => this.#committer.run(group, deadlineMs),
    });
    this.#bulk = new Bulk({
      database,
      catalog: this.#catalog,
      isSequenced: (collection) => this.#collections.isSequenced(collection),
      commit: (changes) => this.commit(changes),
      ask: (what, act) => this.#read(what, act),
    });
  }

  get isAnswering(): boolean {
    return !this.#vigil.isSilent;
  }

  collection<T extends Document>(definition: CollectionDefinition): Collection<T> {
    this.#checkOpen();
    return this.#collections.open(definition, (copy) => {
      if (copy.passing === true && copy.sequenced !== true)
        this.#passing.set(copy.name, this.#passingOf(copy));
      return new MongoCollection<T>(copy, this.#engine(copy), () => this.#settle(copy));
    });
  }

  async commit(changes: readonly Change[]): Promise<CommitOutcome> {
    this.#checkOpen();
    const { prepared, sizeBytes } = prepareCommit(changes);
    for (const collection of this.#collections.unsettled(changes)) await collection.settled();
    this.#checkOpen();
    if (prepared.length === 0) return { committed: true, revisions: [] };
    const [only, ...others] = prepared;
    const passing = others.length === 0 ? this.#passing.get(only?.change.collection ?? '') : undefined;
    try {
      this.#vigil.check('Nothing was changed');
      const running = passing?.commit(prepared, sizeBytes) ?? this.#commits.run(prepared, sizeBytes);
      return await this.#vigil.attend(running);
    } finally {
      // Also where it failed: its outcome may be open.
      for (const { change } of prepared) {
        if (change.kind !== 'require') this.#watches.get(change.collection)?.changed();
      }
    }
  }

  async clear(definition: CollectionDefinition): Promise<void> {
    const { name } = this.collection(definition);
    await this.#collections.settled(name);
    await this.#bulk.clear(name);
    this.#watches.get(name)?.changed();
  }

  async load(definition: CollectionDefinition, documents: readonly Document[]): Promise<void> {
    const { name } = this.collection(definition);
    await this.#collections.settled(name);
    await this.#bulk.load(name, documents);
    this.#watches.get(name)?.changed();
  }

  clockOffsetMs(clock: Clock): Promise<number> {
    return this.#read('asking for the time', async () => {
      const askedMs = clock();
      const hello = await this.#database.admin().command({ hello: 1 });
      const answeredMs = clock();
      const theirsMs = hello['localTime'] instanceof Date ? hello['localTime'].getTime() : Number.NaN;
      // It was read at some moment between the two.
      if (theirsMs < askedMs) return theirsMs - askedMs;
      return Math.max(0, theirsMs - answeredMs);
    });
  }

  async sizeBytes(): Promise<number> {
    return this.#read('The size of the database cannot be told', () => sizeOfDatabase(this.#database));
  }

  async inspect(): Promise<StoreInspection> {
    const migratedFrom = this.#migratedFrom;
    const inspect = () => inspectDatabase(this.#database);
    return { ...(await this.#read('The database cannot be inspected', inspect)), migratedFrom };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const watches = [...this.#watches.values()].map((watch) => watch.close());
    // In this order: what cannot go the light way goes the other.
    await Promise.all([...this.#passing.values()].map((passing) => passing.close()));
    await this.#commits.drain();
    this.#vigil.close();
    await Promise.allSettled(this.#reads);
    await Promise.all(watches);
    await this.#committer.close();
    await this.#client.close();
  }

  /** Brings the indexes to what is declared. */
  async #settle({ name, indexes }: CollectionDefinition): Promise<void> {
    try {
      const missing = await this.#catalog.make(name, Object.values(indexes));
      for (const fields of missing) {
        this.#logger.info('store.index-begun', { collection: name, index: fieldsName(fields) });
        await giveKeys({
          records: this.#database.collection<StoredRecord>(name),
          fields,
          othersMs: this.#indexWaitMs,
          isClosing: () => this.#closing !== null,
          commit: (changes, sizeBytes) => this.#commits.run(changes, sizeBytes),
        });
        await this.#catalog.setReady(name, fields);
        this.#logger.info('store.index-made', { collection: name, index: fieldsName(fields) });
      }
    } catch (error) {
      throw storeErrorOf(error, `The indexes of ${name} cannot be made`);
    }
  }

  #passingOf({ name }: CollectionDefinition): PassingCommits {
    return new PassingCommits({
      records: this.#records(name, true),
      catalog: this.#catalog,
      revisions: () => new RevisionSource(this.#database.collection<StoredRecord>(META)),
      timeoutMs: this.#timeoutMs,
      logger: this.#logger,
      commitOrdinarily: (changes, sizeBytes, enqueuedAtMs) =>
        this.#commits.run(changes, sizeBytes, enqueuedAtMs),
    });
  }

  #engine({ name, passing = false }: CollectionDefinition): Engine {
    const inSession: Engine['inSession'] = (act) => this.#inSession({ snapshot: !passing }, act);
    return {
      records: this.#records(name, passing),
      pages: passing
        ? this.#records(name, true)
        : this.#database.collection(name, { readConcern: { level: 'snapshot' } }),
      logger: this.#logger,
      damage: this.damage,
      timeoutMs: this.#timeoutMs,
      commit: (changes) => this.commit(changes),
      readSequence: async () => {
        const counter = await this.#database
          .collection<StoredRecord>(META)
          .findOne({ _id: sequenceId(name) });
        return Number(counter?.['n'] ?? 0);
      },
      watch: () => this.#watch(name),
      read: (what, act) => this.#read(what, act),
      hold: (what, act) => this.#hold(what, act),
      timed: (what, act) => this.#timed(what, act),
      findAtOnce: (asked) => this.#findAtOnce(name, passing ? 'local' : 'majority', asked),
      findOfOneMoment: (asked) => this.#findAtOnce(name, passing ? 'local' : 'snapshot', asked),
      inSession,
      readSnapshot: (what, act) => this.#read(what, () => inSession(act)),
    };
  }

  #findAtOnce(
    collection: string,
    readConcern: FindAtOnce['readConcern'],
    asked: Omit<FindAtOnce, 'collection' | 'readConcern'>,
  ): Promise<readonly StoredRecord[] | null> {
    return findAtOnce(this.#database, { ...asked, collection, readConcern });
  }

  #watch(name: string): ChangeWatch {
    const known = this.#watches.get(name);
    if (known !== undefined) return known;
    const records = this.#database.collection<StoredRecord>(name);
    const watch = new ChangeWatch({ database: this.#database, records, logger: this.#logger });
    this.#watches.set(name, watch);
    return watch;
  }

  /**
   * What is passing is acknowledged before a majority has it on disk, so only the primary's own view shows all of it; of all else
   * only what stays is shown.
   */
  #records(name: string, isPassing: boolean): DriverCollection<StoredRecord> {
    return this.#database.collection(name, { readConcern: { level: isPassing ? 'local' : 'majority' } });
  }

  async #inSession<R>(
    options: ClientSessionOptions,
    act: (session: ClientSession) => Promise<R>,
  ): Promise<R> {
    const session = this.#client.startSession({ causalConsistency: false, ...options });
    try {
      return await act(session);
    } finally {
      await session.endSession();
    }
  }

  #read<R>(what: string, act: () => Promise<R>): Promise<R> {
    return this.#hold(what, () => this.#timed(what, act));
  }

  async #hold<R>(what: string, act: () => Promise<R>): Promise<R> {
    this.#checkOpen();
    if (this.#reads.size >= READS_MAX) {
      throw new StoreError(
        'unavailable',
        `${what}: ${READS_MAX} reads are under way: the database is too slow`,
      );
    }
    this.#vigil.check(what);
    return this.#track(act());
  }

  #track<R>(reading: Promise<R>): Promise<R> {
    this.#reads.add(reading);
    reading.catch(() => {}).finally(() => this.#reads.delete(reading));
    return reading;
  }

  async #timed<R>(what: string, act: () => Promise<R>): Promise<R> {
    // It may go on beyond its time, and is under way until it ends.
    const reading = this.#track(act());
    try {
      return await within(this.#timeoutMs, what, this.#vigil.attendRead(what, reading));
    } catch (error) {
      throw storeErrorOf(error, what);
    }
  }

  #checkOpen(): void {
    if (this.#closing !== null) throw new StoreError('closed', 'The store is closed');
  }
}
