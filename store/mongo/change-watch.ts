import { setTimeout as delay } from 'node:timers/promises';
import { type Collection, type Db, MongoServerError, type ResumeToken } from 'mongodb';
import { type Logger, withinTime } from '../../common/index.js';
import type { Watch } from '../collection.js';
import type { StoredRecord } from './layout.js';

/** So long the database waits for a change before it says that there is none. */
const AWAIT_MS = 250;
/** A database that has fallen silent is not waited for any longer. */
const CLOSE_MS_MAX = 4 * AWAIT_MS;
/** Word of the database that was asked for longer ago is none: a change is known within a second, the read that follows included. */
const WORD_AGE_MS_MAX = 750;
/** How long to wait before a stream is begun again: a random time up to this, twice as long each time. */
const PAUSE_MS = 100;
const PAUSE_MS_MAX = 5_000;
/** What a mongos says it is. */
const SHARDED = 'isdbgrid';

export interface ChangeWatchParts {
  readonly database: Db;
  readonly records: Collection<StoredRecord>;
  readonly logger: Logger;
}

/**
 * A collection watched by change stream, from the first time that somebody asks for its position. An empty answer of the stream
 * says that there was no change until it was asked for; where none came of late, as with a connection that is half open, nothing
 * is said.
 */
export class ChangeWatch implements Watch {
  readonly #parts: ChangeWatchParts;
  readonly #closing = new AbortController();
  #position = 0;
  /** When the last answer was asked for. */
  #askedAtMs = Number.NEGATIVE_INFINITY;
  /** Where the stream has come to; null where the next one begins anew. */
  #token: ResumeToken | null = null;
  #failures = 0;
  #stream: { close(): Promise<void> } | null = null;
  #running: Promise<void> | null = null;

  constructor(parts: ChangeWatchParts) {
    this.#parts = parts;
  }

  position(): number | null {
    if (this.#closing.signal.aborted) return null;
    this.#running ??= this.#run();
    return performance.now() - this.#askedAtMs <= WORD_AGE_MS_MAX ? this.#position : null;
  }

  /** To be called when this process has changed the collection, before anyone is told. */
  changed(): void {
    this.#position++;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    // It ends by itself with its next answer; closed while it waits for one the driver may leave it open in the database.
    if (this.#running !== null) await withinTime(this.#running, CLOSE_MS_MAX);
    await this.#stream?.close().catch(() => {});
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        // A mongos holds changes back until every shard has gone on, and gives empty answers meanwhile: they prove nothing.
        if (await this.#isSharded()) return;
        await this.#follow();
      } catch (error) {
        if (signal.aborted) return;
        this.#lost(error);
        const pauseMs = Math.random() * Math.min(PAUSE_MS_MAX, PAUSE_MS * 2 ** Math.min(this.#failures, 10));
        await delay(pauseMs, undefined, { signal }).catch(() => {});
      }
    }
  }

  async #isSharded(): Promise<boolean> {
    return (await this.#parts.database.command({ hello: 1 }))['msg'] === SHARDED;
  }

  /** The driver resumes by itself where a connection is lost. @throws where it cannot */
  async #follow(): Promise<never> {
    const stream = this.#parts.records.watch([{ $project: { _id: 1 } }], {
      maxAwaitTimeMS: AWAIT_MS,
      ...(this.#token === null ? {} : { resumeAfter: this.#token }),
    });
    this.#stream = stream;
    try {
      while (!stream.closed && !this.#closing.signal.aborted) {
        const askedAtMs = performance.now();
        const change = await stream.tryNext();
        // What came before a stream that begins anew it does not tell.
        if (change !== null || this.#token === null) this.#position++;
        this.#token = stream.resumeToken ?? null;
        this.#askedAtMs = askedAtMs;
        this.#live();
      }
      this.#token = null;
      throw new Error('The collection has been dropped or renamed');
    } finally {
      await stream.close().catch(() => {});
    }
  }

  #live(): void {
    if (this.#failures === 0) return;
    this.#failures = 0;
    this.#parts.logger.info('store.watch-resumed', { collection: this.#parts.records.collectionName });
  }

  #lost(error: unknown): void {
    this.#askedAtMs = Number.NEGATIVE_INFINITY;
    // The server answers and refuses: mostly as it does not remember so far back. Beginning anew costs its users one read.
    if (error instanceof MongoServerError) this.#token = null;
    if (this.#failures++ > 0) return;
    this.#parts.logger.warn('store.watch-lost', {
      collection: this.#parts.records.collectionName,
      error: error instanceof Error ? error.message : String(error),
    });
  }
}
