import { SECOND_MS } from '../../common/index.js';
import { Places } from '../http/index.js';
import type { NbiLimits } from '../limits.js';

const RETRY_AFTER_SECONDS = 10;

/** One for each request that brings content of an image, whole or in parts: who has too many waits a while for the first to end. */
export function uploadPlaces(limits: NbiLimits): Places {
  return new Places({
    what: 'uploads of images',
    perClientMax: limits.uploadsPerUserMax,
    totalMax: limits.uploadsAtATime,
    waiting: { perClientMax: limits.requestsPerClientMax, msMax: limits.waitSecondsMax * SECOND_MS },
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}
