import { performance } from 'node:perf_hooks';
import { type Ending, type Evaluator, type EvaluatorOptions, startEvaluator } from './evaluator.js';

/** Starting takes a tenth of a second; on a machine that hardly moves, some. */
const START_MS_MAX = 30_000;
/** Where evaluators do not start at all, trying so often is enough. */
const START_AGAIN_MS = 1_000;
/** Evaluations that wait; more than are done in the time anyone waits. */
const WAITING_MAX = 10_000;

/** What became of an evaluation that was asked for. */
export type Evaluated = (
  | Exclude<Ending, { kind: 'closed' }>
  /** It did not begin in the time it could wait, or the isolate is closed. */
  | { readonly kind: 'busy' }
  /** When its turn came it was not wanted any more. */
  | { readonly kind: 'unwanted' }
) & { readonly waitedMs: number };

export interface IsolateRequest {
  readonly text: string;
  /** The same object, unchanged, for all conditions of a decision: it is sent once. */
  readonly context: object;
  readonly timeoutMs: number;
  /** How long it may wait for others. Waiting for the very first evaluator to start does not count. */
  readonly waitMs: number;
  /** Asked when its turn comes: what others found out meanwhile may have settled it. */
  readonly isWanted: () => boolean;
}

/** Where JSONata runs: apart from this process, one condition after the other, each with a deadline that holds whatever it does. */
export interface Isolate {
  /** Nothing is being evaluated, and an evaluator is ready or none was needed yet. */
  idle(): boolean;
  /** Waits until it is idle, or closed. */
  settled(): Promise<void>;
  evaluate(request: IsolateRequest): Promise<Evaluated>;
  /** Ends what is under way; what waits is told that it is busy. */
  close(): Promise<void>;
}

export interface IsolateOptions extends EvaluatorOptions {
  /** Called where an evaluator ended before it was ready: then what JSONata must evaluate is not evaluated. */
  readonly onStartFailed: () => void;
}

interface Waiting extends IsolateRequest {
  readonly sinceMs: number;
  readonly resolve: (evaluated: Evaluated) => void;
  timer?: NodeJS.Timeout;
}

/**
 * Starts nothing yet: that is done when the first condition comes. From then on a second evaluator stands by, so that the next
 * condition need not wait where one has ended the first.
 */
export function createIsolate(options: Partial<IsolateOptions> = {}): Isolate {
  const waiting = new Set<Waiting>();
  /** Ended with an evaluator, but perhaps not by its own fault: it goes before all others, once. */
  let again: Waiting | null = null;
  const evaluators = new Set<Evaluator>();
  let current: Evaluator | null = null;
  let spare: Evaluator | null = null;
  let busy = false;
  /** When the first evaluator was ready; until then nobody's waiting counts. */
  let readySinceMs: number | null = null;
  let closed = false;
  let notBeforeMs = 0;
  let onIdle: (() => void)[] = [];

  const idle = (): boolean => !busy && waiting.size === 0 && again === null;
  const release = (): void => {
    busy = false;
    next();
    if (!idle()) return;
    for (const resolve of onIdle) resolve();
    onIdle = [];
  };

  const start = (): Evaluator => {
    const evaluator = startEvaluator({ startMsMax: START_MS_MAX, ...options });
    evaluators.add(evaluator);
    void evaluator.ended.then(() => evaluators.delete(evaluator));
    return evaluator;
  };

  /** Sees to it that there is an evaluator for what waits, now or once it has started. */
  const supply = (): void => {
    if (closed || current !== null || performance.now() < notBeforeMs) return;
    const evaluator = spare ?? start();
    spare = null;
    current = evaluator;
    busy = true;
    void evaluator.ended.then(() => onEnded(evaluator));
    void evaluator.ready.then((isReady) => {
      if (!isReady) {
        notBeforeMs = performance.now() + START_AGAIN_MS;
        if (!closed) options.onStartFailed?.();
        for (const each of [again, ...waiting]) if (each !== null) giveUp(each);
        again = null;
        return;
      }
      if (readySinceMs === null) {
        readySinceMs = performance.now();
        for (const each of waiting) limitWait(each);
      }
      standBy();
      release();
    });
  };
  const standBy = (): void => {
    if (closed || spare !== null) return;
    const evaluator = start();
    spare = evaluator;
    void evaluator.ended.then(() => {
      if (spare === evaluator) spare = null;
    });
  };
  const onEnded = (evaluator: Evaluator): void => {
    if (current !== evaluator) return;
    current = null;
    if (waiting.size > 0 || readySinceMs !== null) supply();
    if (current !== null) return;
    if (again !== null) giveUp(again);
    again = null;
    release();
  };

  const waited = ({ sinceMs }: Waiting): { readonly waitedMs: number } => {
    const nowMs = performance.now();
    return { waitedMs: nowMs - Math.max(sinceMs, readySinceMs ?? nowMs) };
  };
  const take = (each: Waiting): void => {
    waiting.delete(each);
    clearTimeout(each.timer);
  };
  const giveUp = (each: Waiting): void => {
    take(each);
    each.resolve({ kind: 'busy', ...waited(each) });
  };
  const limitWait = (each: Waiting): void => {
    // Whoever could begin at once never waits for the timer.
    each.timer = setTimeout(() => giveUp(each), each.waitMs);
  };

  const next = (): void => {
    if (again !== null && current !== null && !busy) {
      const second = again;
      again = null;
      run(current, second, true);
    }
    for (const first of waiting) {
      if (current === null || busy) return;
      take(first);
      if (first.isWanted()) run(current, first, false);
      else first.resolve({ kind: 'unwanted', ...waited(first) });
    }
  };
  const run = (evaluator: Evaluator, each: Waiting, isSecond: boolean): void => {
    busy = true;
    const { waitedMs } = waited(each);
    void evaluator.evaluate(each.text, each.context, each.timeoutMs).then((ending) => {
      if (ending.kind === 'closed') return each.resolve({ kind: 'busy', waitedMs });
      if (ending.kind === 'out-of-memory' && ending.inDoubt && !isSecond && !closed) again = each;
      else each.resolve({ ...ending, waitedMs });
      // Any other ending is the evaluator's as well, which is heard of by itself.
      if (current === evaluator && ending.kind === 'answer') release();
    });
  };

  return {
    idle,
    settled: () =>
      new Promise((resolve) => {
        if (idle() || closed) resolve();
        else onIdle.push(resolve);
      }),
    evaluate(request) {
      return new Promise((resolve) => {
        const each: Waiting = { ...request, sinceMs: performance.now(), resolve };
        if (closed || waiting.size >= WAITING_MAX) return giveUp(each);
        waiting.add(each);
        supply();
        if (current === null) return giveUp(each);
        if (readySinceMs !== null) limitWait(each);
        next();
      });
    },
    async close() {
      closed = true;
      for (const each of [again, ...waiting]) if (each !== null) giveUp(each);
      again = null;
      const ending = [...evaluators];
      for (const evaluator of ending) evaluator.kill();
      await Promise.all(ending.map(({ ended }) => ended));
    },
  };
}
