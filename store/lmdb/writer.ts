import { statfs } from 'node:fs/promises';
import type { RootDatabase } from 'lmdb';
import type { Logger } from '../../common/index.js';
import { StoreError } from '../collection.js';
import { engineFailure } from '../damage.js';

/** Most commits that share one flush, and most bytes of them. */
const BATCH_JOBS_MAX = 256;
const BATCH_BYTES_MAX = 32 * 1024 * 1024;
/** Most commits that may wait; further ones are refused at once. */
const JOBS_WAITING_MAX = 50_000;
/** With less room than this on its file system, a write that failed did so for want of space. */
const FREE_BYTES_MIN = 1024 * 1024;
const ERRNO_NO_SPACE = new Set([27 /* EFBIG */, 28 /* ENOSPC */, 122 /* EDQUOT */]);

const NOT_WRITTEN = 'The store could not be written in time; nothing was changed';
const PERHAPS_WRITTEN = 'The disk did not answer in time; the change may or may not be in the store';

export interface WriterOptions {
  readonly directory: string;
  readonly logger: Logger;
  /** How long a commit waits for the write lock or the disk, at least; at most twice as long. */
  readonly waitMs: number;
  /** Told how each transaction went; null: it is on the disk. */
  readonly onWritten?: (failure: StoreError | null) => void;
}

/** What one LMDB transaction does around the jobs it carries. */
export interface Transaction {
  /** After the last job, before the transaction is committed. */
  finish(): void;
}

interface Job<Context> {
  /** Notes what came of it; never throws. */
  readonly run: (context: Context) => void;
  /** Tells the caller what `run` noted, now that it is durable. */
  readonly settle: () => void;
  readonly reject: (error: StoreError) => void;
  readonly sizeBytes: number;
  ticksWaited: number;
  /** It failed together with others. */
  alone: boolean;
}

/**
 * Group commit: jobs that come while a transaction is under way run in the next one, and are answered together when
 * that is flushed. One transaction at a time; each job sees what those before it did.
 *
 * A job must find out whether it can be done before it writes anything: one that throws has changed nothing, and the
 * others go on without it.
 */
export class Writer<Context extends Transaction> {
  #waiting: Job<Context>[] = [];
  #inFlight: Job<Context>[] = [];
  #pumping: Promise<void> | null = null;
  /** Ends with the transaction that is under way; it never fails. Null where none is. */
  #transacting: Promise<unknown> | null = null;
  /** Of the watchdog, since the transaction under way was asked for. */
  #ticks = 0;
  #watchdog: NodeJS.Timeout | null = null;
  /** Ends once nobody pauses it; null where nobody does. */
  #pause: Promise<void> | null = null;
  #onStall: () => void = () => {};

  constructor(
    private readonly root: Pick<RootDatabase, 'transaction'>,
    private readonly begin: () => Context,
    private readonly options: WriterOptions,
  ) {}

