import type { BatchId, Logger } from '../../common/index.js';

/** What this process makes, or withdraws, of batches in the background: of each one thing after the other. */
export class Tasks {
  readonly #logger: Logger;
  readonly #underWay = new Map<BatchId, Promise<unknown>>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Resolves once nothing is done of it any more, however that ended. */
  async of(id: BatchId): Promise<void> {
    await this.#underWay.get(id);
  }

  /** Waits for all of it. */
  async ended(): Promise<void> {
    await Promise.all(this.#underWay.values());
  }

  track(id: BatchId, work: Promise<unknown>): void {
    const tracked = work
      .catch(() => {})
      .finally(() => {
        if (this.#underWay.get(id) === tracked) this.#underWay.delete(id);
      });
    this.#underWay.set(id, tracked);
  }

  /** Goes on with what was begun, once nothing else of this batch is done. What fails a round takes up. */
  afterwards(id: BatchId, work: () => Promise<void>): void {
    const before = this.#underWay.get(id) ?? Promise.resolve();
    const going = before.then(work);
    this.track(
      id,
      going.catch((error: unknown) => this.#logger.error('batches.task-failed', { batch: id, error })),
    );
  }
}
