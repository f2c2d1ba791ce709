import type { MetricObject } from 'prom-client';
import type { Started } from '../server.js';

/** The variable that tells a worker its number; set by the supervisor, never by a user. */
export const WORKER_VARIABLE = 'FERRY_WORKER';

/** What a worker says to its supervisor. */
export type FromWorker =
  | { readonly kind: 'started'; readonly started: Started }
  /** Its own figures, as asked for. */
  | { readonly kind: 'metrics'; readonly askId: number; readonly metrics: readonly MetricObject[] }
  /** Somebody asks it for those of all. */
  | { readonly kind: 'all-metrics-wanted'; readonly askId: number };

/** What a supervisor says to a worker. */
export type ToWorker =
  | { readonly kind: 'stop' }
  /** What it has of files that others write is to be read again. */
  | { readonly kind: 'reload' }
  | { readonly kind: 'metrics-wanted'; readonly askId: number }
  | { readonly kind: 'all-metrics'; readonly askId: number; readonly text: string };
