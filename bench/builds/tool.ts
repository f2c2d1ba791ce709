import { spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';

const LINES_TOLD_MAX = 20;

/** A program that did not do what it was run for; the message has the end of what it wrote. */
export class ToolError extends Error {
  constructor(command: string, outcome: string, output: string) {
    const told = output.trim().split('\n').slice(-LINES_TOLD_MAX).join('\n');
    super(`${command} ended with ${outcome}${told === '' ? '' : `:\n${told}`}`);
  }
}

/**
 * Runs a program to its end, in a process group of its own: when it is to be given up, what it has started ends with it, and nothing
 * writes any more once this has rejected.
 * @returns what it wrote to standard output
 * @throws ToolError, also where it was given up
 */
export async function runTool(
  file: string,
  args: readonly string[],
  { cwd, signal }: { readonly cwd: string; readonly signal?: AbortSignal },
): Promise<string> {
  const child = spawn(file, args, { cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, all] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk;
    all += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    all += chunk;
  });
  const giveUp = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
    } catch {
      // All of them have just ended by themselves.
    }
  };
  if (signal?.aborted) giveUp();
  signal?.addEventListener('abort', giveUp);
  try {
    // Not "exit": the pipes are closed once everybody who might still write has ended.
    const [code, killed] = await once(child, 'close');
    if (code === 0) return stdout;
    throw new ToolError([file, ...args].join(' '), code === null ? `signal ${killed}` : `code ${code}`, all);
  } finally {
    signal?.removeEventListener('abort', giveUp);
  }
}
