import type { IncomingMessage } from 'node:http';
import type { NbiLimits } from '../limits.js';
import { ApiError } from './api-error.js';
import { NDJSON } from './ndjson.js';

const RETRY_AFTER_SECONDS = 5;

/** How many requests are under way, and how much of their bodies: a store that is slow to answer must not fill the memory. */
export class Admission {
  #requests = 0;
  #bodiesBytes = 0;

  constructor(private readonly limits: NbiLimits) {}

  /**
   * @returns to be called once the request is answered
   * @throws ApiError 503 where there is no room
   */
  enter(request: IncomingMessage): () => void {
    const { requestsMax, bodiesBytesMax } = this.limits;
    const bodyBytes = heldBytesMax(request, this.limits);
    if (this.#requests >= requestsMax) throw busy(`fewer than ${requestsMax} requests under way`);
    if (this.#bodiesBytes + bodyBytes > bodiesBytesMax)
      throw busy(`less than ${bodiesBytesMax} bytes of bodies under way`);
    this.#requests++;
    this.#bodiesBytes += bodyBytes;
    return () => {
      this.#requests--;
      this.#bodiesBytes -= bodyBytes;
    };
  }
}

function busy(expected: string): ApiError {
  return new ApiError(503, [{ field: '', code: 'busy', expected: `${expected}: try again later` }], {
    'Retry-After': String(RETRY_AFTER_SECONDS),
  });
}

/** The most that is held of a body at once; of images, which are streamed, next to nothing is. */
function heldBytesMax(request: IncomingMessage, limits: NbiLimits): number {
  const { 'content-type': contentType = '', 'content-length': length } = request.headers;
  if (length === undefined && request.headers['transfer-encoding'] === undefined) return 0;
  const mediaType = contentType.split(';')[0]?.trim().toLowerCase();
  const announcedBytes = Number(length ?? Number.POSITIVE_INFINITY);
  if (mediaType === NDJSON) return Math.min(announcedBytes, limits.batchBytesMax);
  return mediaType === 'application/json' ? Math.min(announcedBytes, limits.bodyBytesMax) : 0;
}
