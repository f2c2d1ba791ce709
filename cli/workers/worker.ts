import cluster from 'node:cluster';
import process from 'node:process';
import type { Registry } from 'prom-client';
import { SECOND_MS } from '../../common/index.js';
import type { Started } from '../server.js';
import type { FromWorker, ToWorker } from './protocol.js';

/** Longer than the supervisor waits for the slowest worker. */
const ALL_METRICS_MS_MAX = 10 * SECOND_MS;

/** This process as one of several workers: what it says to its supervisor, and is told by it. */
export class Worker {
  readonly #waiting = new Map<number, (text: string) => void>();
  readonly #stop: () => void;
  #reload = () => {};
  #registry: Registry | null = null;
  #lastAskId = 0;
  /** Resolves when this worker is to end. */
  readonly ended: Promise<void>;

  constructor() {
    let stop = () => {};
    this.ended = new Promise((resolve) => {
      stop = resolve;
    });
    this.#stop = stop;
    process.on('message', (message: ToWorker) => void this.#on(message));
    // A terminal interrupts every process in the foreground; when workers stop is the supervisor's to say.
    process.on('SIGINT', () => {});
    process.on('SIGHUP', () => {});
    process.on('SIGTERM', stop);
  }

  /** @param reload  what to do whenever files are to be read again */
  started({ urls, firstAdmin, newCpeCredentials }: Started, reload: () => void): void {
    this.#reload = reload;
    tell({ kind: 'started', started: { urls, firstAdmin, newCpeCredentials } });
  }

  /**
   * Hands over this worker's figures whenever they are asked for.
   * @returns gives those of all workers together, in the text format of Prometheus
   */
  sharingMetrics(own: Registry): () => Promise<string> {
    this.#registry = own;
    return () => this.#allMetrics();
  }

  /** Lets go of the supervisor, which would keep this process running. By cluster's own way, or it would end it at once, with code 0. */
  leave(): void {
    cluster.worker?.disconnect();
  }

  #allMetrics(): Promise<string> {
    const askId = ++this.#lastAskId;
    return new Promise((resolve, reject) => {
      const timeout = setTimeout(() => {
        this.#waiting.delete(askId);
        reject(new Error('The process that supervises the workers does not answer'));
      }, ALL_METRICS_MS_MAX);
      this.#waiting.set(askId, (text) => {
        clearTimeout(timeout);
        this.#waiting.delete(askId);
        resolve(text);
      });
      tell({ kind: 'all-metrics-wanted', askId });
    });
  }

  async #on(message: ToWorker): Promise<void> {
    switch (message.kind) {
      case 'stop':
        return this.#stop();
      case 'reload':
        return this.#reload();
      case 'metrics-wanted': {
        const metrics = (await this.#registry?.getMetricsAsJSON()) ?? [];
        return tell({ kind: 'metrics', askId: message.askId, metrics });
      }
      case 'all-metrics':
        return this.#waiting.get(message.askId)?.(message.text);
      default:
        return message satisfies never;
    }
  }
}

function tell(message: FromWorker): void {
  // Without a supervisor there is nobody to tell, and this process is about to end.
  if (process.connected) process.send?.(message);
}
