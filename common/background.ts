/** Does a piece of work when its turn has come. */
export type Turn = <R>(work: () => Promise<R>) => Promise<R>;

/** For each millisecond of its own, what is in the background leaves so many to everything else that wants them. */
const OTHERS_WEIGHT = 4;
/** After one piece at most: where the whole process had to wait, a piece seems to have taken long. */
const OWED_MS_MAX = 200;
/** What a turn of the event loop takes where nothing of note came in it. */
const IDLE_TURN_MS = 0.25;

/**
 * Lets lists and searches of any number be read beside what must not wait: one piece of work at a time, whoever it is for, in the order
 * in which they were asked for, at least two turns of the event loop apart; and while something else is at work, only a small share of the time.
 * A piece that itself waits for something (a database) is over before the next begins.
 */
export class Background {
  readonly #waiting: (() => Promise<void>)[] = [];
  readonly #nowMs: () => number;
  #isGiving = false;

  /** @param nowMs  milliseconds that only ever grow */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  readonly turn: Turn = (work) =>
    new Promise((resolve, reject) => {
      // What throws at once is told as what fails later.
      const piece = async () => work();
      this.#waiting.push(() => piece().then(resolve, reject));
      if (this.#isGiving) return;
      this.#isGiving = true;
      this.#give();
    });

  #give(): void {
    let isWorking = true;
    let beganMs = 0;
    setImmediate(() => {
      beganMs = this.#nowMs();
      const next = this.#waiting.shift();
      void next?.().finally(() => {
        isWorking = false;
      });
    });
    // In the same turn, behind all that follows from the work without waiting for anything.
    setImmediate(() => {
      const endedMs = this.#nowMs();
      this.#leaveToOthers(
        Math.min((endedMs - beganMs) * OTHERS_WEIGHT, OWED_MS_MAX),
        endedMs,
        () => isWorking,
      );
    });
  }

  #leaveToOthers(owedMs: number, sinceMs: number, isWorking: () => boolean): void {
    setImmediate(() => {
      const nowMs = this.#nowMs();
      const turnMs = nowMs - sinceMs;
      const isOwed = turnMs > IDLE_TURN_MS && turnMs < owedMs;
      if (isOwed || isWorking()) this.#leaveToOthers(owedMs - turnMs, nowMs, isWorking);
      else if (this.#waiting.length > 0) this.#give();
      else this.#isGiving = false;
    });
  }
}
