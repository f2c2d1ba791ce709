import { constants, createReadStream, type Stats } from 'node:fs';
import { access, mkdir, open, opendir, rename, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { ownProcessMark, processState } from '../common/index.js';
import {
  type AppendedContent,
  type AppendOptions,
  CONTENT_PREFIX,
  type ContentEntry,
  type ContentStore,
  type ImageContent,
  INCOMING_PREFIX,
  type IncomingEntry,
  PARTS_PREFIX,
  type Received,
  type ReceiveOptions,
} from './content-store.js';
import { openParts } from './disk-parts.js';
import {
  checkAnnouncedSize,
  INCOMING_IMAGES_MAX,
  Intake,
  isNoSpace,
  newIncomingName,
  noSpace,
  tooMuchIncoming,
} from './incoming.js';
import { type Claim, IncomingRoom } from './incoming-room.js';
import { WrittenBehind } from './written-behind.js';

const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o600;
/**
 * What an incoming file is called, with the mark of the process that receives it; older versions wrote none. Anything else in
 * that directory is not ours to remove.
 */
const INCOMING_NAME_PATTERN = /^[0-9a-f]{32}(?:\.(p[0-9a-f-]+))?$/;
/**
 * What is read of a file at a time. For a reader that takes nothing two of them are held, one on its way out and one read ahead, and thousands
 * may do so. Twice as much, as Node.js reads unless it is told, takes no less processor time for a download; half of it takes half as much again.
 */
const PIECE_BYTES = 32 * 1024;
/** What other processes receive is looked at when an upload begins, and once in so many bytes of it. */
const CHECKED_EVERY_BYTES = 64 * 1024 * 1024;

/** Told how each content went that was to be written; null: it is on the disk. */
export type OnWritten = (failure: Error | null) => void;

/**
 * Keeps content in `content/`, `incoming/` and `parts/` of a directory, which must be on one file system; made where missing.
 * A file that is removed while it is read can be read to its end.
 */
export async function openDiskContents(
  directory: string,
  onWritten: OnWritten = () => {},
): Promise<ContentStore> {
  for (const prefix of [CONTENT_PREFIX, INCOMING_PREFIX, PARTS_PREFIX]) {
    await mkdir(join(directory, prefix), { recursive: true, mode: DIRECTORY_MODE });
  }
  await syncDirectory(directory);
  await syncDirectory(dirname(directory));
  return new DiskContents(directory, onWritten);
}

class DiskContents implements ContentStore {
  readonly #ownMark = ownProcessMark();
  readonly #room = new IncomingRoom();
  /** The names of what this store is receiving: their bytes are counted before they are written. */
  readonly #receiving = new Set<string>();

  constructor(
    private readonly directory: string,
    private readonly onWritten: OnWritten,
  ) {}

  async receive(content: Readable, options: ReceiveOptions): Promise<Received> {
    const name = `${newIncomingName()}.${await this.#ownMark}`;
    const path = join(this.directory, name);
    const claim = this.#room.begin(options.by);
    this.#receiving.add(name);
    try {
      if (options.sizeBytes !== undefined) {
        const { bavail, bsize } = await statfs(dirname(path));
        checkAnnouncedSize(options, bavail * bsize);
      }
      await this.#lookAtOthers();
      await this.#claim(claim, options.sizeBytes ?? 0, options);
      const file = await open(path, 'wx', FILE_MODE);
      const written = new WrittenBehind(file);
      try {
        const intake = new Intake(content, options);
        let bytes = 0;
        let lookAtBytes = CHECKED_EVERY_BYTES;
        for await (const chunk of intake.chunks()) {
          bytes += chunk.length;
          const isToLook = bytes >= lookAtBytes;
          if (isToLook) {
            await this.#lookAtOthers();
            lookAtBytes += CHECKED_EVERY_BYTES;
          }
          if (isToLook || bytes > claim.bytes)
            await this.#claim(claim, Math.max(bytes, claim.bytes), options);
          await written.write(chunk);
        }
        await written.end();
        this.onWritten(null);
        return intake.received(name);
      } catch (error) {
        // Whatever the sender does meanwhile: what the disk says goes before it. And nothing is written to a file that is closed.
        throw (await written.failure()) ?? error;
      } finally {
        await file.close();
      }
    } catch (error) {
      await rm(path, { force: true });
      if (isDiskFailure(error)) this.onWritten(error);
      throw isNoSpace(error) ? noSpace() : error;
    } finally {
      this.#room.end(claim);
      this.#receiving.delete(name);
    }
  }

  async append(name: string, options: AppendOptions): Promise<AppendedContent> {
    const { offset, sizeBytes, by } = options;
    const path = join(this.directory, name);
    const claim = this.#room.begin(by);
    this.#receiving.add(name);
    const letGo = () => {
      this.#room.end(claim);
      this.#receiving.delete(name);
    };
    try {
      const { bavail, bsize } = await statfs(dirname(path));
      checkAnnouncedSize(options, bavail * bsize + offset);
      await this.#lookAtOthers();
      await this.#claim(claim, sizeBytes, options);
      const parts = await openParts(path, offset);
      if (offset === 0) await syncDirectory(dirname(path));
      return {
        write: (chunk) => this.#onDisk(() => parts.write(chunk)),
        flush: async () => {
          await this.#onDisk(() => parts.flush());
          this.onWritten(null);
        },
        async close() {
          letGo();
          await parts.close();
        },
      };
    } catch (error) {
      letGo();
      throw isNoSpace(error) ? noSpace() : error;
    }
  }

  async #onDisk(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      if (isDiskFailure(error)) this.onWritten(error);
      throw isNoSpace(error) ? noSpace() : error;
    }
  }

  async seal(name: string): Promise<boolean> {
    // A file is what was written of it.
    return (await statOf(join(this.directory, name))) !== null;
  }

  listAppended(): AsyncIterable<ContentEntry> {
    return this.#entries(PARTS_PREFIX);
  }

  async move(from: string, to: string): Promise<void> {
    const path = join(this.directory, to);
    await rename(join(this.directory, from), path);
    await syncDirectory(dirname(path));
  }

  async open(name: string, sizeBytes: number): Promise<ImageContent | null> {
    const path = join(this.directory, name);
    if (!(await hasSize(path, sizeBytes))) return null;
    // Told before anything is answered, where a command of another user has left the file: else the answer is cut off.
    await access(path, constants.R_OK);
    return { read: (range) => createReadStream(path, { ...range, highWaterMark: PIECE_BYTES }) };
  }

  async remove(name: string): Promise<void> {
    await rm(join(this.directory, name), { force: true });
  }

  retire(name: string): Promise<void> {
    return this.remove(name);
  }

  async *list(): AsyncIterable<ContentEntry> {
    yield* this.#entries(CONTENT_PREFIX);
  }

  async *listIncoming(): AsyncIterable<IncomingEntry> {
    for await (const entry of this.#entries(INCOMING_PREFIX)) {
      const found = INCOMING_NAME_PATTERN.exec(entry.name.slice(INCOMING_PREFIX.length));
      if (found === null) continue;
      const mark = found[1];
      const isAbandoned = mark !== undefined && (await processState(mark)) === 'ended';
      yield { ...entry, isAbandoned };
    }
  }

  /**
   * Several processes receive at once, and what those left behind that were killed takes room until it is removed.
   * @throws ImageError `no-space`
   */
  async #claim(claim: Claim, bytes: number, { bytesMax }: Pick<ReceiveOptions, 'bytesMax'>): Promise<void> {
    if (this.#room.extend(claim, bytes, bytesMax)) return;
    for await (const { name, isAbandoned } of this.listIncoming()) if (isAbandoned) await this.remove(name);
    await this.#lookAtOthers();
    if (!this.#room.extend(claim, bytes, bytesMax)) throw tooMuchIncoming(bytesMax * INCOMING_IMAGES_MAX);
  }

  /** At what lies there that this store is not receiving now. */
  async #lookAtOthers(): Promise<void> {
    let bytes = 0;
    for (const prefix of [INCOMING_PREFIX, PARTS_PREFIX]) {
      for await (const { name } of await opendir(join(this.directory, prefix))) {
        const path = `${prefix}${name}`;
        if (!this.#receiving.has(path)) bytes += (await statOf(join(this.directory, path)))?.size ?? 0;
      }
    }
    this.#room.foundOthers(bytes);
  }

  async *#entries(prefix: string): AsyncIterable<ContentEntry> {
    for await (const { name } of await opendir(join(this.directory, prefix))) {
      // When it was last written to or moved.
      const changedMs = (await statOf(join(this.directory, prefix, name)))?.ctimeMs;
      if (changedMs !== undefined) yield { name: `${prefix}${name}`, changedMs };
    }
  }
}

/** Whether it is the disk's doing, rather than the sender's. */
function isDiskFailure(error: unknown): error is Error {
  return isNoSpace(error) || (error instanceof Error && 'code' in error && error.code === 'EIO');
}

/** True where the file is there and has that many bytes. */
async function hasSize(path: string, sizeBytes: number): Promise<boolean> {
  try {
    return (await stat(path)).size === sizeBytes;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Null where it vanished meanwhile. */
async function statOf(path: string): Promise<Stats | null> {
  try {
    return await stat(path);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** Makes the names in a directory durable (POSIX keeps them apart from the files' content). */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
