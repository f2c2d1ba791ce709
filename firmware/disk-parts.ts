import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { partsLost } from './incoming.js';

const FILE_MODE = 0o600;

/** A file of which bytes were written beyond an offset that nobody promised to keep: opened to be written on from there. */
export interface OpenParts {
  write(chunk: Uint8Array): Promise<void>;
  flush(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens a file to be written on behind its first `offset` bytes; made where that is 0.
 * @throws ImageError `incomplete` where it has fewer
 */
export async function openParts(path: string, offset: number): Promise<OpenParts> {
  const file = await opened(path, offset);
  try {
    if ((await file.stat()).size < offset) throw partsLost();
    await file.truncate(offset);
  } catch (error) {
    await file.close();
    throw error;
  }
  let position = offset;
  return {
    async write(chunk) {
      // At its place, wherever another that took this one for dead may write meanwhile.
      for (let written = 0; written < chunk.length; ) {
        const { bytesWritten } = await file.write(chunk, written, chunk.length - written, position);
        written += bytesWritten;
        position += bytesWritten;
      }
    },
    flush: () => file.datasync(),
    close: () => file.close(),
  };
}

async function opened(path: string, offset: number): Promise<FileHandle> {
  try {
    return await open(path, constants.O_WRONLY | (offset === 0 ? constants.O_CREAT : 0), FILE_MODE);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') throw partsLost();
    throw error;
  }
}
