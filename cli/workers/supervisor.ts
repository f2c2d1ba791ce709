import cluster, { type Worker as ClusterWorker } from 'node:cluster';
import { type Logger, MINUTE_MS, SECOND_MS } from '../../common/index.js';
import type { Started } from '../server.js';
import { GatheredMetrics } from './gathered-metrics.js';
import { type FromWorker, type ToWorker, WORKER_VARIABLE } from './protocol.js';

const BACK_OFF_MS_MIN = 100;
const BACK_OFF_MS_MAX = 30 * SECOND_MS;
/** A worker that ran so long did not die of how it was started. */
const SOUND_MS = MINUTE_MS;
/** Longer than a worker takes to stop when all goes well; whoever is not done by then never will be. */
const STOP_MS_MAX = 30 * SECOND_MS;

/** The first worker could not be started; it has said why. */
export class WorkersNotStartedError extends Error {
  override readonly name = 'WorkersNotStartedError';
  constructor(readonly exitCode: number) {
    super(`The first worker ended with code ${exitCode} before it listened`);
  }
}

/** The place of one worker, whichever process fills it. */
interface Place {
  /** From 1; what the log calls it. */
  readonly number: number;
  worker: ClusterWorker | null;
  startedAtMs: number;
  /** In a row, each but the first after a short life. */
  deaths: number;
  restart: NodeJS.Timeout | null;
}

export interface SupervisorParts {
  readonly count: number;
  readonly logger: Logger;
  /** Milliseconds that only ever grow. */
  readonly monotonicMs: () => number;
}

/**
 * Several workers on one machine, each this same command again, with the listeners shared between them. One that dies is started
 * again, at once and then at longer and longer intervals. What a worker knows that others need is in the store.
 */
export class Supervisor {
  readonly #parts: SupervisorParts;
  readonly #places: readonly Place[];
  readonly #metrics = new GatheredMetrics();
  #isServing = false;
  #isStopping = false;
  #onAllEnded: () => void = () => {};

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
    this.#places = Array.from({ length: parts.count }, (_, index) => ({
      number: index + 1,
      worker: null,
      startedAtMs: 0,
      deaths: 0,
      restart: null,
    }));
  }

  /**
   * Starts the first worker, which makes what has to be made, and then the others.
   * @returns what to tell the user
   * @throws WorkersNotStartedError
   */
  async start(): Promise<Started> {
    const [first, ...others] = this.#places;
    if (first === undefined) throw new Error('A supervisor without a place for a worker');
    const started = await this.#fork(first);
    if (typeof started === 'number') throw new WorkersNotStartedError(started);
    this.#isServing = true;
    if (!this.#isStopping) await Promise.all(others.map((place) => this.#fork(place)));
    this.#parts.logger.info('workers.started', { workers: this.#places.length });
    return started;
  }

  /** @returns what the worker has started, or the code it ended with before */
  #fork(place: Place): Promise<Started | number> {
    const worker = cluster.fork({ [WORKER_VARIABLE]: String(place.number) });
    place.worker = worker;
    place.startedAtMs = this.#parts.monotonicMs();
    return new Promise((resolve) => {
      worker.on('message', (message: FromWorker) => {
        if (message.kind === 'started') {
          this.#parts.logger.info('worker.started', { worker: place.number, pid: worker.process.pid });
          resolve(message.started);
        } else void this.#onMetrics(worker, message);
      });
      worker.once('exit', (exitCode: number | null, signal: string | null) => {
        this.#ended(place, worker, { exitCode, signal });
        resolve(exitCode || 1);
      });
      // A message to a worker that is dying; its exit says all there is to say.
      worker.on('error', () => {});
    });
  }

  #ended(place: Place, worker: ClusterWorker, how: { exitCode: number | null; signal: string | null }): void {
    place.worker = null;
    this.#metrics.ended(worker.id);
    if (this.#places.every((each) => each.worker === null)) this.#onAllEnded();
    if (this.#isStopping || !this.#isServing) return;
    const wasSound = this.#parts.monotonicMs() - place.startedAtMs >= SOUND_MS;
    place.deaths = wasSound ? 1 : place.deaths + 1;
    const againInMs = Math.min(BACK_OFF_MS_MIN * 2 ** (place.deaths - 1), BACK_OFF_MS_MAX);
    this.#parts.logger.error('worker.ended', {
      worker: place.number,
      pid: worker.process.pid,
      ...how,
      againInMs,
    });
    place.restart = setTimeout(() => {
      place.restart = null;
      void this.#fork(place);
    }, againInMs);
  }

  async #onMetrics(worker: ClusterWorker, message: Exclude<FromWorker, { kind: 'started' }>): Promise<void> {
    if (message.kind === 'metrics') {
      this.#metrics.answered(worker.id, message.askId, message.metrics);
      return;
    }
    const running = new Map(this.#running().map((each) => [each.id, each]));
    const text = await this.#metrics.text([...running.keys()], (workerId, askId) => {
      const asked = running.get(workerId);
      if (asked !== undefined) tell(asked, { kind: 'metrics-wanted', askId });
    });
    tell(worker, { kind: 'all-metrics', askId: message.askId, text });
  }

  #running(): ClusterWorker[] {
    return this.#places.map(({ worker }) => worker).filter((worker) => worker !== null);
  }

  /** Has every worker read again what others write. One that starts just now reads it anyway. */
  reload(): void {
    for (const worker of this.#running()) tell(worker, { kind: 'reload' });
  }

  /** Lets every worker finish what is under way; resolves when all have ended. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const place of this.#places) if (place.restart !== null) clearTimeout(place.restart);
    const running = this.#running();
    if (running.length === 0) return;
    const ended = new Promise<void>((resolve) => {
      this.#onAllEnded = resolve;
    });
    for (const worker of running) tell(worker, { kind: 'stop' });
    const overdue = setTimeout(() => {
      for (const worker of this.#running()) {
        this.#parts.logger.error('worker.not-stopped', { pid: worker.process.pid });
        worker.process.kill('SIGKILL');
      }
    }, STOP_MS_MAX);
    await ended;
    clearTimeout(overdue);
  }
}

function tell(worker: ClusterWorker, message: ToWorker): void {
  if (worker.isConnected()) worker.send(message);
}
