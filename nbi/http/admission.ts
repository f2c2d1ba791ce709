import type { NbiLimits } from '../limits.js';
import { ApiError } from './api-error.js';

const RETRY_AFTER_SECONDS = 5;

/** How many requests are under way, and how much of their bodies: a store that is slow to answer must not fill the memory. */
export class Admission {
  #requests = 0;
  #bodiesBytes = 0;

  constructor(private readonly limits: NbiLimits) {}

  /**
   * @param bodyBytes  the most that is held of the request's body at once
   * @returns to be called once the request is answered
   * @throws ApiError 503 where there is no room
   */
  enter(bodyBytes: number): () => void {
    const { requestsMax, bodiesBytesMax } = this.limits;
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
