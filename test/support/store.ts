import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLmdbStore, type Store } from '../../store/index.js';

/** A real store in a new directory, which the caller removes after closing it. */
export async function openTestStore(): Promise<{ store: Store; directory: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'ferry-store-'));
  return { store: await openLmdbStore({ directory }), directory };
}
