import { AggregatorRegistry, type MetricObject } from 'prom-client';
import { SECOND_MS, withinTime } from '../../common/index.js';

/** A worker that takes longer is counted as it was when it last answered. */
const ANSWER_MS_MAX = 3 * SECOND_MS;

type Metrics = readonly MetricObject[];

/**
 * The figures of all workers as one. What workers counted that are gone stays in: a sum that falls would be taken for a counter
 * that began anew, and all of it would be counted twice.
 */
export class GatheredMetrics {
  readonly #latest = new Map<number, Metrics>();
  readonly #asked = new Map<number, Map<number, () => void>>();
  /** One after the other, or two that end at the same moment would each forget the other. */
  #gone: Promise<Metrics> = Promise.resolve([]);
  #lastAskId = 0;

  /**
   * @param workers  of those that run
   * @param ask  asks one of them; what it answers is to be given to {@link answered}
   */
  async text(workers: readonly number[], ask: (workerId: number, askId: number) => void): Promise<string> {
    const askId = ++this.#lastAskId;
    const waiting = new Map<number, () => void>();
    this.#asked.set(askId, waiting);
    const answers = workers.map((workerId) => {
      const answered = new Promise<void>((resolve) => waiting.set(workerId, resolve));
      ask(workerId, askId);
      return answered;
    });
    await withinTime(Promise.all(answers), ANSWER_MS_MAX);
    this.#asked.delete(askId);
    const gone = await this.#gone;
    return merged([gone, ...this.#latest.values()]).metrics();
  }

  answered(workerId: number, askId: number, metrics: Metrics): void {
    this.#latest.set(workerId, metrics);
    this.#asked.get(askId)?.get(workerId)?.();
  }

  /** A worker has ended: what it had counted when it was last asked is kept, and what it had at the moment is not. */
  ended(workerId: number): void {
    for (const waiting of this.#asked.values()) waiting.get(workerId)?.();
    const latest = this.#latest.get(workerId);
    if (latest === undefined) return;
    this.#latest.delete(workerId);
    this.#gone = this.#gone.then((gone) => merged([gone, latest.filter(isCounted)]).getMetricsAsJSON());
  }
}

function merged(all: readonly Metrics[]) {
  return AggregatorRegistry.aggregate([...all]);
}

function isCounted({ type }: MetricObject): boolean {
  // prom-client's types say it is a number; it is the word.
  return ['counter', 'histogram'].includes(String(type));
}
