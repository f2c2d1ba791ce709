import type { IncomingMessage } from 'node:http';
import { ApiError } from '../api-error.js';

/**
 * The media type of the body, which must be one of these, in UTF-8 and as it is.
 * @throws ApiError 415
 */
export function requireMediaType(request: IncomingMessage, mediaTypes: readonly string[]): string {
  const contentType = request.headers['content-type'] ?? '';
  const [mediaType = '', ...parameters] = contentType.split(';').map((part) => part.trim().toLowerCase());
  const charset = parameters.find((parameter) => parameter.startsWith('charset='));
  if (!mediaTypes.includes(mediaType) || (charset !== undefined && !/^charset="?utf-?8"?$/.test(charset))) {
    const expected = `${mediaTypes.join(' or ')} (UTF-8)`;
    throw new ApiError(415, [{ field: 'Content-Type', expected, found: contentType.slice(0, 100) }]);
  }
  refuseEncoding(request);
  return mediaType;
}

/** @throws ApiError 415: a compressed body could be a thousand times what its size says */
export function refuseEncoding(request: IncomingMessage): void {
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding.toLowerCase() !== 'identity') {
    throw new ApiError(415, [
      { field: 'Content-Encoding', expected: 'none: send the body as it is', found: encoding.slice(0, 100) },
    ]);
  }
}
