import type { FileEnd, Finding, Format, Reader } from './format.js';
import { NetgearSum } from './netgear-sum.js';
import { Regions } from './regions.js';
import { textIn } from './text.js';

const MAGIC = '*#$^';
const FIXED_BYTES = 0x28;
const HEADER_BYTES_AT = 4;
const REGION_AT = 8;
const VERSION = { from: 9, until: 16 };
/** The version before the underscore: `V1.0.0.58_1.0.38` has four numbers and three. */
const FIRST_NUMBERS = 4;
const LENGTHS_AT = [0x18, 0x1c] as const;
const IMAGE_SUM_AT = 0x20;
const HEADER_SUM_AT = 0x24;
const BOARD_BYTES_MAX = 1_024;

/** Netgear's CHK: a header that names the board, then kernel and root file system, each with Netgear's own sum. */
export const netgearChk: Format = {
  recognises: (head) => head.length > FIXED_BYTES && head.toString('latin1', 0, 4) === MAGIC,
  begin: (head) => new ChkReader(head),
};

class ChkReader implements Reader {
  readonly #header: Buffer;
  readonly #headerBytes: number;
  readonly #dataBytes: number;
  readonly #regions = new Regions();
  readonly #sum = new NetgearSum();

  constructor(head: Buffer) {
    this.#headerBytes = head.readUInt32BE(HEADER_BYTES_AT);
    this.#header = Buffer.from(head.subarray(0, Math.min(this.#headerBytes, FIXED_BYTES + BOARD_BYTES_MAX)));
    this.#dataBytes = LENGTHS_AT.reduce((sum, at) => sum + head.readUInt32BE(at), 0);
    this.#regions.watch(this.#headerBytes, this.#headerBytes + this.#dataBytes, (bytes) =>
      this.#sum.add(bytes),
    );
  }

  update(chunk: Buffer): void {
    this.#regions.update(chunk);
  }

  end({ sizeBytes }: FileEnd): Finding {
    const header = this.#header;
    const isWhole = this.#headerBytes > FIXED_BYTES && header.length === this.#headerBytes;
    if (!isWhole) {
      const broken = [`the CHK header is said to have ${this.#headerBytes} bytes, which none has`];
      return { format: 'netgear-chk', facts: {}, checksum: 'wrong', broken };
    }
    const broken: string[] = [];
    const told = this.#headerBytes + this.#dataBytes;
    if (told > sizeBytes) broken.push(`the CHK header tells of ${told} bytes, and there are ${sizeBytes}`);
    else if (this.#sum.value !== header.readUInt32BE(IMAGE_SUM_AT))
      broken.push('the sum of the image in the CHK header is not that of the image');
    const own = new NetgearSum();
    own.add(Buffer.from(header).fill(0, HEADER_SUM_AT, HEADER_SUM_AT + 4));
    if (own.value !== header.readUInt32BE(HEADER_SUM_AT))
      broken.push('the sum of the CHK header is not that of the header');
    const board = textIn(header.subarray(FIXED_BYTES));
    const numbers = [...header.subarray(VERSION.from, VERSION.until)];
    const version = [numbers.slice(0, FIRST_NUMBERS), numbers.slice(FIRST_NUMBERS)].map((part) =>
      part.join('.'),
    );
    return {
      format: 'netgear-chk',
      facts: {
        version: {
          value: `V${version.join('_')}`,
          from: 'the version in the CHK header',
          atByte: VERSION.from,
        },
        ...(board !== null && {
          boards: { value: [board], from: 'the board in the CHK header', atByte: FIXED_BYTES },
        }),
        region: { value: String(header[REGION_AT]), from: 'the region in the CHK header', atByte: REGION_AT },
      },
      checksum: broken.length === 0 ? 'right' : 'wrong',
      broken,
    };
  }
}