  /**
   * Runs `run` in a write transaction. It may run again where the transaction could not be committed.
   * @param sizeBytes  about how much it writes
   * @returns what `run` returned, once it is durable
   * @throws what `run` threw; StoreError `no-space` or `unavailable` where nothing could be written
   */
  run<T>(run: (context: Context) => T, sizeBytes: number): Promise<T> {
    if (this.#waiting.length >= JOBS_WAITING_MAX) {
      return Promise.reject(
        new StoreError(
          'unavailable',
          `${JOBS_WAITING_MAX} commits are waiting already: the disk is too slow`,
        ),
      );
    }
    return new Promise<T>((resolve, reject) => {
      let settle = () => reject(new Error('A job of a committed batch did not run'));
      this.#waiting.push({
        run(context) {
          try {
            const value = run(context);
            settle = () => resolve(value);
          } catch (error) {
            settle = () => reject(error);
          }
        },
        settle: () => settle(),
        reject,
        sizeBytes,
        ticksWaited: 0,
        alone: false,
      });
      this.#watchdog?.ref();
      this.#pumping ??= this.#pump();
    });
  }

  /** Waits for all jobs. @returns false where the write lock or the disk does not let them finish */
  async drain(): Promise<boolean> {
    if (this.#pumping === null) return true;
    if (this.#ticks > 1) return false;
    const stalled = new Promise<false>((resolve) => {
      this.#onStall = () => resolve(false);
    });
    return Promise.race([this.#pumping.then(() => true), stalled]);
  }

  /** Does something while no transaction of this writer is under way, nor wants to be. */
  async whilePaused<T>(work: () => T | Promise<T>): Promise<T> {
    while (this.#pause !== null) await this.#pause;
    let resume = () => {};
    this.#pause = new Promise((resolve) => {
      resume = resolve;
    });
    try {
      await this.#transacting;
      return await work();
    } finally {
      this.#pause = null;
      resume();
    }
  }

  async #pump(): Promise<void> {
    while (this.#waiting.length > 0) {
      while (this.#pause !== null) await this.#pause;
      this.#watchdog = setInterval(() => this.#expire(), this.options.waitMs);
      const transacting = this.#transact();
      this.#transacting = transacting;
      const { batch, failure } = await transacting;
      // What it carried is not to be kept until the next.
      this.#transacting = null;
      clearInterval(this.#watchdog);
      this.#watchdog = null;
      this.#ticks = 0;
      this.#inFlight = [];
      if (failure === null) {
        this.options.onWritten?.(null);
        for (const job of batch) job.settle();
      } else await this.#failed(batch, failure.cause);
    }
    this.#pumping = null;
  }

  async #transact(): Promise<{ batch: Job<Context>[]; failure: { cause: unknown } | null }> {
    let batch: Job<Context>[] = [];
    try {
      await this.root.transaction(() => {
        // Taken only now that the lock is held, so that those that came while it was waited for are in.
        batch = this.#nextBatch();
        this.#inFlight = batch;
        const context = this.begin();
        for (const job of batch) job.run(context);
        context.finish();
      });
      return { batch, failure: null };
    } catch (cause) {
      return { batch: batch.length === 0 ? this.#nextBatch() : batch, failure: { cause } };
    }
  }

  /** Nothing of the batch was committed. */
  async #failed(batch: Job<Context>[], cause: unknown): Promise<void> {
    const error = await storeErrorOf(cause, this.options.directory);
    this.options.onWritten?.(error);
    this.options.logger.error('store.commit-failed', {
      code: error.code,
      commits: batch.length,
      error: error.message,
    });
    if ((error.code === 'no-space' || error.code === 'damaged') && batch.length > 1) {
      // What does not fit must not take down what does: a delete, or a smaller document. Nor what needs a damaged page the rest.
      for (const job of batch) job.alone = true;
      this.#waiting.unshift(...batch);
    } else {
      for (const job of batch) job.reject(error);
    }
  }

  #nextBatch(): Job<Context>[] {
    if (this.#waiting[0]?.alone === true) return this.#waiting.splice(0, 1);
    let count = 0;
    let sizeBytes = 0;
    for (const job of this.#waiting) {
      sizeBytes += job.sizeBytes;
      if (count > 0 && (count >= BATCH_JOBS_MAX || sizeBytes > BATCH_BYTES_MAX)) break;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  /**
   * LMDB waits for the write lock and the disk without limit (and never answers where a transaction could not even
   * begin), so each job is let go after two ticks of the watchdog.
   */
  #expire(): void {
    if (++this.#ticks > 1) {
      this.options.logger.error('store.stalled', {
        waiting: this.#waiting.length,
        inFlight: this.#inFlight.length,
      });
      this.#onStall();
    }
    const isLate = (job: Job<Context>) => job.ticksWaited++ > 0;
    const waiting: Job<Context>[] = [];
    for (const job of this.#waiting) {
      if (isLate(job)) job.reject(new StoreError('unavailable', NOT_WRITTEN));
      else waiting.push(job);
    }
    this.#waiting = waiting;
    for (const job of this.#inFlight.filter(isLate)) {
      job.reject(new StoreError('unavailable', PERHAPS_WRITTEN));
    }
    // With everyone answered, a transaction that hangs must not keep the process from ending.
    if (this.#ticks > 1 && waiting.length === 0) this.#watchdog?.unref();
  }
}

/** LMDB reports a file system that ran full in the middle of a page as a plain I/O error. */
async function storeErrorOf(cause: unknown, directory: string): Promise<StoreError> {
  const error = await rootCauseOf(cause);
  const errno = error instanceof Error && 'code' in error ? error.code : undefined;
  const message = error instanceof Error ? error.message : String(error);
  if (
    (typeof errno === 'number' && ERRNO_NO_SPACE.has(errno)) ||
    (await freeBytes(directory)) < FREE_BYTES_MIN
  ) {
    return new StoreError('no-space', `No space left in ${directory}: nothing was changed (${message})`, {
      cause: error,
    });
  }
  const failure = engineFailure(error, `${directory} is written`);
  if (failure instanceof StoreError) return failure;
  return new StoreError('unavailable', `The store in ${directory} could not be written: ${message}`, {
    cause: error,
  });
}

/** lmdb rejects a commit with a general error that carries a promise of the real one. */
async function rootCauseOf(cause: unknown): Promise<unknown> {
  if (!(cause instanceof Error && 'commitError' in cause)) return cause;
  try {
    await cause.commitError;
    return cause;
  } catch (error) {
    return error;
  }
}

async function freeBytes(directory: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(directory);
    return bavail * bsize;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
