import { StoreError } from '../collection.js';

/** How many requests may be under way: one that brings large documents must not hold up the others. */
const REQUESTS_MAX = 1;
/** Where several asked at once the last time, the next wait so long for more: to this process a request costs as much as ten answers. */
const CROWD_WAIT_MS = 1;
/** Most questions that one request answers, as long as the answers are small, and that may wait. */
const REQUEST_ITEMS_MAX = 100;
const WAITING_MAX = 10_000;
/** About how many bytes one request should bring, going by what the last one brought. */
const REQUEST_BYTES = 4 * 1024 * 1024;

interface Waiting<Q, A> {
  readonly question: Q;
  readonly askedAtMs: number;
  readonly resolve: (answer: A) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Gathers questions that are asked at about the same time, as those of many sessions are: all of one turn of the event loop, and
 * while requests are under way all of that time. None joins a request that is on its way already, so each answer shows
 * what was committed before its question.
 */
export class Gathered<Q, A> {
  #waiting: Waiting<Q, A>[] = [];
  #underWay = 0;
  #isPlanned = false;
  /** By the last request. */
  #askedLast = 0;
  #itemsMax = REQUEST_ITEMS_MAX;

  /**
   * @param ask  answers each of the questions, in their order, within the store's time-out
   * @param timeoutMs  how long a question may wait for its turn
   * @param nowMs  goes on evenly; from whatever beginning
   */
  constructor(
    private readonly ask: (questions: readonly Q[]) => Promise<readonly A[]>,
    private readonly sizeBytesOf: (answer: A) => number,
    private readonly timeoutMs: number,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  /** @throws what `ask` throws; StoreError `unavailable` where too many wait */
  answer(question: Q): Promise<A> {
    if (this.#waiting.length >= WAITING_MAX) {
      return Promise.reject(
        new StoreError('unavailable', `${WAITING_MAX} reads are waiting: the database is too slow`),
      );
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ question, askedAtMs: this.nowMs(), resolve, reject });
      this.#plan();
    });
  }

  #plan(): void {
    if (this.#isPlanned || this.#underWay >= REQUESTS_MAX) return;
    this.#isPlanned = true;
    const send = () => {
      this.#isPlanned = false;
      void this.#send();
    };
    if (this.#askedLast > 1) setTimeout(send, CROWD_WAIT_MS);
    else setImmediate(send);
  }

  /** Where each request takes long, but not too long, those at the end would wait for many of them. */
  #expireWaiting(): void {
    const before = this.nowMs() - this.timeoutMs;
    const inTime = this.#waiting.findIndex(({ askedAtMs }) => askedAtMs >= before);
    const late = this.#waiting.splice(0, inTime === -1 ? this.#waiting.length : inTime);
    for (const { reject } of late) {
      reject(new StoreError('unavailable', 'The read has waited for too long: the database is too slow'));
    }
  }

  async #send(): Promise<void> {
    this.#expireWaiting();
    const asked = this.#waiting.splice(0, this.#itemsMax);
    if (asked.length === 0) return;
    this.#askedLast = asked.length;
    this.#underWay++;
    if (this.#waiting.length > 0) this.#plan();
    try {
      const answers = await this.ask(asked.map(({ question }) => question));
      const sizeBytes = answers.reduce((sum, answer) => sum + this.sizeBytesOf(answer), 0);
      const fitting = Math.floor((REQUEST_BYTES * answers.length) / Math.max(1, sizeBytes));
      this.#itemsMax = Math.max(1, Math.min(REQUEST_ITEMS_MAX, fitting));
      for (const [at, { resolve }] of asked.entries()) resolve(answers[at] as A);
    } catch (error) {
      // Who has waited for a request that fails for want of an answer has waited long enough.
      const isOfAll = error instanceof StoreError && error.code === 'unavailable';
      for (const { reject } of isOfAll ? [...asked, ...this.#waiting.splice(0)] : asked) reject(error);
    } finally {
      this.#underWay--;
      if (this.#waiting.length > 0) this.#plan();
    }
  }
}
