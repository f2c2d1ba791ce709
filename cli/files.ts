import type { ReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { CommandError } from './command.js';

/** @throws CommandError where it is no file, or not ours to read */
export async function openFile(
  path: string,
): Promise<{ readonly file: FileHandle; readonly sizeBytes: number }> {
  let file: FileHandle;
  try {
    file = await open(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandError(`${path} cannot be read: ${reason}`);
  }
  const stats = await file.stat();
  if (stats.isFile()) return { file, sizeBytes: stats.size };
  await file.close();
  throw new CommandError(`${path} is not a file.`);
}

/**
 * Has a file read from its beginning, and closes it, however that went.
 * @param read  a CommandError of it is of a line, and is told with the file
 * @throws CommandError where it is no file, or not ours to read
 */
export async function readingFile<T>(
  path: string,
  read: (text: ReadStream, sizeBytes: number) => Promise<T>,
): Promise<T> {
  const { file, sizeBytes } = await openFile(path);
  const text = file.createReadStream();
  try {
    return await read(text, sizeBytes);
  } catch (error) {
    throw error instanceof CommandError ? new CommandError(`${path}, ${error.message}`) : error;
  } finally {
    text.destroy();
  }
}
