import type { FileEnd, Finding, Format, Reader } from './format.js';
import { textIn } from './text.js';

const HEADER_BYTES = 512;
const HEADER_VERSION = 0x01000000;
const VENDOR = { from: 4, until: 0x1c };
const VERSION = { from: 0x1c, until: 0x40 };
const HARDWARE_AT = 0x40;
const REVISION_AT = 0x44;

/** TP-Link's first header. Its lengths are of the flash, not of the file, and its MD5 is over a key that belongs to the vendor. */
export const tplinkV1: Format = {
  recognises: (head) =>
    head.length >= HEADER_BYTES &&
    head.readUInt32BE(0) === HEADER_VERSION &&
    textIn(head.subarray(VENDOR.from, VENDOR.until)) !== null &&
    textIn(head.subarray(VERSION.from, VERSION.until)) !== null,
  begin: (head) => new TplinkV1Reader(head.subarray(0, HEADER_BYTES)),
};

class TplinkV1Reader implements Reader {
  readonly #finding: Finding;

  constructor(header: Buffer) {
    const version = textIn(header.subarray(VERSION.from, VERSION.until));
    const [id, revision] = [header.readUInt32BE(HARDWARE_AT), header.readUInt32BE(REVISION_AT)];
    this.#finding = {
      format: 'tplink-v1',
      facts: {
        ...(version !== null && {
          version: { value: version, from: 'the version in the TP-Link header', atByte: VERSION.from },
        }),
        hardware: {
          value: `0x${id.toString(16).padStart(8, '0')} rev ${revision}`,
          from: 'the hardware id and revision in the TP-Link header',
          atByte: HARDWARE_AT,
        },
      },
      checksum: 'none',
      broken: [],
    };
  }

  update(): void {}

  end(_end: FileEnd): Finding {
    return this.#finding;
  }
}
