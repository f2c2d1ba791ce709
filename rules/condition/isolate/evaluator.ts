import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Outcome, Report, Task } from './protocol.js';

/** JavaScript's memory of one evaluator: what the conditions of a decision need many times over. */
const HEAP_MB_MAX = 128;
/** Contexts that an evaluator holds: decisions that take turns do not send theirs again each time. */
const CONTEXTS_HELD_MAX = 8;
/** JSONata's own time limit comes first where it can; what it cannot stop is killed so much later. */
const KILL_GRACE_MS = 25;
/** Compiling was done once before, when the rule was written; it never takes this long but on a machine that stands still. */
const COMPILE_MS_MAX = 2_000;
/** How often an evaluator that got no processor time meanwhile is given its time anew before it is killed. */
const STALLS_MAX = 3;
const CLOCK_TICK_MS = 10;

/** How one evaluation ended. */
export type Ending =
  | { readonly kind: 'answer'; readonly outcome: Outcome; readonly cpuMs: number }
  | { readonly kind: 'out-of-time' }
  | {
      readonly kind: 'out-of-memory';
      /** It held other contexts too, or was killed from outside: the condition may well be innocent. */
      readonly inDoubt: boolean;
    }
  | { readonly kind: 'crashed'; readonly message: string }
  /** Ended by whoever started it: that says nothing of what was being evaluated. */
  | { readonly kind: 'closed' };

/** One process that evaluates one condition at a time. */
export interface Evaluator {
  /** False where it ended before it was ready. */
  readonly ready: Promise<boolean>;
  readonly ended: Promise<void>;
  /**
   * It must be ready and not evaluating. Any other ending than an answer is the evaluator's own as well.
   * @param timeoutMs  counted from when the expression is compiled and its context is there
   */
  evaluate(text: string, context: object, timeoutMs: number): Promise<Ending>;
  /** Ends it, whatever it is doing. */
  kill(): void;
}

export interface EvaluatorOptions {
  readonly startMsMax: number;
  /** Processor time a process has spent so far; null where the system does not tell. */
  readonly cpuMsOf?: (pid: number) => number | null;
}

interface Running {
  readonly taskId: number;
  readonly timeoutMs: number;
  readonly end: (ending: Ending) => void;
}

/**
 * A process rather than a thread: where a thread of V8 asks for more memory than its limit at once (comparing two texts of 250 MB
 * does) the whole process is aborted, server and all; and terminating a thread waits for the built-in call that it is in.
 */
export function startEvaluator({ startMsMax, cpuMsOf = cpuMsOfProcess }: EvaluatorOptions): Evaluator {
  const child = fork(fileURLToPath(new URL('./evaluator-process.js', import.meta.url)), [], {
    // Nothing of the server's: no secrets from its environment, no debugger's port from its options.
    env: {},
    execArgv: [`--max-old-space-size=${HEAP_MB_MAX}`],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const contexts = createHeldContexts();
  let running: Running | null = null;
  let timer: NodeJS.Timeout | undefined;
  let killedFor: Ending | null = null;
  let taskId = 0;

  let tellReady: (ready: boolean) => void;
  const ready = new Promise<boolean>((resolve) => {
    tellReady = resolve;
  });
  const ended = new Promise<void>((resolve) => {
    const onEnd = (signal: NodeJS.Signals | null, message: string): void => {
      clearTimeout(timer);
      tellReady(false);
      running?.end(killedFor ?? endingOf(signal, contexts.count(), message));
      running = null;
      resolve();
    };
    child.once('exit', (code, signal) => onEnd(signal, `the evaluator ended with ${signal ?? code}`));
    child.on('error', (error) => onEnd(null, error.message));
  });

  const kill = (ending: Ending): void => {
    killedFor ??= ending;
    // Whoever waits for its end hears of it.
    child.ref();
    child.kill('SIGKILL');
  };
  const watch = (task: Running, timeoutMs: number, stalls = 0): void => {
    const before = cpuMsOf(child.pid ?? 0);
    timer = setTimeout(() => {
      const fired = timer;
      // What it said while this process was busy elsewhere is read first.
      setImmediate(() => {
        if (running !== task || timer !== fired) return;
        const now = cpuMsOf(child.pid ?? 0);
        const idle = now !== null && before !== null && now - before < timeoutMs / 2;
        if (idle && stalls < STALLS_MAX) watch(task, timeoutMs, stalls + 1);
        else kill({ kind: 'out-of-time' });
      });
    }, timeoutMs + KILL_GRACE_MS);
  };

  timer = setTimeout(() => kill({ kind: 'closed' }), startMsMax);
  child.on('message', (report: Report) => {
    // What it said with its last breath: it can take no other task, so it is not to look as if it were free.
    if (killedFor !== null) return;
    if (report.kind === 'ready') {
      clearTimeout(timer);
      rest(child);
      tellReady(true);
      return;
    }
    const task = running;
    if (task === null || task.taskId !== report.id) return;
    clearTimeout(timer);
    if (report.kind === 'started') {
      watch(task, task.timeoutMs);
      return;
    }
    running = null;
    rest(child);
    task.end({ kind: 'answer', outcome: report.outcome, cpuMs: report.cpuMs });
  });

  return {
    ready,
    ended,
    evaluate(text, context, timeoutMs) {
      return new Promise((end) => {
        taskId += 1;
        const own: Running = { taskId, timeoutMs, end };
        running = own;
        child.ref();
        child.channel?.ref();
        watch(own, COMPILE_MS_MAX);
        const task: Task = { id: taskId, text, ...contexts.take(context) };
        // Where it cannot be sent the process has ended, which is heard of by itself.
        child.send(task, () => {});
      });
    },
    kill: () => kill({ kind: 'closed' }),
  };
}

/** While it waits it keeps nobody from ending. */
function rest(child: ChildProcess): void {
  child.unref();
  child.channel?.unref();
}

/** V8 aborts when it is out of memory; a kill that was not ours is most often the system's, which may be out of memory for others. */
function endingOf(signal: NodeJS.Signals | null, contextsHeld: number, message: string): Ending {
  if (signal === 'SIGKILL') return { kind: 'out-of-memory', inDoubt: true };
  return signal === 'SIGABRT' || signal === 'SIGTRAP'
    ? { kind: 'out-of-memory', inDoubt: contextsHeld > 1 }
    : { kind: 'crashed', message };
}

/** Which contexts the other side has, so that each is sent once. */
function createHeldContexts() {
  const ids = new WeakMap<object, number>();
  const held = new Set<number>();
  let last = 0;
  return {
    count: () => held.size,
    take(context: object): Pick<Task, 'contextId' | 'context' | 'forget'> {
      const known = ids.get(context);
      if (known !== undefined && held.has(known)) return { contextId: known };
      last += 1;
      ids.set(context, last);
      held.add(last);
      const [oldest] = held;
      if (held.size <= CONTEXTS_HELD_MAX || oldest === undefined) return { contextId: last, context };
      held.delete(oldest);
      return { contextId: last, context, forget: oldest };
    },
  };
}

/** From Linux's /proc, in its ticks of 10 ms; other systems tell only of a process's own. */
function cpuMsOfProcess(pid: number): number | null {
  try {
    // The command's name, in brackets, may hold anything; user and system time are the 14th and 15th field.
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ') ?? [];
    const ticks = Number(fields[11]) + Number(fields[12]);
    return Number.isFinite(ticks) ? ticks * CLOCK_TICK_MS : null;
  } catch {
    return null;
  }
}
