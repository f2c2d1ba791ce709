import { atOnce } from './steps.js';

/** Counted from 1, a column in characters as JavaScript counts them. */
export interface TextPlace {
  readonly line: number;
  readonly column: number;
}

/** The places of so many bytes are told from one that is remembered. */
const BLOCK_BYTES = 64 * 1024;
const LINE_FEED = 0x0a;

/** Tells line and column of bytes of a text in UTF-8. What it takes to tell one is remembered for the next. */
export class TextPlaces {
  /** Of the first byte of each block. */
  readonly #blocks: TextPlace[] = [{ line: 1, column: 1 }];

  /** @param from  where the first line begins */
  constructor(
    private readonly bytes: Uint8Array,
    private readonly from: number,
  ) {}

  at(offset: number): TextPlace {
    return atOnce(this.telling(offset));
  }

  /** The same in steps, each of a fraction of a millisecond. */
  *telling(offset: number): Generator<void, TextPlace> {
    const block = Math.floor(Math.max(0, offset - this.from) / BLOCK_BYTES);
    while (this.#blocks.length <= block) {
      const last = this.#blocks.length - 1;
      const begin = this.from + last * BLOCK_BYTES;
      this.#blocks.push(this.#count(this.#blocks[last], begin, begin + BLOCK_BYTES));
      yield;
    }
    return this.#count(this.#blocks[block], this.from + block * BLOCK_BYTES, offset);
  }

  #count(start: TextPlace | undefined, from: number, to: number): TextPlace {
    let { line, column } = start ?? { line: 1, column: 1 };
    const end = Math.min(to, this.bytes.length);
    for (let at = from; at < end; at++) {
      const byte = this.bytes[at] ?? 0;
      if (byte === LINE_FEED) {
        line++;
        column = 1;
      } else if (byte >= 0xf0) {
        // A character of four bytes is two of UTF-16.
        column += 2;
      } else if (byte < 0x80 || byte >= 0xc0) {
        column++;
      }
    }
    return { line, column };
  }
}
