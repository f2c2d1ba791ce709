import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { STRETCH_MS_MAX } from '../../common/index.js';

/**
 * Lets everything else in the process have its turn while much is computed. Reading the embedded store or an earlier result needs no
 * turn of the event loop, so that loops which only await such things would hold up every socket and timer until they end.
 */
export interface Pauses {
  /**
   * To be asked before each piece of work.
   * @returns null where it may begin at once, which costs next to nothing; else what must be awaited first
   * @example const pause = pauses.due(); if (pause !== null) await pause;
   */
  due(): Promise<void> | null;
}

/**
 * Whoever shares one also shares its stretches: a thousand decisions at a time are no longer a stretch than one. Whoever waits begins in the
 * next turn of the event loop, as many as one stretch has room for: one a turn would be few where others make the turns long.
 */
export function createPauses(): Pauses {
  /** When the present stretch began; null where everything else has had its turn since the last. */
  let sinceMs: number | null = null;
  const mayBegin = (): boolean => {
    if (sinceMs !== null) return performance.now() - sinceMs < STRETCH_MS_MAX;
    sinceMs = performance.now();
    // Before all that begins to wait in this stretch.
    setImmediate(() => {
      sinceMs = null;
    });
    return true;
  };
  // What each sets off is done before the next is asked.
  const onTurn = (begin: () => void): void => {
    if (mayBegin()) begin();
    else setImmediate(onTurn, begin);
  };
  return {
    due: () => (mayBegin() ? null : new Promise((resolve) => setImmediate(onTurn, resolve))),
  };
}

/**
 * Like `items.map(map)`, but others get their turn in between: what takes a tenth of a millisecond for an ordinary rule may take a
 * hundred times that for one that somebody made to.
 */
export async function mapWithPauses<Item, Result>(
  items: readonly Item[],
  map: (item: Item, index: number) => Result,
): Promise<Result[]> {
  const results: Result[] = [];
  let sinceMs = performance.now();
  for (const [index, item] of items.entries()) {
    if (performance.now() - sinceMs >= STRETCH_MS_MAX) {
      await nextTurn();
      sinceMs = performance.now();
    }
    results.push(map(item, index));
  }
  return results;
}
