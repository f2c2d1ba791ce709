/** The formats that are known. */
export type FormatName =
  | 'fwtool-metadata'
  | 'sysupgrade-tar'
  | 'uimage'
  | 'fit'
  | 'trx'
  | 'tplink-v1'
  | 'tplink-safeloader'
  | 'netgear-chk'
  | 'netgear-dni'
  | 'seama'
  | 'squashfs'
  | 'android-sparse';

/** Something that a file says, and where it says so. */
export interface Fact<T = string> {
  readonly value: T;
  /** In the words of the format: `version.version`, `the header's name`. */
  readonly from: string;
  readonly atByte: number;
}

/** What a file says of itself. What it does not say is absent. */
export interface ImageFacts {
  /** As a CPE that runs it is expected to report it. */
  readonly version?: Fact;
  /** The boards that it is for, as its build system calls them, each once: no more than {@link BOARDS_READ_MAX}. */
  readonly boards?: Fact<readonly string[]>;
  readonly hardware?: Fact;
  readonly region?: Fact;
  /** A text for people. */
  readonly description?: Fact;
}

/** What a format has found in a file. */
export interface Finding {
  readonly format: FormatName;
  readonly facts: ImageFacts;
  /** Whether the format's own checksums hold; `none`: it has none that is known. */
  readonly checksum: 'right' | 'wrong' | 'none';
  /** Why nobody should flash it, each in a sentence; empty: nothing is known to be wrong. */
  readonly broken: readonly string[];
  /** What was not read or not checked because it is more than is read of a file, each in a sentence; absent: nothing. It is no fault of the file's. */
  readonly unread?: readonly string[];
}

/** The end of a file. */
export interface FileEnd {
  readonly sizeBytes: number;
  /** Its last bytes, a mebibyte where it has so many. */
  readonly tail: Buffer;
  /** CRC-32 of all before the tail. */
  readonly crcBeforeTail: number;
}

/** Reads one file, from its first byte to its last. What it holds of it is bounded, whatever lengths the file tells. */
export interface Reader {
  /** The next bytes. */
  update(chunk: Buffer): void;
  /** Once, after the last of them. */
  end(end: FileEnd): Finding;
}

/** A format that is known by how a file begins. */
export interface Format {
  /** @param head  the first 64 KiB of the file, or all of it */
  recognises(head: Buffer): boolean;
  /** @param head  one that is recognised; it comes again as the first bytes */
  begin(head: Buffer): Reader;
}

export const HEAD_BYTES = 64 * 1_024;
export const TAIL_BYTES = 1_024 * 1_024;
/** One more than an image has at most, so that it is known of a file that it names more. */
export const BOARDS_READ_MAX = 257;
