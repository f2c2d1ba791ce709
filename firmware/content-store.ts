import type { Readable } from 'node:stream';
import type { Inspected } from './formats/index.js';

/** What names of content begin with: being received, or in its place. */
export const INCOMING_PREFIX = 'incoming/';
export const CONTENT_PREFIX = 'content/';
/** And what comes in parts, each of which may be the last for hours. */
export const PARTS_PREFIX = 'parts/';

export interface ReceiveOptions {
  readonly bytesMax: number;
  /** What the sender announced; more or less than that is refused. */
  readonly sizeBytes?: number;
  /** How long the sender may give nothing. */
  readonly idleMsMax: number;
  /** Who sends it: each has a share of the room for what is incoming. */
  readonly by: string;
  /**
   * Told of every chunk before it is kept how many bytes have come; the content ends with what it throws.
   * @throws ImageError
   */
  readonly onBytes?: (bytes: number) => Promise<void> | void;
}

/** Of content that comes in parts. */
export interface AppendOptions {
  /** The bytes that are there, and stay; what is behind them is dropped. */
  readonly offset: number;
  /** Of all of it. */
  readonly sizeBytes: number;
  readonly bytesMax: number;
  readonly by: string;
}

/** Content that is being written on. */
export interface AppendedContent {
  write(chunk: Uint8Array): Promise<void>;
  /** All that was written so far is durable when it resolves. */
  flush(): Promise<void>;
  /** Lets go of it; what was not flushed may be lost. */
  close(): Promise<void>;
}

/** Content that lies where it was received. The receiver moves or removes it. */
export interface Received {
  readonly name: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  /** What it says of itself. */
  readonly inspected: Inspected;
  /** Why it could not be looked into, which is a fault of ours: it is as though it said nothing. */
  readonly notInspected?: unknown;
}

/** Content of an image, to be read. */
export interface ImageContent {
  /** The bytes from `start` to `end`, both counted in. */
  read(range: { readonly start: number; readonly end: number }): Readable;
}

/** Content there is, with when it was last written to, moved or given up. */
export interface ContentEntry {
  readonly name: string;
  readonly changedMs: number;
}

/** Content that is being received, or whose receiver died. */
export interface IncomingEntry extends ContentEntry {
  /** It is certain that nobody receives it any more. */
  readonly isAbandoned: boolean;
}

/**
 * Where the bytes of images lie: on the disk of one machine, or where every node can read them. The library says what they
 * belong to. Several processes have it open at once.
 */
export interface ContentStore {
  /**
   * Streams content to an incoming name of its own; durable when it resolves. Nothing is left where it fails.
   * @throws ImageError `too-large`, `incomplete`, `empty`, `no-space`
   */
  receive(content: Readable, options: ReceiveOptions): Promise<Received>;
  /** Gives content another name, in place of any that has it. Durable when it resolves. */
  move(from: string, to: string): Promise<void>;
  /** Null where it is not there, or not all of it. @throws where this process may not read it */
  open(name: string, sizeBytes: number): Promise<ImageContent | null>;
  /** Removes what nobody can have begun to read. */
  remove(name: string): Promise<void>;
  /** Has content removed that was in use until now: whoever reads it gets to its end. */
  retire(name: string): Promise<void>;
  list(): AsyncIterable<ContentEntry>;
  listIncoming(): AsyncIterable<IncomingEntry>;
  /**
   * Opens content that comes in parts to be written on; made where its offset is 0. One process at a time writes on it.
   * @param name  with {@link PARTS_PREFIX}
   * @throws ImageError `no-space`, and `incomplete` where bytes that were there are lost; its `write` and `flush` the same
   */
  append(name: string, options: AppendOptions): Promise<AppendedContent>;
  /** Has content that came in parts be whole: from then on it can be opened, and moved. @returns false where it is not there */
  seal(name: string, sizeBytes: number): Promise<boolean>;
  /** What comes in parts and was not moved. */
  listAppended(): AsyncIterable<ContentEntry>;
}
