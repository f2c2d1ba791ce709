import type { IncomingMessage } from 'node:http';
import type { NbiLimits } from '../../limits.js';
import { ApiError } from '../api-error.js';

/**
 * The body as a whole. Whatever the outcome, the connection stays usable for the answer: node drops what is left of the body.
 * @param remedy  what to do about one that is too large
 * @throws ApiError 413 too large, 408 too slow, 400 broken off
 */
export function readWholeBody(
  request: IncomingMessage,
  { bodyBytesMax, bodyMsMax }: NbiLimits,
  remedy: string,
): Promise<Buffer> {
  const tooLarge = () =>
    new ApiError(413, [{ field: '', expected: `a body of at most ${bodyBytesMax} bytes: ${remedy}` }]);
  if (Number(request.headers['content-length'] ?? 0) > bodyBytesMax) return Promise.reject(tooLarge());
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const finish = (settle: () => void) => {
      clearTimeout(timer);
      request.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose);
      settle();
    };
    const onData = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > bodyBytesMax) finish(() => reject(tooLarge()));
      else chunks.push(chunk);
    };
    const onEnd = () => finish(() => resolve(Buffer.concat(chunks, bytes)));
    const onClose = () => finish(() => reject(new ApiError(400, [{ field: '', expected: 'a whole body' }])));
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
