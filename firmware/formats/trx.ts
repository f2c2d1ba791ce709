import { crc32 } from 'node:zlib';
import type { FileEnd, Finding, Format, Reader } from './format.js';
import { Regions } from './regions.js';

const MAGIC = 'HDR0';
const HEADER_BYTES_MIN = 28;
const LENGTH_AT = 4;
const CRC_AT = 8;
/** What the checksum is over begins here. */
const FLAGS_AT = 12;
const VERSION_AT = 14;
/** Of version 2 the checksum is over a header that the boot loader counts in. */
const CHECKED_VERSION = 1;

/** Broadcom's TRX. Its length is that of all of it; its CRC-32 lacks the final inversion. */
export const trx: Format = {
  recognises: (head) => head.length >= HEADER_BYTES_MIN && head.toString('latin1', 0, 4) === MAGIC,
  begin: (head) => new TrxReader(head),
};

class TrxReader implements Reader {
  readonly #bytes: number;
  readonly #crcTold: number;
  readonly #version: number;
  readonly #regions = new Regions();
  #crc = 0;

  constructor(head: Buffer) {
    this.#bytes = head.readUInt32LE(LENGTH_AT);
    this.#crcTold = head.readUInt32LE(CRC_AT);
    this.#version = head.readUInt16LE(VERSION_AT);
    this.#regions.watch(FLAGS_AT, this.#bytes, (bytes) => {
      this.#crc = crc32(bytes, this.#crc);
    });
  }

  update(chunk: Buffer): void {
    this.#regions.update(chunk);
  }

  end({ sizeBytes }: FileEnd): Finding {
    const broken: string[] = [];
    const isChecked = this.#version === CHECKED_VERSION;
    if (this.#bytes < HEADER_BYTES_MIN || this.#bytes > sizeBytes)
      broken.push(`the TRX header tells of ${this.#bytes} bytes, and there are ${sizeBytes}`);
    else if (isChecked && ~this.#crc >>> 0 !== this.#crcTold)
      broken.push('the CRC-32 in the TRX header is not that of what it is over');
    const isRight = broken.length === 0;
    return { format: 'trx', facts: {}, checksum: isRight ? (isChecked ? 'right' : 'none') : 'wrong', broken };
  }
}
