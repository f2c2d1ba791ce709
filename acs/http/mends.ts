import type { IncomingMessage } from 'node:http';
import type { BlockList } from 'node:net';
import { type CpeId, clientAddress, type Logger, SECOND_MS, Seldom } from '../../common/index.js';
import type { AcsMetrics } from '../metrics/acs-metrics.js';
import type { Mend } from '../soap/index.js';

/** A whole make of CPE may have the same flaw: of each kind the log says so now and then. */
const LOG_MS = 10 * SECOND_MS;

export interface MendsParts {
  readonly trustedProxies: BlockList | null;
  readonly logger: Logger;
  readonly metrics: AcsMetrics;
}

/** Tells of what CPEs sent amiss and was read all the same, so that an operator can have it put right. */
export class Mends {
  readonly #parts: MendsParts;
  readonly #log = new Seldom(LOG_MS);

  constructor(parts: MendsParts) {
    this.#parts = parts;
  }

  /** @param cpeid  whose request it is; null where nothing says so */
  note(request: IncomingMessage, cpeid: CpeId | null, kinds: readonly Mend[]): void {
    let omitted: number | null = null;
    for (const kind of kinds) {
      this.#parts.metrics.mended.inc(kind);
      const omittedOfKind = this.#log.admit(kind);
      if (omittedOfKind !== null) omitted = (omitted ?? 0) + omittedOfKind;
    }
    if (omitted === null) return;
    this.#parts.logger.warn('cwmp.mended', {
      kinds: kinds.join(','),
      ip: clientAddress(request, this.#parts.trustedProxies),
      ...(cpeid !== null && { cpeid }),
      ...(omitted > 0 && { omitted }),
    });
  }
}
