import {
  BOARDS_READ_MAX,
  type FileEnd,
  type Finding,
  type Format,
  type ImageFacts,
  type Reader,
} from './format.js';
import { readable } from './text.js';

const HEADER_BYTES = 0x14;
const PARTITIONS = 'fwup-ptn ';
const VERSION = 'soft_ver:';
const BOARDS = 'SupportList:';
/** What of either is read: the lines of more boards than an image has, each with its regions. */
const TEXT_BYTES_MAX = 32 * 1_024;

/** TP-Link's safeloader: a length, an MD5 with a key of the vendor's, and texts that the stock loader compares. */
export const tplinkSafeloader: Format = {
  recognises: (head) =>
    head.length > HEADER_BYTES &&
    head.includes(PARTITIONS) &&
    (head.includes(VERSION) || head.includes(BOARDS)),
  begin: (head) => new SafeloaderReader(head),
};

class SafeloaderReader implements Reader {
  readonly #head: Buffer;

  constructor(head: Buffer) {
    this.#head = head;
  }

  update(): void {}

  end({ sizeBytes }: FileEnd): Finding {
    const told = this.#head.readUInt32BE(0);
    const broken =
      told > sizeBytes ? [`the safeloader header tells of ${told} bytes, and there are ${sizeBytes}`] : [];
    const unread = `of the SupportList the first ${TEXT_BYTES_MAX} bytes are read`;
    return {
      format: 'tplink-safeloader',
      facts: this.#facts(),
      checksum: 'none',
      broken,
      ...(this.#after(BOARDS)?.isCut === true && { unread: [unread] }),
    };
  }

  #facts(): ImageFacts {
    const [version, boards] = [this.#after(VERSION), this.#after(BOARDS)];
    const named = boards === null ? [] : boardsIn(boards.text);
    const firstLine = version === null ? null : readable(version.text.split(/[\r\n]/, 1)[0]);
    return {
      ...(version !== null &&
        firstLine !== null && { version: { value: firstLine, from: 'soft_ver', atByte: version.atByte } }),
      ...(boards !== null &&
        named.length > 0 && { boards: { value: named, from: 'SupportList', atByte: boards.atByte } }),
    };
  }

  /** What follows a word, up to what is no text any more. */
  #after(word: string): { readonly text: string; readonly atByte: number; readonly isCut: boolean } | null {
    const found = this.#head.indexOf(word);
    if (found < 0) return null;
    const atByte = found + word.length;
    const bytes = this.#head.subarray(atByte, atByte + TEXT_BYTES_MAX);
    const end = bytes.findIndex((byte) => byte === 0 || byte === 0xff);
    const isCut = end < 0 && bytes.length === TEXT_BYTES_MAX;
    return { text: bytes.toString('latin1', 0, end < 0 ? bytes.length : end), atByte, isCut };
  }
}

/** Of lines such as `{product_name:Archer C6,product_ver:2.0.0,special_id:45550000}`. */
function boardsIn(text: string): readonly string[] {
  const boards: string[] = [];
  for (const [, inside = ''] of text.matchAll(/\{([^{}\r\n]*)\}/g)) {
    const fields = new Map(
      inside.split(',').map((field) => {
        const [name = '', ...value] = field.split(':');
        return [name.trim(), value.join(':').trim()] as const;
      }),
    );
    const board = [fields.get('product_name'), fields.get('product_ver')].filter(Boolean).join(' ');
    const known = readable(board);
    if (known !== null && !boards.includes(known)) boards.push(known);
    if (boards.length >= BOARDS_READ_MAX) break;
  }
  return boards;
}
