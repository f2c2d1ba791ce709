import { realpath, stat } from 'node:fs/promises';
import { open } from 'lmdb';
import { type Logger, silentLogger } from '../../common/index.js';
import { clearByCommits } from '../bulk.js';
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
import { Damage, engineFailure, isEngineDamage } from '../damage.js';
import { OpenCollections } from '../open-collections.js';
import { isSettled, readCatalog } from './catalog.js';
import { type Engine, LmdbCollection } from './collection.js';
import { runCommit } from './commit.js';
import { dataFileOf, flushDirectory, prepareDirectory } from './directory.js';
import { bringFormat } from './format.js';
import { settleStep } from './indexing.js';
import { inspectTrees } from './inspect.js';
import type { Trees } from './layout.js';
import { type KnownCatalog, WriteTransaction } from './transaction.js';
import { Writer } from './writer.js';

const TREES_MAX = 8;
const WRITE_WAIT_MS = 30_000;

export interface LmdbStoreOptions {
  /** Made (for its owner alone) where it is missing. Several processes may open it at once; not on a network file system. */
  readonly directory: string;
  readonly logger?: Logger;
  /**
   * How long a commit waits for the write lock or the disk before it fails with `unavailable`: at least this, at most
   * twice as long. Default 30 s.
   */
  readonly writeWaitMs?: number;
  /** Told how each transaction went that was to be written; null: it is on the disk. */
  readonly onWritten?: (failure: StoreError | null) => void;
}

/**
 * What is open in this process, by directory. lmdb opens one under its write lock, on the thread of JavaScript; where another of the
 * same directory is in the middle of a transaction it is that thread which it needs to go on, and both would wait for ever.
 */
const openHere = new Map<string, Set<LmdbStore>>();

/**
 * Opens the store that keeps everything in one directory of this machine, in LMDB.
 * @throws StoreError `unavailable` where the directory cannot be used or was written by a newer version of Ferry
 */
export async function openLmdbStore(options: LmdbStoreOptions): Promise<Store> {
  const { directory } = options;
  let trees: Trees;
  let path: string;
  try {
    await prepareDirectory(directory);
    path = await realpath(directory);
    trees = await whileNoneWrites([...(openHere.get(path) ?? [])], () => openTrees(directory));
    await flushDirectory(directory);
  } catch (cause) {
    if (isEngineDamage(cause)) throw engineFailure(cause, `${directory} is opened`);
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new StoreError('unavailable', `The store cannot be opened in ${directory}: ${message}`, { cause });
  }
  const store = new LmdbStore(trees, options, path);
  try {
    await store.bringFormat();
  } catch (error) {
    await store.close();
    throw engineFailure(error, `${directory} is opened`);
  }
  return store;
}

async function whileNoneWrites(stores: readonly LmdbStore[], work: () => Trees): Promise<Trees> {
  const [store, ...others] = stores;
  return store === undefined ? work() : store.whileNotWriting(() => whileNoneWrites(others, work));
}

function openTrees(directory: string): Trees {
  const root = open<string, Buffer>({
    path: directory,
    noSubdir: false,
    maxDbs: TREES_MAX,
    // With overlapping sync (lmdb's default) a transaction's promise resolves when others can see it and before it is
    // flushed. Without, LMDB flushes as part of the commit, so what is answered has been flushed.
    overlappingSync: false,
    // We batch by ourselves (Writer); lmdb's own batches would also leave a rejected promise that nobody can catch.
    eventTurnBatching: false,
    encoding: 'string',
    keyEncoding: 'binary',
  });
  const tree = (name: string) =>
    root.openDB<string, Buffer>(name, { encoding: 'string', keyEncoding: 'binary' });
  return { root, documents: tree('documents'), indexes: tree('indexes'), meta: tree('meta') };
}

class LmdbStore implements Store {
  readonly damage: Damage;
  readonly #trees: Trees;
  readonly #logger: Logger;
  readonly #known = new Map<string, KnownCatalog>();
  readonly #writer: Writer<WriteTransaction>;
  readonly #collections = new OpenCollections();
  readonly #dataFile: string;
  readonly #path: string;
  #migratedFrom = 0;
  #closing: Promise<void> | null = null;

