import type { IncomingMessage } from 'node:http';
import { ApiError } from '../api-error.js';
import type { BodyKind } from './body-kind.js';
import { refuseEncoding } from './media-type.js';

const OCTETS_TYPE = 'application/octet-stream';

/** A file as it is, which the handler takes as it comes; without a Content-Type it is taken for one. */
export const octetsBody: BodyKind<IncomingMessage> = {
  content: { [OCTETS_TYPE]: { schema: { type: 'string', format: 'binary' } } },
  // It is streamed: next to nothing is held.
  heldBytesMax: () => 0,
  async read({ request }) {
    const contentType = (request.headers['content-type'] ?? OCTETS_TYPE).split(';', 1)[0] ?? '';
    if (contentType.trim().toLowerCase() !== OCTETS_TYPE) {
      const expected = `${OCTETS_TYPE} and the file itself as the body`;
      throw new ApiError(415, [{ field: 'Content-Type', expected, found: contentType.slice(0, 100) }]);
    }
    refuseEncoding(request);
    return request;
  },
};
