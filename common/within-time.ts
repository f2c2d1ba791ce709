import { setTimeout as delay } from 'node:timers/promises';

/** What `work` comes to, also where it fails; null where it takes longer, and then it goes on unheard. */
export async function withinTime<T>(work: Promise<T>, timeoutMs: number): Promise<T | null> {
  const timer = new AbortController();
  const late = delay(timeoutMs, null, { signal: timer.signal }).catch(() => null);
  try {
    return await Promise.race([work, late]);
  } finally {
    timer.abort();
  }
}
