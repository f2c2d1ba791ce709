import { SECOND_MS } from '../../common/index.js';
import { Places } from '../http/index.js';
import type { NbiLimits } from '../limits.js';

/** Each reads CPEs and writes rules as fast as it may: more at a time would not end sooner. */
const PER_USER_MAX = 2;
const IN_ALL_MAX = 4;
const RETRY_AFTER_SECONDS = 10;

/** One for each request that makes a batch until it is answered: who has too many waits a while for the first to end. */
export function batchPlaces({ requestsPerClientMax, waitSecondsMax }: NbiLimits): Places {
  return new Places({
    what: 'batches that are being made',
    perClientMax: PER_USER_MAX,
    totalMax: IN_ALL_MAX,
    waiting: { perClientMax: requestsPerClientMax, msMax: waitSecondsMax * SECOND_MS },
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}
