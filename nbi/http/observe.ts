import { randomUUID } from 'node:crypto';
import type { Request, Response } from 'express';
import { Histogram, type Registry } from 'prom-client';
import { type Logger, monotonicClock } from '../../common/index.js';

export interface ObserverParts {
  readonly metrics: Registry;
  readonly logger: Logger;
}

/** What is found out about a request on its way, for the log and the metrics. */
export interface Findings {
  /** The path of the route that served it. */
  route?: string;
  /** The name of who asked. */
  user?: string;
  isQuiet?: boolean;
}

/** Kept beside the response, where express gives room for it. */
export function findingsOf(response: Response): Findings {
  return response.locals;
}

/** Logs and measures each request once its answer is out, or its client gone. */
export function createObserver({ metrics, logger }: ObserverParts) {
  const seconds = new Histogram({
    name: 'ferry_nbi_request_seconds',
    help: 'Northbound requests by route, method and status',
    labelNames: ['route', 'method', 'status'],
    registers: [metrics],
  });
  return (request: Request, response: Response): void => {
    const startMs = monotonicClock();
    const id = randomUUID();
    const { path } = request;
    const method = request.method.slice(0, 16);
    response.set('X-Request-Id', id);
    response.once('close', () => {
      const ms = Math.round(monotonicClock() - startMs);
      const status = response.writableFinished ? response.statusCode : 'aborted';
      const { route = 'none', user, isQuiet } = findingsOf(response);
      seconds.observe({ route, method, status: String(status) }, ms / 1_000);
      const fields = { method, path, status, user, ms, id };
      if (isQuiet) logger.debug('nbi.request', fields);
      else logger.info('nbi.request', fields);
    });
  };
}
