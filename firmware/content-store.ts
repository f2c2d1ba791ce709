import type { Readable } from 'node:stream';

/** What names of content begin with: being received, or in its place. */
export const INCOMING_PREFIX = 'incoming/';
export const CONTENT_PREFIX = 'content/';

export interface ReceiveOptions {
  readonly bytesMax: number;
  /** What the sender announced; more or less than that is refused. */
  readonly sizeBytes?: number;
  /** How long the sender may give nothing. */
  readonly idleMsMax: number;
  /** Who sends it: each has a share of the room for what is incoming. */
  readonly by: string;
}

/** Content that lies where it was received. The receiver moves or removes it. */
export interface Received {
  readonly name: string;
  readonly sha256: string;
  readonly sizeBytes: number;
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
  /** Null where it is not there, or not all of it. */
  open(name: string, sizeBytes: number): Promise<ImageContent | null>;
  /** Removes what nobody can have begun to read. */
  remove(name: string): Promise<void>;
  /** Has content removed that was in use until now: whoever reads it gets to its end. */
  retire(name: string): Promise<void>;
  list(): AsyncIterable<ContentEntry>;
  listIncoming(): AsyncIterable<IncomingEntry>;
}
