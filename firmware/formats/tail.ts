import { crc32 } from 'node:zlib';
import { TAIL_BYTES } from './format.js';

/**
 * The end of a file while it comes, and the CRC-32 of all before. Bytes are copied: whoever holds on to buffers of a socket, even a few of
 * them, has all of memory collected for every few that come.
 */
export class Tail {
  /** Written round and round. */
  readonly #ring = Buffer.allocUnsafeSlow(TAIL_BYTES);
  #sizeBytes = 0;
  #crcBefore = 0;

  add(chunk: Buffer): void {
    for (let taken = 0; taken < chunk.length; ) {
      const at = this.#sizeBytes % TAIL_BYTES;
      const bytes = Math.min(chunk.length - taken, TAIL_BYTES - at);
      const place = this.#ring.subarray(at, at + bytes);
      if (this.#sizeBytes >= TAIL_BYTES) this.#crcBefore = crc32(place, this.#crcBefore);
      chunk.copy(place, 0, taken, taken + bytes);
      taken += bytes;
      this.#sizeBytes += bytes;
    }
  }

  /** After the last of them. */
  end(): { readonly tail: Buffer; readonly crcBeforeTail: number } {
    if (this.#sizeBytes <= TAIL_BYTES)
      return { tail: this.#ring.subarray(0, this.#sizeBytes), crcBeforeTail: 0 };
    const at = this.#sizeBytes % TAIL_BYTES;
    const tail = Buffer.concat([this.#ring.subarray(at), this.#ring.subarray(0, at)]);
    return { tail, crcBeforeTail: this.#crcBefore };
  }
}
