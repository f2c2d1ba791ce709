import { readFile } from 'node:fs/promises';

/** Memory of a process that is its own: not the store's files, which the system may drop at any time. Linux only, else 0. */
export async function anonymousBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^RssAnon:\s+([0-9]+) kB$/m.exec(status)?.[1] ?? 0) * 1_024;
}
