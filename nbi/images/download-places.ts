import { SECOND_MS } from '../../common/index.js';
import { Places } from '../http/index.js';
import type { NbiLimits } from '../limits.js';

const RETRY_AFTER_SECONDS = 10;

/** One for each download of an image until its answer is out: who has too many waits a while for the first to end. */
export function downloadPlaces(limits: NbiLimits): Places {
  return new Places({
    what: 'downloads of images',
    perClientMax: limits.downloadsPerUserMax,
    totalMax: limits.downloadsAtATime,
    waiting: { perClientMax: limits.requestsPerClientMax, msMax: limits.waitSecondsMax * SECOND_MS },
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}
