import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/**
 * The words before a command that keep it on these processors, as `taskset` takes them; none where that cannot be done, or where no
 * processors are named.
 */
export function pinnedTo(cpus: string): readonly string[] {
  const words = ['taskset', '-c', cpus];
  const canPin = cpus !== '' && spawnSync('taskset', ['-c', cpus, 'true']).status === 0;
  return canPin ? words : [];
}

/** The words before a command that give it so many descriptors; none where this machine has no program for it, or does not let it have them. */
export function limitedTo(descriptors: number): readonly string[] {
  const words = ['prlimit', `--nofile=${descriptors}:${descriptors}`];
  return spawnSync('prlimit', [...words.slice(1), 'true']).status === 0 ? words : [];
}

/** A process of the benchmark's own that does one thing at a time when it is told to, and tells what came of it. */
export class Helper {
  readonly #child: ChildProcess;
  /** As it is not told in `exitCode` who could not be started. */
  #failed: Error | null = null;

  /** @param file  beside this one */
  constructor(file: string, cpus: string, args: readonly string[]) {
    const path = fileURLToPath(new URL(file, import.meta.url));
    const [command = process.execPath, ...words] = [...pinnedTo(cpus), process.execPath];
    this.#child = spawn(command, [...words, path, ...args], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child.on('error', (error) => {
      this.#failed = error;
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** @throws Error where the process has ended, or ends meanwhile */
  async ask<T>(order: object): Promise<T> {
    const gone = new AbortController();
    const leave = () => gone.abort();
    this.#child.once('exit', leave);
    try {
      if (this.#hasEnded) throw new Error('has ended');
      const answered = once(this.#child, 'message', { signal: gone.signal });
      this.#child.send(order);
      const [answer] = await answered;
      return answer as T;
    } catch (error) {
      throw new Error(`${this.#child.spawnargs.join(' ')} gave no answer`, { cause: this.#failed ?? error });
    } finally {
      this.#child.off('exit', leave);
    }
  }

  /** Ends it at once, with all its connections. */
  async end(): Promise<void> {
    if (this.#hasEnded) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  get #hasEnded(): boolean {
    return this.#failed !== null || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }
}
