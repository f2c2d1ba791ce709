import type { Devices } from '../../acs/index.js';
import { Background, type Clock, type Logger, MINUTE_MS, type MonotonicClock } from '../../common/index.js';
import { hitAnew } from '../../rollout/index.js';
import { type Rules, type StoredRule, writtenId } from '../../rules/index.js';

/** One rule's CPEs are counted for so long. */
const COUNTING_MS_MAX = MINUTE_MS;

export interface ReadAnewLogParts {
  readonly rules: Pick<Rules, 'match'>;
  readonly devices: Devices;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly monotonic: MonotonicClock;
}

/** Says of rules of rule files that have come to be read with patterns how many CPEs more they hit; counted beside everything else. */
export class ReadAnewLog {
  readonly #parts: ReadAnewLogParts;
  readonly #background = new Background();
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(parts: ReadAnewLogParts) {
    this.#parts = parts;
  }

  tell(rules: readonly StoredRule[]): void {
    this.#running = this.#running.then(() => this.#count(rules));
  }

  async #count(rules: readonly StoredRule[]): Promise<void> {
    const { logger, devices, clock, monotonic } = this.#parts;
    for (const rule of rules) {
      const untilMs = monotonic() + COUNTING_MS_MAX;
      const isStopping = (): boolean => this.#stopping.signal.aborted;
      if (isStopping()) return;
      try {
        const { more, isAll } = await hitAnew(this.#parts.rules, devices, rule, {
          organization: null,
          nowMs: clock(),
          isOver: () => isStopping() || monotonic() >= untilMs,
          turn: (read) => this.#background.turn('rules-read-anew', read),
        });
        logger.warn('rules.read-anew', { ruleId: writtenId(rule.id), file: rule.sourceFile, more, isAll });
      } catch (error) {
        logger.error('rules.read-anew-not-counted', { ruleId: writtenId(rule.id), error });
      }
    }
  }

  /** Counts no more. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }
}
