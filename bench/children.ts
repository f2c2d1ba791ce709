import { type ChildProcess, fork } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { progressBar } from '../cli/progress.js';

/** Starts a script of this folder in a process of its own. */
export function forked(file: string, args: readonly string[]): ChildProcess {
  return fork(fileURLToPath(new URL(file, import.meta.url)), [...args]);
}

/** @throws Error where it did not end well */
export async function ended(child: ChildProcess): Promise<void> {
  const code = child.exitCode ?? (await new Promise((resolve) => child.once('exit', resolve)));
  if (code !== 0) throw new Error(`${child.spawnargs[1]} ended with code ${code}`);
}

/** Makes so many CPEs known in a data directory that a server has been on. */
export async function writeCpes(dataDir: string, count: number): Promise<void> {
  const bar = progressBar(process, { title: 'Writing CPEs', total: count, unit: 'items' });
  const child = forked('./cpe-loader.js', [dataDir, String(count)]);
  child.on('message', (done: number) => bar.at(done));
  await ended(child);
  bar.stop();
}
