import type { Readable } from 'node:stream';

/**
 * Files of any size beside the documents, for many nodes. A file is written under an incoming name, and is there for
 * good once it is moved to another; what a node that died left incoming is found by its age.
 */
export interface StoredFiles {
  /**
   * Writes a new file. Durable when it resolves.
   * @throws whatever `content` throws, and StoreError; nothing is left of it then, or it is listed as incoming
   */
  write(name: string, content: AsyncIterable<Uint8Array>): Promise<void>;
  /**
   * Gives a file another name, in place of any that has it; one that was incoming is there for good then.
   * @throws StoreError `unavailable` where it was removed meanwhile
   */
  move(from: string, to: string): Promise<void>;
  /** Null where there is none of that name and size, or not all of it is there. */
  open(name: string, sizeBytes: number): Promise<StoredFile | null>;
  /** Removes a file, incoming or not, at once. Whoever reads it sees it end early. */
  remove(name: string): Promise<void>;
  /** Has the age of a file count from now. */
  touch(name: string): Promise<void>;
  /** Files whose names begin so, with when they came, moved or were touched. */
  list(prefix: string): AsyncIterable<StoredFileEntry>;
  /** Files that are being written, or whose writer died, with when something was last heard of the writer. */
  listIncoming(): AsyncIterable<StoredFileEntry>;
}

export interface StoredFileEntry {
  readonly name: string;
  /** By the database's clock. */
  readonly changedMs: number;
}

export interface StoredFile {
  /** The bytes from `start` to `end` (both counted in), read as they are taken. */
  read(range: { readonly start: number; readonly end: number }): Readable;
}
