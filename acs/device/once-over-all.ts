import { setTimeout as delay } from 'node:timers/promises';
import { Background, type Clock, type Logger, type MonotonicClock, SECOND_MS } from '../../common/index.js';
import {
  type Collection,
  type CollectionDefinition,
  type Cursor,
  type Document,
  Duty,
  type Store,
} from '../../store/index.js';

/** How far something has come that is done once to all that an installation has stored. */
export interface PurgeDocument extends Document {
  /** Where to go on; null: at the beginning. */
  readonly after: Cursor | null;
  /** What was changed; of a page that a crash cut off that is not counted which went before it. */
  readonly count: number;
  readonly isDone: boolean;
}

export const PURGES: CollectionDefinition = { name: 'purges', indexes: {} };
/** So long after the process that does it died another goes on; a page takes a second at most. */
const LEASE_MS = 30 * SECOND_MS;
/** Until it is done whoever does not have it, or has failed, looks again after so long. */
const AGAIN_MS = 10 * SECOND_MS;

export interface OnceOverAllParts<T extends Document> {
  readonly store: Store;
  readonly clock: Clock;
  readonly monotonic: MonotonicClock;
  readonly logger: Logger;
  /** Of its word of how far it has come: a later version that has more to do takes another. */
  readonly id: string;
  /** Of its lease. */
  readonly duty: string;
  /** What its events are called. */
  readonly events: { readonly done: string; readonly failed: string; readonly leaseNotReleased: string };
  readonly documents: Pick<Collection<T>, 'find'>;
  /** Documents at a time: some milliseconds of work. */
  readonly pageItems: number;
  /** Does it to a page. It may be done again to the same one. @returns how much was changed */
  readonly run: (documents: readonly T[]) => Promise<number>;
}

/**
 * Something that is done once to all that an earlier version has stored: for an installation, by one process, beside everything else; a
 * crash costs no more than a page.
 */
export class OnceOverAll<T extends Document> {
  readonly #parts: OnceOverAllParts<T>;
  readonly #purges: Collection<PurgeDocument>;
  readonly #duty: Duty;
  readonly #background = new Background();
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;

  constructor(parts: OnceOverAllParts<T>) {
    const { store, clock, monotonic, duty } = parts;
    this.#parts = parts;
    this.#purges = store.collection<PurgeDocument>(PURGES);
    this.#duty = new Duty({ store, clock, monotonic, id: duty, leaseMs: LEASE_MS });
    this.#running = this.#untilDone();
  }

  /** How far it has come, whichever process does it. */
  async progress(): Promise<PurgeDocument> {
    const { id } = this.#parts;
    return (await this.#purges.get(id))?.document ?? { id, after: null, count: 0, isDone: false };
  }

  /** Leaves the rest to the next start, or to another process. */
  async close(): Promise<void> {
    const { logger, events } = this.#parts;
    this.#stopping.abort();
    await this.#running;
    // Where the store fails the lease runs out by itself.
    await this.#duty.release().catch((error: unknown) => logger.warn(events.leaseNotReleased, { error }));
  }

  async #untilDone(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        if (await this.#goOn()) return;
      } catch (error) {
        this.#parts.logger.error(this.#parts.events.failed, { error });
      }
      await delay(AGAIN_MS, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  /** @returns whether there is nothing left to do, for any process */
  async #goOn(): Promise<boolean> {
    const { documents, pageItems, run, logger, events } = this.#parts;
    let progress = await this.progress();
    let hasLooked = progress.after !== null;
    while (!progress.isDone) {
      if (this.#stopping.signal.aborted || !(await this.#duty.isOurs())) return false;
      const { after, count } = progress;
      const from = { limit: pageItems, ...(after !== null && { after }) };
      const page = await this.#background.turn('page', () => documents.find(from));
      hasLooked ||= page.items.length > 0;
      const changedCount = await run(page.items.map(({ document }) => document));
      progress = { ...progress, after: page.next, count: count + changedCount, isDone: page.next === null };
      await this.#purges.put(progress);
      if (progress.isDone && hasLooked) logger.info(events.done, { count: progress.count });
    }
    return true;
  }
}
