import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { openLmdbStore, type Store } from '../../store/index.js';

/** A real store in a new directory, which the caller removes after closing it. */
export async function openTestStore(): Promise<{ store: Store; directory: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'ferry-store-'));
  return { store: await openLmdbStore({ directory }), directory };
}

/** A real store of the test's own, gone when it ends. */
export async function storeOf(t: ExecutionContext): Promise<Store> {
  const { store, directory } = await openTestStore();
  t.teardown(async () => {
    await store.close();
    await rm(directory, { recursive: true, force: true });
  });
  return store;
}

/** Writes over the bytes of the only place where the file has `found`. */
export async function overwrite(file: string, found: string, by: string): Promise<void> {
  const bytes = await readFile(file);
  const at = bytes.lastIndexOf(found);
  if (at === -1) throw new Error(`${found} is not in ${file}`);
  for (let from = bytes.indexOf(found); from !== -1; from = bytes.indexOf(found, from + 1)) {
    bytes.write(by, from);
  }
  await writeFile(file, bytes);
}
