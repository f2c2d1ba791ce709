import type { Request } from 'express';
import {
  type Logger,
  MinuteCounts,
  type MonotonicClock,
  monotonicClock,
  SECOND_MS,
  Seldom,
} from '../../common/index.js';
import type { EventLog } from '../../events/index.js';
import { findingsOf } from './observe.js';
import type { ServeParts } from './serve.js';

/** Events a minute in each process: a page can have a browser send thousands of requests, and the first ones tell as much. */
const NOTED_A_MINUTE_MAX = 30;
const LOG_MS = 10 * SECOND_MS;
const PATH_CHARACTERS_MAX = 200;

/** Where a request by the name of a CPE goes is another path (`mount.ts`). */
function pathAsSent({ originalUrl }: Request): string {
  return originalUrl.split('?', 1).join('');
}

/** Tells of requests that pages of other sites had sent, in the log of events and in that of the process. */
export function otherSiteLog(parts: {
  readonly events: EventLog;
  readonly logger: Logger;
  readonly monotonic?: MonotonicClock;
}): NonNullable<ServeParts['noteOtherSite']> {
  const { events, logger, monotonic = monotonicClock } = parts;
  const seldom = new Seldom(LOG_MS, monotonic);
  const noted = new MinuteCounts(1);
  return ({ header, found }, request, response) => {
    const { address = '' } = findingsOf(response);
    const told = {
      header,
      found,
      method: request.method,
      path: pathAsSent(request).slice(0, PATH_CHARACTERS_MAX),
      address,
    };
    const omitted = seldom.admit('other-site');
    if (omitted !== null) {
      logger.warn('nbi.other-site', { ...told, ip: address, ...(omitted > 0 && { omitted }) });
    }
    const count = noted.open('all', monotonic());
    if (count.failures >= NOTED_A_MINUTE_MAX) return;
    count.failures++;
    // Whose browser it was is not asked: to refuse it must cost less than that.
    events
      .note({ action: 'refused', subject: 'log-in', subjectId: found, by: null, after: told })
      .catch((error: unknown) => logger.debug('nbi.other-site-not-noted', { error }));
  };
}
