import type { MonotonicClock } from '../../common/index.js';

/** Conditions on probation are tried so far apart, all together: what each may use up is then a fifth of one processor. */
export const TRIAL_PACE_MS = 250;
/** More different conditions that trip than anyone has; the one that came first is then forgotten. */
const CONDITIONS_MAX = 10_000;

/** The conditions that tripped in this process: tried again only now and then, until one comes to an end. */
export interface Probation {
  /**
   * `free`: not on probation. `trial`: it may be tried now. `wait`: it may not.
   * @param idle  nobody else waits for an evaluation
   */
  admit(text: string, idle: boolean): 'free' | 'trial' | 'wait';
  has(text: string): boolean;
  enter(text: string): void;
  leave(text: string): void;
}

export function createProbation(monotonic: MonotonicClock): Probation {
  /** When each was tried last, by its text: an edited condition is another one. */
  const triedMs = new Map<string, number>();
  let lastTrialMs = Number.NEGATIVE_INFINITY;
  const isOver = (sinceMs: number, pauseMs: number): boolean => monotonic() - sinceMs >= pauseMs;
  return {
    admit(text, idle) {
      const last = triedMs.get(text);
      if (last === undefined) return 'free';
      if (!idle || !isOver(lastTrialMs, TRIAL_PACE_MS)) return 'wait';
      // One that every CPE meets must not take the turns of the others.
      if (!isOver(last, TRIAL_PACE_MS * triedMs.size)) return 'wait';
      lastTrialMs = monotonic();
      triedMs.set(text, lastTrialMs);
      return 'trial';
    },
    has: (text) => triedMs.has(text),
    enter(text) {
      if (triedMs.has(text)) return;
      for (const oldest of triedMs.keys()) {
        if (triedMs.size < CONDITIONS_MAX) break;
        triedMs.delete(oldest);
      }
      triedMs.set(text, monotonic());
    },
    leave: (text) => void triedMs.delete(text),
  };
}
