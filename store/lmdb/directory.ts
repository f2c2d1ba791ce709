import { mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';

// The first page of an LMDB file: a page header of 24 bytes, then these, little-endian (struct MDB_meta of lmdb 3).
const HEADER_BYTES = 32;
const MAGIC_AT = 24;
const MAGIC = 0xbeefc0de;
const VERSION_AT = 28;
const VERSION = 2;

/**
 * Makes the directory of a store where it is missing, and looks at the file in it: lmdb crashes the process on one that
 * is not LMDB's.
 * @throws Error where the directory cannot be used or holds another kind of file
 */
export async function prepareDirectory(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, 'data.mdb');
  const file = await open(path).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  });
  if (file === null) return;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
    if (bytesRead === 0) return; // killed before the first write
    if (buffer.readUInt32LE(MAGIC_AT) !== MAGIC || buffer.readUInt16LE(VERSION_AT) !== VERSION) {
      throw new Error(`${path} is damaged or not a store: restore it from a backup`);
    }
  } finally {
    await file.close();
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
