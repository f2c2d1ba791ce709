import type { FileHandle } from 'node:fs/promises';

/**
 * So many bytes are flushed while the next come. All at the end would have the sender wait for the disk when it has nothing left to send, and
 * whoever else commits to that disk behind them.
 */
const FLUSHED_BYTES = 8 * 1024 * 1024;

/** A file that is written while its next bytes are read and hashed: one chunk, and one flush, behind whoever gives them. */
export class WrittenBehind {
  #writing: Promise<void> = Promise.resolve();
  #flushing: Promise<void> = Promise.resolve();
  #unflushedBytes = 0;

  constructor(private readonly file: Pick<FileHandle, 'writeFile' | 'datasync' | 'sync'>) {}

  /** Takes a chunk, which must stay as it is, once the one before is written. @throws what writing that, or flushing, has thrown */
  async write(chunk: Uint8Array): Promise<void> {
    await this.#writing;
    this.#writing = this.#then(this.file.writeFile(chunk));
    this.#unflushedBytes += chunk.length;
    if (this.#unflushedBytes < FLUSHED_BYTES) return;
    this.#unflushedBytes = 0;
    await this.#flushing;
    this.#flushing = this.#then(this.file.datasync());
  }

  /** All of it is on the disk once this resolves. @throws what writing or flushing has thrown */
  async end(): Promise<void> {
    const failure = await this.failure();
    if (failure !== null) throw failure;
    await this.file.sync();
  }

  /**
   * Nothing of it is under way once this resolves: the file can be closed.
   * @returns what writing or flushing has failed with; null where neither has
   */
  async failure(): Promise<unknown> {
    for (const outcome of await Promise.allSettled([this.#writing, this.#flushing]))
      if (outcome.status === 'rejected') return outcome.reason;
    return null;
  }

  /** Whoever comes next is told how it went; until then nobody need listen. */
  #then(work: Promise<void>): Promise<void> {
    work.catch(() => {});
    return work;
  }
}
