import type { IncomingMessage } from 'node:http';
import type { NbiLimits } from '../../limits.js';
import { ApiError } from '../api-error.js';
import type { JsonSize } from './body-kind.js';

/**
 * The body as a whole. Whatever the outcome, the connection stays usable for the answer: node drops what is left of the body.
 * @throws ApiError 413 too large, 408 too slow, 400 broken off
 */
export function readWholeBody(
  request: IncomingMessage,
  { bodyMsMax }: Pick<NbiLimits, 'bodyMsMax'>,
  { bytesMax, remedy }: JsonSize,
): Promise<Buffer> {
  const tooLarge = () =>
    new ApiError(413, [{ field: '', expected: `a body of at most ${bytesMax} bytes: ${remedy}` }]);
  const announced = request.headers['content-length'];
  if (Number(announced ?? 0) > bytesMax) return Promise.reject(tooLarge());
  const brokenOff = () => new ApiError(400, [{ field: '', expected: 'a whole body' }]);
  // Gone before anyone listened: no event would tell.
  if (request.destroyed) return Promise.reject(brokenOff());
  return new Promise((resolve, reject) => {
    const gathered = announced === undefined ? new Chunks() : new Filled(Number(announced));
    let bytes = 0;
    const finish = (settle: () => void) => {
      clearTimeout(timer);
      request.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose);
      settle();
    };
    const onData = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > bytesMax) finish(() => reject(tooLarge()));
      else gathered.add(chunk);
    };
    const onEnd = () => finish(() => resolve(gathered.whole()));
    const onClose = () => finish(() => reject(brokenOff()));
    const onLate = () =>
      finish(() =>
        reject(
          new ApiError(408, [{ field: '', expected: `the whole body within ${bodyMsMax / 1000} seconds` }], {
            Connection: 'close',
          }),
        ),
      );
    const timer = setTimeout(onLate, bodyMsMax);
    request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose);
  });
}

/** A body of a length that was announced is gathered where it will stay: as chunks and as a whole it would be held twice. */
class Filled {
  #whole: Buffer | null = null;
  #bytes = 0;

  constructor(private readonly length: number) {}

  add(chunk: Buffer): void {
    // Not before anything has come: whoever only announces a body has none of the memory.
    this.#whole ??= Buffer.allocUnsafeSlow(this.length);
    chunk.copy(this.#whole, this.#bytes);
    this.#bytes += chunk.length;
  }

  whole(): Buffer {
    return this.#whole?.subarray(0, this.#bytes) ?? Buffer.alloc(0);
  }
}

/** One whose length is not known before it ends. */
class Chunks {
  readonly #chunks: Buffer[] = [];

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  whole(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}
