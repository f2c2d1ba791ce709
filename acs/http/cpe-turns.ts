import type { Socket } from 'node:net';
import { type CpeId, type MonotonicClock, monotonicClock } from '../../common/index.js';

/** Of one CPE, beside the request that is being worked on: it has one session at a time, and a few more where its connections break. */
export const WAITING_MAX = 15;

interface Waiting {
  readonly socket: Pick<Socket, 'destroyed'>;
  readonly due: (isDue: boolean) => void;
}

interface Turn {
  /** When it came; by the monotonic clock. */
  sinceMs: number;
  /** Who comes next first. */
  readonly waiting: Waiting[];
}

/** For each millisecond that a turn took, the next of the same CPE leaves so many to other CPEs. */
const OTHERS_WEIGHT = 9;
const PAUSE_MS_MAX = 1_000;
/** Behind a turn that took no longer the next comes at once. */
const SHORT_MS = 1;

/**
 * One CPE's requests are worked on one after the other, in the order in which they came, whatever number of sessions it has begun: what
 * one session costs is bounded, and how many a CPE opens at once is its own choice. Of too many the newest count, since a CPE that comes
 * again has given up what it sent before. Nor does one that has many at once have the processor to itself: between two of them that wait for
 * each other there is a pause, the longer the more the first took, as of a large data model. Two processes may each work for the same CPE: what they do is told apart by revisions.
 */
export class CpeTurns {
  readonly #turns = new Map<CpeId, Turn>();
  readonly #monotonic: MonotonicClock;

  constructor(monotonic: MonotonicClock = monotonicClock) {
    this.#monotonic = monotonic;
  }

  /**
   * @param socket  what the request came on: where that is gone by then, nobody is waiting
   * @returns null where the turn has come; else whether it has, or is lost to newer ones. Where it has, {@link give} follows
   */
  take(cpeid: CpeId, socket: Waiting['socket']): Promise<boolean> | null {
    const turn = this.#turns.get(cpeid);
    if (turn === undefined) {
      this.#turns.set(cpeid, { sinceMs: this.#monotonic(), waiting: [] });
      return null;
    }
    if (turn.waiting.length >= WAITING_MAX) turn.waiting.shift()?.due(false);
    return new Promise((due) => turn.waiting.push({ socket, due }));
  }

  give(cpeid: CpeId): void {
    const turn = this.#turns.get(cpeid);
    if (turn === undefined) return;
    const tookMs = this.#monotonic() - turn.sinceMs;
    if (turn.waiting.length === 0) this.#turns.delete(cpeid);
    else if (tookMs <= SHORT_MS) this.#next(cpeid, turn);
    else setTimeout(() => this.#next(cpeid, turn), Math.min(tookMs * OTHERS_WEIGHT, PAUSE_MS_MAX));
  }

  #next(cpeid: CpeId, turn: Turn): void {
    turn.sinceMs = this.#monotonic();
    for (let next = turn.waiting.shift(); next !== undefined; next = turn.waiting.shift()) {
      const isThere = !next.socket.destroyed;
      next.due(isThere);
      if (isThere) return;
    }
    this.#turns.delete(cpeid);
  }
}