  /** @param path  of its directory, by which others of this process know that it is the same */
  constructor(trees: Trees, options: LmdbStoreOptions, path: string) {
    this.#trees = trees;
    this.#dataFile = dataFileOf(options.directory);
    this.#path = path;
    openHere.set(path, (openHere.get(path) ?? new Set()).add(this));
    this.#logger = options.logger ?? silentLogger;
    this.damage = new Damage(this.#logger);
    this.#writer = new Writer(trees.root, () => new WriteTransaction(trees, this.#known), {
      directory: options.directory,
      logger: this.#logger,
      waitMs: options.writeWaitMs ?? WRITE_WAIT_MS,
      ...(options.onWritten !== undefined && { onWritten: options.onWritten }),
    });
  }

  /** See {@link bringFormat}. */
  async bringFormat(): Promise<void> {
    this.#migratedFrom = await bringFormat(this.#trees, (change) =>
      this.#writer.run(({ trees }) => change(trees), 0),
    );
  }

  collection<T extends Document>(definition: CollectionDefinition): Collection<T> {
    this.#checkOpen();
    return this.#collections.open(
      definition,
      (copy) => new LmdbCollection<T>(copy, this.#engine(), this.#settle(copy)),
    );
  }

  async commit(changes: readonly Change[]): Promise<CommitOutcome> {
    this.#checkOpen();
    const { prepared, sizeBytes } = prepareCommit(changes);
    for (const collection of this.#collections.unsettled(changes)) await collection.settled();
    this.#checkOpen();
    if (prepared.length === 0) return { committed: true, revisions: [] };
    return this.#writer.run((transaction) => runCommit(transaction, prepared), sizeBytes);
  }

  clear(definition: CollectionDefinition): Promise<void> {
    return clearByCommits(this.collection(definition), (changes) => this.commit(changes));
  }

  async load(definition: CollectionDefinition, documents: readonly Document[]): Promise<void> {
    const collection = this.collection(definition);
    await this.commit(documents.map((document) => collection.putting(document)));
  }

  async inspect(): Promise<StoreInspection> {
    this.#checkOpen();
    try {
      this.#trees.root.resetReadTxn();
      return { ...inspectTrees(this.#trees), migratedFrom: this.#migratedFrom };
    } catch (error) {
      throw engineFailure(error, 'its catalogs are read');
    }
  }

  async sizeBytes(): Promise<number> {
    this.#checkOpen();
    try {
      return (await stat(this.#dataFile)).size;
    } catch (error) {
      throw engineFailure(error, 'the size of its file is asked for');
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (!(await this.#writer.drain())) {
      throw new StoreError(
        'unavailable',
        'The store cannot be closed: a write is still waiting for the lock or the disk',
      );
    }
    await this.#trees.root.close();
    const here = openHere.get(this.#path);
    here?.delete(this);
    if (here?.size === 0) openHere.delete(this.#path);
  }

  /** Does something while no transaction of this store is under way. */
  whileNotWriting<T>(work: () => Promise<T>): Promise<T> {
    return this.#writer.whilePaused(work);
  }

  async #settle(definition: CollectionDefinition): Promise<number> {
    try {
      return await this.#bringIndexes(definition);
    } catch (error) {
      throw engineFailure(error, `the indexes of ${definition.name} are read`);
    }
  }

  /** Brings the indexes to what is declared. @returns the collection's number */
  async #bringIndexes(definition: CollectionDefinition): Promise<number> {
    const { name, indexes } = definition;
    const startedMs = performance.now();
    this.#trees.root.resetReadTxn();
    let catalog = readCatalog(this.#trees, name);
    if (catalog === null || !isSettled(catalog, indexes)) {
      // Of a collection that is new nobody need hear: a first start makes dozens of them in no time.
      const level = catalog === null ? 'debug' : 'info';
      let steps = 0;
      for (let done = false; !done; steps++) {
        this.#checkOpen();
        done = await this.#writer.run((transaction) => settleStep(transaction, definition), 0);
        this.#logger.debug('store.index-step', { collection: name, steps });
      }
      this.#checkOpen();
      this.#trees.root.resetReadTxn();
      catalog = readCatalog(this.#trees, name);
      const tookMs = Math.round(performance.now() - startedMs);
      this.#logger[level]('store.indexes-made', { collection: name, steps, tookMs });
    }
    if (catalog === null) throw new StoreError('unavailable', `The store has lost the catalog of ${name}`);
    return catalog.number;
  }

  #engine(): Engine {
    return {
      trees: this.#trees,
      damage: this.damage,
      known: this.#known,
      commit: (changes) => this.commit(changes),
      refresh: () => {
        this.#checkOpen();
        // lmdb keeps a snapshot for the rest of the event turn, and longer where I/O callbacks follow each other: long
        // enough to miss a commit that another process has told us of (findings/lmdb-snapshot-of-a-turn.sh).
        this.#trees.root.resetReadTxn();
      },
    };
  }

  #checkOpen(): void {
    if (this.#closing !== null) throw new StoreError('closed', 'The store is closed');
  }
}
