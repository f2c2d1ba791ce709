import { randomBytes } from 'node:crypto';
import type { Document as BsonDocument, ClientSession, Db, MongoClient } from 'mongodb';
import type { Logger } from '../../common/index.js';

/** No collection of a definition can have a dot in its name. */
export const WRITERS = 'ferry.writers';

const SEEN_INTERVAL_MS = 2_000;
/** One that lives and is taken for dead loses a transaction, and repeats it. */
const SILENT_MS_MAX = 6_000;
/** While the database was away nobody could say that it lives, nor for a moment after; so not only time counts. */
const SILENT_LOOKS = SILENT_MS_MAX / SEEN_INTERVAL_MS;
const WRITER_BYTES = 9;

interface Writer extends BsonDocument {
  _id: string;
  /** The id of the session whose transactions it writes in. */
  session: ClientSession['id'];
  seenAt: Date;
}

interface Known {
  readonly seenAtMs: number;
  /** Since when, by this process's own clock, and in how many looks since, it has been so. */
  readonly sinceMs: number;
  readonly looks: number;
}

/** Remembers what was seen of writers, to tell which of them have fallen silent. */
export class Silence {
  #known: ReadonlyMap<string, Known> = new Map();

  /** @returns those of whom nothing new was seen for long */
  among<W extends Pick<Writer, '_id' | 'seenAt'>>(writers: readonly W[], nowMs: number): readonly W[] {
    const known = new Map<string, Known>();
    const silent = writers.filter(({ _id, seenAt }) => {
      const before = this.#known.get(_id);
      const isAsBefore = before?.seenAtMs === seenAt.getTime();
      const sinceMs = isAsBefore ? before.sinceMs : nowMs;
      const looks = isAsBefore ? before.looks + 1 : 0;
      known.set(_id, { seenAtMs: seenAt.getTime(), sinceMs, looks });
      return nowMs - sinceMs >= SILENT_MS_MAX && looks >= SILENT_LOOKS;
    });
    this.#known = known;
    return silent;
  }
}

/**
 * The processes that write, each with the session of its transactions. One that dies in the midst of a transaction leaves it
 * open, and whatever it had written locked, until MongoDB aborts it after 60 s; here those that live end its session after
 * a few. For a process that was only slow that is no harm: a transaction that it loses it begins anew.
 */
export class Writers {
  readonly #client: MongoClient;
  readonly #database: Db;
  readonly #logger: Logger;
  readonly #session: ClientSession;
  readonly #id = randomBytes(WRITER_BYTES).toString('base64url');
  readonly #silence = new Silence();
  #enrolled: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #round: Promise<void> | null = null;

  constructor(parts: { client: MongoClient; database: Db; logger: Logger; session: ClientSession }) {
    this.#client = parts.client;
    this.#database = parts.database;
    this.#logger = parts.logger;
    this.#session = parts.session;
  }

  /** To be awaited before the first transaction begins; costs nothing from then on. */
  enrol(): Promise<void> {
    this.#enrolled ??= this.#enrol().catch((error: unknown) => {
      this.#enrolled = null;
      throw error;
    });
    return this.#enrolled;
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#round;
  }

  async #enrol(): Promise<void> {
    await this.#beSeen();
    this.#timer ??= setInterval(() => {
      this.#round ??= this.#beSeen()
        .then(() => this.#endSilent())
        .catch((error: unknown) => this.#logger.debug('store.writers-unknown', { error }))
        .finally(() => {
          this.#round = null;
        });
    }, SEEN_INTERVAL_MS).unref();
  }

  async #beSeen(): Promise<void> {
    await this.#writers.updateOne(
      { _id: this.#id },
      { $set: { session: this.#session.id }, $currentDate: { seenAt: true } },
      { upsert: true },
    );
  }

  async #endSilent(): Promise<void> {
    const writers = await this.#writers.find({ _id: { $ne: this.#id } }, { hint: '_id_' }).toArray();
    for (const { _id, session, seenAt } of this.#silence.among(writers, performance.now())) {
      // Of one that stopped as it should there is nothing to end, and it is no error to try.
      await this.#client.db('admin').command({ killSessions: [session] });
      const { deletedCount } = await this.#writers.deleteOne({ _id, seenAt });
      if (deletedCount > 0) this.#logger.info('store.writer-gone', { writer: _id, seenAt });
    }
  }

  get #writers() {
    return this.#database.collection<Writer>(WRITERS);
  }
}
