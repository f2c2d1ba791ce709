import { Lines } from './lines.js';

/** Does a piece of work when its turn has come. */
export type Turn = <R>(work: () => Promise<R>) => Promise<R>;

/** For each millisecond of its own, what is in the background leaves so many to everything else that wants them. */
const OTHERS_WEIGHT = 4;
/** After one piece at most: where the whole process had to wait, a piece seems to have taken long. */
const OWED_MS_MAX = 200;
/** What a turn of the event loop takes where nothing of note came in it. */
export const IDLE_TURN_MS = 0.25;

/**
 * Lets lists and searches of any number be read beside what must not wait: one piece of work at a time, those of each client in the order
 * in which they were asked for, and the clients by turns; at least two turns of the event loop apart, and while something else is at work
 * only a small share of the time. A piece that itself waits for something (a database) is over before the next begins.
 */
export class Background {
  readonly #waiting = new Lines<() => Promise<void>>();
  readonly #nowMs: () => number;
  readonly #othersWeight: number;
  #isGiving = false;

  /**
   * @param options  `othersWeight`: for each millisecond of its own it leaves so many to others, 4 unless told; `nowMs`: milliseconds that only
   * ever grow
   */
  constructor(options: { readonly othersWeight?: number; readonly nowMs?: () => number } = {}) {
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#othersWeight = options.othersWeight ?? OTHERS_WEIGHT;
  }

  /** Does a piece of a client's work when its turn has come: however many pieces of others wait, each of them has one before its next. */
  turn<R>(client: string, work: () => Promise<R>): Promise<R> {
    return new Promise((resolve, reject) => {
      // What throws at once is told as what fails later.
      const piece = async () => work();
      this.#waiting.add(client, () => piece().then(resolve, reject));
      if (this.#isGiving) return;
      this.#isGiving = true;
      this.#give();
    });
  }

  #give(): void {
    let isWorking = true;
    let isOwed = true;
    let beganMs = 0;
    setImmediate(() => {
      beganMs = this.#nowMs();
      void this.#waiting
        .take()?.()
        .finally(() => {
          isWorking = false;
          // It has waited for something: nobody has looked meanwhile whether it is over.
          if (!isOwed) setImmediate(() => this.#goOn());
        });
    });
    // In the same turn, behind all that follows from the work without waiting for anything.
    setImmediate(() => {
      const endedMs = this.#nowMs();
      this.#leaveToOthers(Math.min((endedMs - beganMs) * this.#othersWeight, OWED_MS_MAX), endedMs, () => {
        isOwed = false;
        if (!isWorking) this.#goOn();
      });
    });
  }

  #leaveToOthers(owedMs: number, sinceMs: number, done: () => void): void {
    setImmediate(() => {
      const nowMs = this.#nowMs();
      const turnMs = nowMs - sinceMs;
      if (turnMs > IDLE_TURN_MS && turnMs < owedMs) this.#leaveToOthers(owedMs - turnMs, nowMs, done);
      else done();
    });
  }

  #goOn(): void {
    if (this.#waiting.size > 0) this.#give();
    else this.#isGiving = false;
  }
}
