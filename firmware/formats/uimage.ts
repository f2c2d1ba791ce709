import { crc32 } from 'node:zlib';
import type { FileEnd, Finding, Format, Reader } from './format.js';
import { Regions } from './regions.js';
import { textIn, versionIn } from './text.js';

const MAGIC = 0x27051956;
const HEADER_BYTES = 64;
const HEADER_CRC_AT = 4;
const SIZE_AT = 12;
const DATA_CRC_AT = 24;
const NAME_AT = 32;

/** U-Boot's legacy image: a header, then data that both have a CRC-32. What follows the data is none of its business. */
export const uimage: Format = {
  recognises: (head) => head.length >= HEADER_BYTES && head.readUInt32BE(0) === MAGIC,
  begin: (head) => new UimageReader(head.subarray(0, HEADER_BYTES)),
};

class UimageReader implements Reader {
  readonly #header: Buffer;
  readonly #regions = new Regions();
  readonly #dataBytes: number;
  #crc = 0;

  constructor(header: Buffer) {
    this.#header = Buffer.from(header);
    this.#dataBytes = header.readUInt32BE(SIZE_AT);
    this.#regions.watch(HEADER_BYTES, HEADER_BYTES + this.#dataBytes, (bytes) => {
      this.#crc = crc32(bytes, this.#crc);
    });
  }

  update(chunk: Buffer): void {
    this.#regions.update(chunk);
  }

  end({ sizeBytes }: FileEnd): Finding {
    const header = this.#header;
    const broken: string[] = [];
    const withoutCrc = Buffer.from(header).fill(0, HEADER_CRC_AT, HEADER_CRC_AT + 4);
    if (crc32(withoutCrc) !== header.readUInt32BE(HEADER_CRC_AT))
      broken.push('the CRC-32 of the uImage header is not that of the header');
    if (HEADER_BYTES + this.#dataBytes > sizeBytes)
      broken.push(
        `the uImage header tells of ${this.#dataBytes} bytes, and there are ${sizeBytes - HEADER_BYTES}`,
      );
    else if (this.#crc !== header.readUInt32BE(DATA_CRC_AT))
      broken.push('the CRC-32 of the uImage data is not that of the data');
    const name = textIn(header.subarray(NAME_AT, HEADER_BYTES));
    const version = name === null ? null : versionIn(name);
    const at = { from: 'the name in the uImage header', atByte: NAME_AT };
    return {
      format: 'uimage',
      facts: {
        ...(name !== null && { description: { value: name, ...at } }),
        ...(version !== null && { version: { value: version, ...at } }),
      },
      checksum: broken.length === 0 ? 'right' : 'wrong',
      broken,
    };
  }
}
