import type { FileEnd, Finding, Format, Reader } from './format.js';

const MAGIC = 'hsqs';
const SUPERBLOCK_BYTES = 96;
const BLOCK_BYTES_AT = 12;
const MAJOR_AT = 28;
const USED_AT = 40;
const MAJOR = 4;
const BLOCK_BYTES_MIN = 4_096;
const BLOCK_BYTES_MAX = 1_024 * 1_024;

/** A squashfs: what version it holds stands in a file within it, which is not read. Earlier ones than 4 have another superblock. */
export const squashfs: Format = {
  recognises: (head) =>
    head.length >= SUPERBLOCK_BYTES &&
    head.toString('latin1', 0, 4) === MAGIC &&
    head.readUInt16LE(MAJOR_AT) >= MAJOR,
  begin: (head) => new SquashfsReader(Buffer.from(head.subarray(0, SUPERBLOCK_BYTES))),
};

class SquashfsReader implements Reader {
  readonly #superblock: Buffer;

  constructor(superblock: Buffer) {
    this.#superblock = superblock;
  }

  update(): void {}

  end({ sizeBytes }: FileEnd): Finding {
    const block = this.#superblock;
    const broken: string[] = [];
    const used = block.readBigUInt64LE(USED_AT);
    if (used > BigInt(sizeBytes))
      broken.push(`the squashfs tells of ${used} bytes, and there are ${sizeBytes}`);
    const blockBytes = block.readUInt32LE(BLOCK_BYTES_AT);
    const isBlockSize =
      blockBytes >= BLOCK_BYTES_MIN && blockBytes <= BLOCK_BYTES_MAX && (blockBytes & (blockBytes - 1)) === 0;
    if (block.readUInt16LE(MAJOR_AT) !== MAJOR || !isBlockSize)
      broken.push('its superblock is none of squashfs 4');
    return { format: 'squashfs', facts: {}, checksum: 'none', broken };
  }
}
