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
  /**
   * Opens a file that comes in parts, to be written on behind its first `offset` bytes; it is made where that is 0, and what it has
   * behind them is dropped. One process at a time. It can be opened to be read once it is sealed, and moved; it is in neither list.
   * @returns null where it has fewer bytes, or there is none
   */
  append(name: string, offset: number): Promise<AppendedFile | null>;
  /** Has a file that came in parts be whole: from then on it can be opened. @returns false where there is none */
  seal(name: string, sizeBytes: number): Promise<boolean>;
  /** Files that come in parts and have not been moved, with when one was last opened to be written on. */
  listAppended(): AsyncIterable<StoredFileEntry>;
}

/** A file that is being written on. */
export interface AppendedFile {
  write(chunk: Uint8Array): Promise<void>;
  /** All that was written so far is durable when it resolves. */
  flush(): Promise<void>;
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
