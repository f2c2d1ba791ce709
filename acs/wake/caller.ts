import { setMaxListeners } from 'node:events';
import type { CpeId, Logger } from '../../common/index.js';
import type {
  ConnectionRequestOutcome,
  ConnectionRequests,
} from '../connection-request/connection-requests.js';
import type { AcsMetrics } from '../metrics/acs-metrics.js';

/** Connection requests under way at a time: what CPEs that do not answer may hold up. */
const IN_FLIGHT_MAX = 1_000;

/** Calls CPEs, as many at a time as there is room for. All that call share that room. */
export interface CpeCaller {
  /** How many more may be called now; 0 also while Ferry stops. */
  readonly free: number;
  isCalling(cpeid: CpeId): boolean;
  /**
   * Calls a CPE now, by connection request; how long that is tried is an option of these. Never throws. To be asked only while there is room.
   * @param onEnd  called once, with how it went: 200 where it came
   */
  call(cpeid: CpeId, onEnd: (code: ConnectionRequestOutcome['code']) => void): void;
}

/** Sends connection requests and waits for none of them: one slow CPE does not hold up the next. */
export class Caller implements CpeCaller {
  readonly #requests: ConnectionRequests;
  readonly #metrics: AcsMetrics;
  readonly #logger: Logger;
  readonly #underWay = new Map<CpeId, Promise<void>>();
  readonly #stop = new AbortController();

  constructor(parts: { requests: ConnectionRequests; metrics: AcsMetrics; logger: Logger }) {
    this.#requests = parts.requests;
    this.#metrics = parts.metrics;
    this.#logger = parts.logger;
    // Each call under way listens, in its attempt and in its back-off.
    setMaxListeners(2 * IN_FLIGHT_MAX, this.#stop.signal);
  }

  get free(): number {
    return this.#stop.signal.aborted ? 0 : IN_FLIGHT_MAX - this.#underWay.size;
  }

  isCalling(cpeid: CpeId): boolean {
    return this.#underWay.has(cpeid);
  }

  call(cpeid: CpeId, onEnd: (code: ConnectionRequestOutcome['code']) => void): void {
    const call = this.#call(cpeid)
      .then(onEnd)
      .finally(() => this.#underWay.delete(cpeid));
    this.#underWay.set(cpeid, call);
  }

  async #call(cpeid: CpeId): Promise<ConnectionRequestOutcome['code']> {
    try {
      const { code } = await this.#requests.wake(cpeid, this.#stop.signal);
      this.#metrics.wakes.inc(String(code));
      return code;
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#logger.error('wake.call-failed', { cpeid, error });
      return 502;
    }
  }

  /** Resolves once no call is under way. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay.values());
  }

  /** Breaks off what is under way. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.idle();
  }
}
