import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Turn } from './background.js';

/** So long one stretch of computing goes on before everything else in the process has its turn. */
export const STRETCH_MS_MAX = 5;

/** Work that is done in steps, each of at most a millisecond or two. */
export type Steps<Result> = Iterator<void, Result>;

/** Does the work, and lets everything else in the process have its turn in between. */
export async function withPauses<Result>(steps: Steps<Result>): Promise<Result> {
  let sinceMs = performance.now();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (performance.now() - sinceMs < STRETCH_MS_MAX) continue;
    await nextTurn();
    sinceMs = performance.now();
  }
}

/** Does the work a stretch at a time, each when its turn has come. */
export async function inTurns<Result>(steps: Steps<Result>, turn: Turn): Promise<Result> {
  for (;;) {
    const step = await turn(async () => oneStretch(steps));
    if (step.done === true) return step.value;
  }
}

function oneStretch<Result>(steps: Steps<Result>): IteratorResult<void, Result> {
  const sinceMs = performance.now();
  for (;;) {
    const step = steps.next();
    if (step.done === true || performance.now() - sinceMs >= STRETCH_MS_MAX) return step;
  }
}

/** Does the work in one go: for a command that has nothing else to do, and for what is small. */
export function atOnce<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
