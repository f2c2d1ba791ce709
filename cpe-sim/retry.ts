export interface RetryPolicy {
  /** Shortest first wait (CWMPRetryMinimumWaitInterval, in ms). */
  readonly waitMs: number;
  /** What each further wait is multiplied by (CWMPRetryIntervalMultiplier / 1000). */
  readonly factor: number;
}

/** From this retry on the wait no longer grows. */
const GROWING_RETRIES_MAX = 10;

/**
 * How long to wait before a failed session is tried again (TR-069 3.2.1.1, table 3): for the standard 5 s and factor 2, 5 to 10 s
 * at first, 10 to 20 s next, and so on up to the tenth.
 * @param retry   which retry it is, from 1
 * @param random  from 0 to 1: where in the range
 */
export function retryWaitMs(retry: number, policy: RetryPolicy, random: number): number {
  const power = Math.min(Math.max(retry, 1), GROWING_RETRIES_MAX) - 1;
  const shortestMs = policy.waitMs * policy.factor ** power;
  return Math.round(shortestMs + shortestMs * (policy.factor - 1) * random);
}
