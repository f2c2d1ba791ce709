import { crc32 } from 'node:zlib';
import { TAIL_BYTES } from './format.js';

/** Smaller portions are put together to so much: of a sender that gives single bytes an object for each would be held, a million of them. */
const PIECE_BYTES = 16 * 1_024;

/** The end of a file while it comes: a mebibyte of it and one portion, and the CRC-32 of all before. */
export class Tail {
  readonly #pieces: Buffer[] = [];
  readonly #gathering: Buffer = Buffer.alloc(PIECE_BYTES);
  #gatheredBytes = 0;
  #piecesBytes = 0;
  #crcBefore = 0;

  /** @param chunk  the next bytes: a large one is kept as it is, a small one copied */
  add(chunk: Buffer): void {
    if (chunk.length >= PIECE_BYTES) {
      this.#endPiece();
      this.#push(chunk);
      return;
    }
    let rest = chunk;
    while (rest.length > 0) {
      const taken = rest.copy(this.#gathering, this.#gatheredBytes);
      this.#gatheredBytes += taken;
      rest = rest.subarray(taken);
      if (this.#gatheredBytes === PIECE_BYTES) this.#endPiece();
    }
  }

  /** After the last of them. */
  end(): { readonly tail: Buffer; readonly crcBeforeTail: number } {
    this.#endPiece();
    return { tail: Buffer.concat(this.#pieces), crcBeforeTail: this.#crcBefore };
  }

  #endPiece(): void {
    if (this.#gatheredBytes === 0) return;
    this.#push(Buffer.from(this.#gathering.subarray(0, this.#gatheredBytes)));
    this.#gatheredBytes = 0;
  }

  #push(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#piecesBytes += piece.length;
    for (let first = this.#pieces[0]; first !== undefined; first = this.#pieces[0]) {
      if (this.#piecesBytes - first.length < TAIL_BYTES) return;
      this.#pieces.shift();
      this.#piecesBytes -= first.length;
      this.#crcBefore = crc32(first, this.#crcBefore);
    }
  }
}
