import type { FileEnd, Finding, Format, Reader } from './format.js';

const MAGIC = 0xed26ff3a;
const HEADER_BYTES = 28;
const MAJOR_AT = 4;
const HEADER_SIZE_AT = 8;
const CHUNK_HEADER_SIZE_AT = 10;
const BLOCK_BYTES_AT = 12;
const CHUNK_HEADER_BYTES = 12;

/** Android's sparse image: its chunks stand for more than the file has. */
export const androidSparse: Format = {
  recognises: (head) => head.length >= HEADER_BYTES && head.readUInt32LE(0) === MAGIC,
  begin: (head) => new SparseReader(Buffer.from(head.subarray(0, HEADER_BYTES))),
};

class SparseReader implements Reader {
  readonly #header: Buffer;

  constructor(header: Buffer) {
    this.#header = header;
  }

  update(): void {}

  end(_end: FileEnd): Finding {
    const header = this.#header;
    const isRight =
      header.readUInt16LE(MAJOR_AT) === 1 &&
      header.readUInt16LE(HEADER_SIZE_AT) >= HEADER_BYTES &&
      header.readUInt16LE(CHUNK_HEADER_SIZE_AT) >= CHUNK_HEADER_BYTES &&
      header.readUInt32LE(BLOCK_BYTES_AT) % 4 === 0 &&
      header.readUInt32LE(BLOCK_BYTES_AT) > 0;
    const broken = isRight ? [] : ['its header is none of a sparse image of version 1'];
    return { format: 'android-sparse', facts: {}, checksum: 'none', broken };
  }
}
