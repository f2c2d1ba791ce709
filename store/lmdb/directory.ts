import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { areFreeFrom, FreePagesError } from './free-pages.js';
import { META_BYTES, type Meta, readMetaPage } from './meta-page.js';

const RESTORE =
  'restore a backup into an empty data directory (ferry restore), or put back a copy of the file';
/** The file that documents and indexes are in. */
export function dataFileOf(directory: string): string {
  return join(directory, 'data.mdb');
}

/** Another process may be writing while the file is looked at; then it is looked at again. */
const LOOKS_MAX = 10;

/**
 * Makes the directory of a store where it is missing, and looks at the file in it before lmdb does, which maps it into memory
 * and ends the process (SIGBUS, SIGABRT) where a page is missing.
 * @throws Error where the directory cannot be used, or the file is cut short, none of LMDB's, or of another version of it
 */
export async function prepareDirectory(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const path = dataFileOf(directory);
  const file = await open(path).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  });
  if (file === null) return;
  try {
    await checkFile(file, path);
  } finally {
    await file.close();
  }
}

async function checkFile(file: FileHandle, path: string): Promise<void> {
  for (let looks = 1; ; looks++) {
    const meta = await readMeta(file, path);
    if (meta === null) return; // made, and killed before anything was written
    // After the pages that describe it: the file only ever grows.
    const { size } = await file.stat();
    const pages = Math.floor(size / meta.pageBytes);
    if (pages > meta.lastPage || (await endsInFreePages(file, meta, pages))) return;
    const isStill = (await readMeta(file, path))?.transaction === meta.transaction;
    if (!isStill && looks < LOOKS_MAX) continue;
    const neededBytes = (meta.lastPage + 1) * meta.pageBytes;
    throw new Error(
      `${path} is cut short: it has ${size} bytes of the ${neededBytes} that it says it has: ${RESTORE}`,
    );
  }
}

async function endsInFreePages(file: FileHandle, meta: Meta, from: number): Promise<boolean> {
  try {
    return await areFreeFrom(file, meta, from);
  } catch (error) {
    if (!(error instanceof FreePagesError)) throw error;
    return false;
  }
}

/** The newer of the two descriptions; null where nothing was written yet. */
async function readMeta(file: FileHandle, path: string): Promise<Meta | null> {
  const first = await readMetaAt(file, path, 0);
  if (first === null) return null;
  const second = await readMetaAt(file, path, first.pageBytes);
  if (second === null) throw new Error(`${path} is cut short: it ends after its first page: ${RESTORE}`);
  return second.transaction > first.transaction ? second : first;
}

async function readMetaAt(file: FileHandle, path: string, at: number): Promise<Meta | null> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(META_BYTES), 0, META_BYTES, at);
  if (bytesRead === 0) return null;
  const read =
    bytesRead < META_BYTES
      ? { kind: 'not-one' as const, how: `it has ${bytesRead} bytes` }
      : readMetaPage(buffer);
  switch (read.kind) {
    case 'meta':
      return read.meta;
    case 'other-version':
      throw new Error(
        `${path} is of version ${read.found} of LMDB's files, and this Ferry knows ${read.known}: use the Ferry that wrote it, or ${RESTORE}`,
      );
    case 'not-one':
      throw new Error(`${path} is damaged or not a store (${read.how}): ${RESTORE}`);
    default:
      return read satisfies never;
  }
}

/** LMDB flushes its file, but not the names that lead to it. */
export async function flushDirectory(directory: string): Promise<void> {
  for (const path of [directory, dirname(directory)]) {
    const handle = await open(path);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
}
