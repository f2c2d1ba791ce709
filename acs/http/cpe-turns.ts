import type { Socket } from 'node:net';
import type { CpeId } from '../../common/index.js';

/** Of one CPE, beside the request that is being worked on: it has one session at a time, and a few more where its connections break. */
export const WAITING_MAX = 15;

interface Waiting {
  readonly socket: Pick<Socket, 'destroyed'>;
  readonly due: (isDue: boolean) => void;
}

/** Nobody waits: as it is of nearly every CPE, so that there is one for all. */
const NOBODY: Waiting[] = [];

/**
 * One CPE's requests are worked on one after the other, in the order in which they came, whatever number of sessions it has begun: what
 * one session costs is bounded, and how many a CPE opens at once is its own choice. Of too many the newest count, since a CPE that comes
 * again has given up what it sent before. Two processes may each work for the same CPE: what they do is told apart by revisions.
 */
export class CpeTurns {
  /** Who waits, by the CPE that is being worked for. */
  readonly #waiting = new Map<CpeId, Waiting[]>();

  /**
   * @param socket  what the request came on: where that is gone by then, nobody is waiting
   * @returns null where the turn has come; else whether it has, or is lost to newer ones. Where it has, {@link give} follows
   */
  take(cpeid: CpeId, socket: Waiting['socket']): Promise<boolean> | null {
    const waiting = this.#waiting.get(cpeid);
    if (waiting !== undefined) return this.#wait(cpeid, waiting, socket);
    this.#waiting.set(cpeid, NOBODY);
    return null;
  }

  #wait(cpeid: CpeId, before: Waiting[], socket: Waiting['socket']): Promise<boolean> {
    const waiting = before === NOBODY ? [] : before;
    if (before === NOBODY) this.#waiting.set(cpeid, waiting);
    if (waiting.length >= WAITING_MAX) waiting.shift()?.due(false);
    return new Promise((due) => waiting.push({ socket, due }));
  }

  give(cpeid: CpeId): void {
    const waiting = this.#waiting.get(cpeid) ?? NOBODY;
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const isThere = !next.socket.destroyed;
      next.due(isThere);
      if (isThere) return;
    }
    this.#waiting.delete(cpeid);
  }
}
