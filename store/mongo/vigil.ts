import { MongoServerError } from 'mongodb';
import type { Logger } from '../../common/index.js';
import { StoreError } from '../collection.js';

/** Silence is counted in so many looks, so that a process which was itself held up for long takes that for one of them. */
const LOOKS = 10;
/** After so many looks without an answer the database is asked whether it is there. */
const LOOKS_BEFORE_ASKING = 4;
const LOOK_MS_MIN = 10;
/** Each ends by the driver's own time-outs; a connection that is dead without a word must not keep the next from asking. */
const QUESTIONS_MAX = 8;

export interface VigilOptions {
  /** A database from which nothing came for so long, though it was asked, is taken for gone. */
  readonly silenceMsMax: number;
  /** Asks the database for next to nothing. */
  readonly ask: () => Promise<unknown>;
  /** Called when the database is taken for gone. */
  readonly onSilent: () => void;
  readonly logger: Logger;
}

/**
 * Notices that the database has stopped answering, whoever it was that asked, so that those who come later are told at once
 * instead of waiting for a time-out each: thousands of CPEs would. It goes on asking, and the first answer ends it. A database
 * that is only slow, or busy with one long request, answers the question in between.
 */
export class Vigil {
  readonly #options: VigilOptions;
  readonly #looking: NodeJS.Timeout;
  readonly #givingUp = new Set<() => void>();
  #underWay = 0;
  #isHeard = false;
  #looks = 0;
  #questions = 0;
  #silentSinceMs: number | null = null;
  #lastError: string | null = null;

  constructor(options: VigilOptions) {
    this.#options = options;
    const intervalMs = Math.max(LOOK_MS_MIN, options.silenceMsMax / LOOKS);
    this.#looking = setInterval(() => this.#look(), intervalMs);
    this.#looking.unref();
  }

  get isSilent(): boolean {
    return this.#silentSinceMs !== null;
  }

  close(): void {
    clearInterval(this.#looking);
  }

  /** @throws StoreError `unavailable` while the database is taken for gone */
  check(what: string): void {
    if (this.#silentSinceMs !== null) throw this.#silence(what);
  }

  /** Counts what has been asked as under way until it ends. */
  attend<R>(asked: Promise<R>): Promise<R> {
    this.#underWay++;
    asked.then(
      () => this.#ended(null),
      (error: unknown) => this.#ended(error),
    );
    return asked;
  }

  /**
   * The same, for what changes nothing: it is not waited for any longer once the database is taken for gone.
   * @throws StoreError `unavailable`
   */
  attendRead<R>(what: string, asked: Promise<R>): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      const giveUp = () => reject(this.#silence(what));
      this.#givingUp.add(giveUp);
      this.attend(asked).then(
        (answer) => {
          this.#givingUp.delete(giveUp);
          resolve(answer);
        },
        (error: unknown) => {
          this.#givingUp.delete(giveUp);
          reject(error);
        },
      );
    });
  }

  #ended(error: unknown): void {
    this.#underWay--;
    // An error of the server's is an answer as well.
    if (error === null || error instanceof MongoServerError) this.#hear();
    else if (!(error instanceof StoreError))
      this.#lastError = error instanceof Error ? error.message : String(error);
  }

  #silence(what: string): StoreError {
    const because = this.#lastError === null ? '' : ` (${this.#lastError})`;
    return new StoreError('unavailable', `${what}: the database does not answer${because}`);
  }

  #hear(): void {
    this.#isHeard = true;
    if (this.#silentSinceMs === null) return;
    const silentMs = Math.round(performance.now() - this.#silentSinceMs);
    this.#silentSinceMs = null;
    this.#options.logger.info('store.answers-again', { silentMs });
  }

  #look(): void {
    const isAwaited = this.#underWay > 0 || this.#silentSinceMs !== null;
    if (this.#isHeard || !isAwaited) {
      this.#isHeard = false;
      this.#looks = 0;
      this.#lastError = null;
      return;
    }
    this.#looks++;
    if (this.#looks >= LOOKS_BEFORE_ASKING) this.#question();
    if (this.#looks >= LOOKS && this.#silentSinceMs === null) this.#fallSilent();
  }

  #question(): void {
    if (this.#questions >= QUESTIONS_MAX) return;
    this.#questions++;
    const ended = () => {
      this.#questions--;
    };
    this.attend(this.#options.ask()).then(ended, ended);
  }

  #fallSilent(): void {
    const { silenceMsMax, logger, onSilent } = this.#options;
    this.#silentSinceMs = performance.now();
    logger.error('store.silent', { ms: silenceMsMax, ...(this.#lastError && { error: this.#lastError }) });
    for (const giveUp of [...this.#givingUp]) giveUp();
    onSilent();
  }
}
