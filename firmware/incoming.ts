import { createHash, type Hash, randomBytes } from 'node:crypto';
import { type FileHandle, open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { ImageError } from './image.js';

/** What an incoming file is called: anything else in that directory is not ours to remove. */
export const INCOMING_NAME_PATTERN = /^[0-9a-f]{32}$/;
const INCOMING_NAME_BYTES = 16;
const FILE_MODE = 0o600;
/** What the file system says when there is no room, the quota is used up, or it cannot hold a file so large. */
const NO_SPACE_CODES = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

export interface ReceiveOptions {
  /** Where the file is made, under a random name. */
  readonly directory: string;
  readonly bytesMax: number;
  /** What the sender announced; more or less than that is refused. */
  readonly sizeBytes?: number;
  /** How long the sender may give nothing. */
  readonly idleMsMax: number;
}

/** Content that lies on disk, durable but for its directory entry. The receiver moves or removes it. */
export interface Received {
  readonly path: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

/**
 * Streams content to a new file, hashing on the way. Reads no further than it must to know that it cannot keep it,
 * and leaves no file behind then.
 * @throws ImageError `too-large`, `incomplete`, `empty`, `no-space`
 */
export async function receiveContent(content: Readable, options: ReceiveOptions): Promise<Received> {
  const path = join(options.directory, randomBytes(INCOMING_NAME_BYTES).toString('hex'));
  try {
    await checkAnnouncedSize(options);
    const file = await open(path, 'wx', FILE_MODE);
    try {
      const hash = createHash('sha256');
      const sizeBytes = await copy(content, file, hash, options);
      await file.sync();
      return { path, sha256: hash.digest('hex'), sizeBytes };
    } finally {
      await file.close();
    }
  } catch (error) {
    await rm(path, { force: true });
    throw isNoSpace(error) ? noSpace() : error;
  }
}

async function checkAnnouncedSize({ directory, sizeBytes, bytesMax }: ReceiveOptions): Promise<void> {
  if (sizeBytes === undefined) return;
  if (sizeBytes === 0) throw empty();
  if (sizeBytes > bytesMax) throw tooLarge(bytesMax);
  const { bavail, bsize } = await statfs(directory);
  if (sizeBytes > bavail * bsize) throw noSpace();
}

async function copy(
  content: Readable,
  file: FileHandle,
  hash: Hash,
  options: ReceiveOptions,
): Promise<number> {
  let sizeBytes = 0;
  for await (const chunk of chunksOf(content, options.idleMsMax)) {
    sizeBytes += chunk.length;
    if (sizeBytes > options.bytesMax) throw tooLarge(options.bytesMax);
    if (options.sizeBytes !== undefined && sizeBytes > options.sizeBytes) {
      throw wrongSize(options.sizeBytes, 'more came');
    }
    hash.update(chunk);
    await file.writeFile(chunk);
  }
  if (sizeBytes === 0) throw empty();
  if (options.sizeBytes !== undefined && sizeBytes < options.sizeBytes) {
    throw wrongSize(options.sizeBytes, `only ${sizeBytes} came`);
  }
  return sizeBytes;
}

/** The stream's chunks; whatever goes wrong with the stream itself, also that nothing comes, is `incomplete`. */
async function* chunksOf(content: Readable, idleMsMax: number): AsyncGenerator<Uint8Array, void> {
  // The time the disk takes is not the sender's.
  let isWaiting = true;
  const idle = setTimeout(() => {
    if (isWaiting) content.destroy(new Error(`nothing came for ${idleMsMax} ms`));
  }, idleMsMax);
  try {
    // Not destroyed on an early return: that would close the socket on which the refusal is still to be sent.
    for await (const chunk of content.iterator({ destroyOnReturn: false })) {
      if (!(chunk instanceof Uint8Array)) throw new TypeError('the content must be a stream of bytes');
      isWaiting = false;
      yield chunk;
      isWaiting = true;
      idle.refresh();
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ImageError('incomplete', null, `the upload ended before all of it had come: ${reason}`);
  } finally {
    clearTimeout(idle);
  }
}

/** True for an error of the file system that means there is no room. */
export function isNoSpace(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    NO_SPACE_CODES.has(error.code)
  );
}

export function noSpace(): ImageError {
  return new ImageError(
    'no-space',
    null,
    'there is no room for this image: remove images or enlarge the disk',
  );
}

function tooLarge(bytesMax: number): ImageError {
  return new ImageError('too-large', null, `an image may have at most ${bytesMax} bytes (imageBytesMax)`);
}

function wrongSize(announcedBytes: number, found: string): ImageError {
  return new ImageError('incomplete', 'sizeBytes', `${announcedBytes} bytes were announced, ${found}`);
}

function empty(): ImageError {
  return new ImageError('empty', null, 'an image must have at least one byte');
}
