import { setTimeout as delay } from 'node:timers/promises';
import { StoreError } from './collection.js';

const ATTEMPTS_MAX = 20;
/** The first lost races are tried again at once; from then on whoever races steps back for a while, each for another. */
const ATTEMPTS_AT_ONCE = 3;
/** Fifty sessions of one CPE at several processes need that many rounds, each as long as a commit takes. */
const STEP_BACK_MS_MAX = 1_000;

/**
 * Tries a conditional change until it goes through.
 * @param attempt  reads, decides and commits; gives undefined where something had moved meanwhile
 * @param what  what is being changed, for the error
 * @throws StoreError `unavailable` after 20 lost races: whoever asked may come again later
 */
export async function untilCommitted<T>(what: string, attempt: () => Promise<T | undefined>): Promise<T> {
  for (let attempts = 1; attempts <= ATTEMPTS_MAX; attempts++) {
    const result = await attempt();
    if (result !== undefined) return result;
    if (attempts >= ATTEMPTS_AT_ONCE) await delay(Math.random() * Math.min(2 ** attempts, STEP_BACK_MS_MAX));
  }
  throw new StoreError('unavailable', `${what} changed ${ATTEMPTS_MAX} times while it was being changed`);
}
