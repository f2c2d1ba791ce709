import { IDLE_TURN_MS } from './background.js';
import { Lines } from './lines.js';

/** What a connection costs whose request is refused; most of it comes after it has been let in. */
const CONNECTION_MS = 1;
/** Of the time, for connections that are let in, while something else is at work. */
const SHARE = 0.1;
/** The same of turns of the event loop that are so long that whatever else is at work waits for each. */
const SHARE_OF_LONG = 0.03;
const LONG_TURN_MS = 10;
/** So many at most are let in one after the other, where the whole process had to wait. */
const CREDIT_MS_MAX = 5;

/**
 * Lets connections in beside what must not wait: those of each client in the order in which they came, the clients by turns, and while
 * something else is at work only for a share of the time.
 */
export class Entrance {
  /** Strangers, and those who are known. */
  readonly #lines = [new Lines<() => void>(), new Lines<() => void>()] as const;
  readonly #nowMs: () => number;
  #isGiving = false;
  #creditMs = 0;
  #hadStranger = false;

  /** @param nowMs  milliseconds that only ever grow */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /** How many of a client wait. */
  waitingOf(client: string): number {
    return this.#lines[0].sizeOf(client) + this.#lines[1].sizeOf(client);
  }

  /**
   * Calls `letIn`, which must not throw, when its turn has come: however many of others wait, each of them has one before its next. Every
   * second turn is of those who are known, however many strangers there are.
   * @returns to be called where it need not be let in any more
   */
  wait(client: string, isKnown: boolean, letIn: () => void): () => void {
    const line = this.#lines[isKnown ? 1 : 0];
    line.add(client, letIn);
    if (!this.#isGiving) {
      this.#isGiving = true;
      this.#creditMs = 0;
      // Whoever finds nobody waiting waits for nobody.
      this.#letIn();
      this.#giveAfter(this.#nowMs());
    }
    return () => line.remove(client, letIn);
  }

  #giveAfter(sinceMs: number): void {
    setImmediate(() => {
      const nowMs = this.#nowMs();
      const turnMs = nowMs - sinceMs;
      this.#creditMs = Math.min(
        this.#creditMs + turnMs * (turnMs > LONG_TURN_MS ? SHARE_OF_LONG : SHARE),
        CREDIT_MS_MAX,
      );
      if (turnMs <= IDLE_TURN_MS) this.#creditMs = Math.max(this.#creditMs, CONNECTION_MS);
      while (this.#creditMs >= CONNECTION_MS && this.#isWaitedFor()) this.#letIn();
      if (this.#isWaitedFor()) this.#giveAfter(nowMs);
      else this.#isGiving = false;
    });
  }

  #isWaitedFor(): boolean {
    return this.#lines[0].size + this.#lines[1].size > 0;
  }

  #letIn(): void {
    this.#creditMs -= CONNECTION_MS;
    const [strangers, known] = this.#lines;
    this.#hadStranger = strangers.size > 0 && (known.size === 0 || !this.#hadStranger);
    (this.#hadStranger ? strangers : known).take()?.();
  }
}
