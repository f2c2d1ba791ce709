import type { Socket } from 'node:net';
import { type CpeId, type Logger, SECOND_MS } from '../../common/index.js';
import type { AcsMetrics } from '../metrics/acs-metrics.js';
import type { SessionEntry, Sessions } from '../session/sessions.js';

const EXPIRY_INTERVAL_MS_MAX = SECOND_MS;

type Outcome = 'done' | 'expired' | 'superseded' | 'failed';

export interface SessionEndsParts {
  readonly sessions: Sessions;
  /** How long a CPE may be silent within a session. */
  readonly sessionIdleMsMax: number;
  readonly logger: Logger;
  readonly metrics: AcsMetrics;
}

/** Ends sessions: at the word of a request, with their connection, or when their CPEs fall silent. Each is counted by how. */
export class SessionEnds {
  readonly #parts: SessionEndsParts;
  readonly #expiry: NodeJS.Timeout;

  constructor(parts: SessionEndsParts) {
    this.#parts = parts;
    const intervalMs = Math.min(EXPIRY_INTERVAL_MS_MAX, Math.max(1, parts.sessionIdleMsMax / 2));
    this.#expiry = setInterval(() => void this.#expire(), intervalMs);
    this.#expiry.unref();
  }

  /** @returns whether it was still to be ended */
  async end(entry: SessionEntry, outcome: 'done' | 'superseded' | 'failed'): Promise<boolean> {
    const ended = await this.#parts.sessions.end(entry);
    if (ended) this.#ended(entry.session.facts.cpeid, outcome);
    return ended;
  }

  disconnected(socket: Socket): void {
    const over = this.#parts.sessions.disconnected(socket);
    if (over !== null) this.#ended(over.cpeid, 'done');
  }

  /** From now on nobody's silence is looked at. */
  stop(): void {
    clearInterval(this.#expiry);
  }

  async #expire(): Promise<void> {
    for (const { cpeid, wasOver } of await this.#parts.sessions.expire()) {
      this.#ended(cpeid, wasOver ? 'done' : 'expired');
    }
  }

  #ended(cpeid: CpeId, outcome: Outcome): void {
    this.#parts.metrics.sessions.inc(outcome);
    if (outcome === 'expired' || outcome === 'failed')
      this.#parts.logger.info(`session.${outcome}`, { cpeid });
  }
}
