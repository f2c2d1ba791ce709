import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Manifest } from './ledger.js';
import { type Lock, parseLock } from './lock.js';

const ROOT = new URL('../../../', import.meta.url);

export const LEDGER = fileURLToPath(new URL('docs/dependencies.md', ROOT));

/** What Ferry's own ledger is held to. */
export async function project(): Promise<{ readonly lock: Lock; readonly manifest: Manifest }> {
  const [lock, manifest] = await Promise.all(
    ['package-lock.json', 'package.json'].map((name) => readFile(new URL(name, ROOT), 'utf8')),
  );
  return { lock: parseLock(lock ?? ''), manifest: JSON.parse(manifest ?? '') as Manifest };
}
