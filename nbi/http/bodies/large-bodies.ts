import { SECOND_MS } from '../../../common/index.js';
import { Places } from '../places.js';

/** What is larger costs memory and time that one user is to have only once. */
export const LARGE_BODY_BYTES = 256 * 1024;
/** Of one user. What waits holds nothing: its client is not read from. */
const WAITING_MAX = 4;
/** Long enough for 10,000 rules to be stored; a load that takes longer is one that the next has to come back after. */
const WAIT_MS_MAX = 20 * SECOND_MS;
const RETRY_AFTER_SECONDS = 5;

/** Large bodies of one user are taken one after the other: four at a time would take the memory of four. */
export function largeBodyPlaces(): Places {
  return new Places({
    what: `bodies of more than ${LARGE_BODY_BYTES} bytes`,
    perClientMax: 1,
    totalMax: Number.POSITIVE_INFINITY,
    waiting: { perClientMax: WAITING_MAX, msMax: WAIT_MS_MAX },
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}
