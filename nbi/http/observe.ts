import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { BlockList } from 'node:net';
import type { Request, Response } from 'express';
import { Histogram, type Registry } from 'prom-client';
import {
  clientAddress,
  type Logger,
  type MonotonicClock,
  monotonicClock,
  SECOND_MS,
  Seldom,
  whenOver,
} from '../../common/index.js';
import type { Role } from '../users/index.js';
import { type Arrival, arrivalAt } from './arrival.js';

export interface ObserverParts {
  readonly metrics: Registry;
  readonly logger: Logger;
  /** By which what is said seldom is timed; this process's own unless told. */
  readonly monotonic?: MonotonicClock;
  /** Proxies whose X-Forwarded-For, -Proto and -Host are believed; null: none. */
  readonly trustedProxies: BlockList | null;
}

/** What is found out about a request on its way, for the log and the metrics. */
export interface Findings {
  /** Where it comes from. */
  address?: string;
  /** By what URL. */
  arrival?: Arrival;
  /** The label of a CPE, where the host of that URL stands for one (`device-apis/`). */
  deviceLabel?: string;
  /** Aborted once the answer is out or its client gone. */
  over?: AbortSignal;
  /** Which status says what became of it, where its API says that in the body alone. */
  meantStatus?: number;
  /** The path of the route that served it. */
  route?: string;
  /** The name of who asked. */
  user?: string;
  /** What that user may do by it. */
  role?: Role;
  /** Whether it has a place among the requests of that user. */
  hasPlace?: boolean;
  isQuiet?: boolean;
}

/** Kept beside the response, where express gives room for it. */
export function findingsOf(response: Response): Findings {
  return response.locals;
}

/** By what URL the request came that this answers. */
export function arrivalOf(response: Response | undefined): Arrival {
  const arrival = response === undefined ? undefined : findingsOf(response).arrival;
  return arrival ?? { scheme: 'http', host: null };
}

/** The name of who has sent a request, once that is known. */
export function userOf(response: ServerResponse & { readonly locals?: Findings }): string | undefined {
  return response.locals?.user;
}

/** Whether a request has a place among those of a user; one that is refused has none, however long its answer takes. */
export function hasPlace(response: ServerResponse & { readonly locals?: Findings }): boolean {
  return response.locals?.hasPlace ?? false;
}

/** While thousands of log-ins are turned away, the log says so now and then. */
const TURNED_AWAY_LOG_MS = 10 * SECOND_MS;

/** Why whatever is done for a request is broken off. Made once: an error that is made anew has the stack looked at, which costs more than a refusal. */
const OVER = new Error('The answer is out, or its client gone');

/** Logs and measures each request once its answer is out, or its client gone. */
export function createObserver({
  metrics,
  logger,
  monotonic = monotonicClock,
  trustedProxies,
}: ObserverParts) {
  const seconds = new Histogram({
    name: 'ferry_nbi_request_seconds',
    help: 'Northbound requests by route, method and status',
    labelNames: ['route', 'method', 'status'],
    registers: [metrics],
  });
  const turnedAway = new Seldom(TURNED_AWAY_LOG_MS, monotonic);
  return (request: Request, response: Response): void => {
    const startMs = monotonicClock();
    const id = randomUUID();
    const { path } = request;
    const method = request.method.slice(0, 16);
    response.set('X-Request-Id', id);
    const ip = clientAddress(request, trustedProxies);
    const over = new AbortController();
    const arrival = arrivalAt(request, trustedProxies);
    Object.assign(findingsOf(response), { address: ip, arrival, over: over.signal });
    whenOver(request, response, () => {
      over.abort(OVER);
      const ms = Math.round(monotonicClock() - startMs);
      const { route = 'none', user, isQuiet, deviceLabel: device, meantStatus } = findingsOf(response);
      const status = response.writableFinished ? (meantStatus ?? response.statusCode) : 'aborted';
      seconds.observe({ route, method, status: String(status) }, ms / 1_000);
      const fields = { method, path, ...(device !== undefined && { device }), status, user, ip, ms, id };
      const isTurnedAway = user === undefined && (status === 401 || status === 429);
      const omitted = isTurnedAway ? turnedAway.admit(String(status)) : 0;
      if (omitted === null) return;
      if (omitted > 0) logger.info('nbi.request', { ...fields, omitted });
      else if (isQuiet) logger.debug('nbi.request', fields);
      else logger.info('nbi.request', fields);
    });
  };
}
