import type { IncomingMessage } from 'node:http';
import type { BlockList } from 'node:net';
import { type CpeId, type Logger, SECOND_MS, Seldom } from '../../common/index.js';
import { StoreError } from '../../store/index.js';
import type { AcsMetrics } from '../metrics/acs-metrics.js';
import { type AcsFaultCode, type EnvelopeStyle, SoapError } from '../soap/index.js';
import { faultMessage, type HttpAnswer, soapAnswer, type Trace } from './answer.js';
import { BodyBudgetError } from './body.js';
import { clientAddress } from './request.js';

/** A CPE is told to come again so much later when the store cannot be reached. */
const RETRY_AFTER_SECONDS = 30;
/** While thousands of CPEs are told to come again, the log says so now and then. */
const BUSY_LOG_MS = 10 * SECOND_MS;

export interface RefusalParts {
  readonly trustedProxies: BlockList | null;
  readonly logger: Logger;
  readonly metrics: AcsMetrics;
  readonly trace?: Trace;
}

/** The CWMP fault that a message is refused with. */
export interface RefusingFault {
  readonly faultCode: AcsFaultCode;
  /** What it answers: the ID of its header, and how it was written. */
  readonly id: string | null;
  readonly style: EnvelopeStyle;
}

/** What requests get that are not served. Each is counted by its kind, and the log says why. */
export class Refusals {
  readonly #parts: RefusalParts;
  readonly #busyLog = new Seldom(BUSY_LOG_MS);

  constructor(parts: RefusalParts) {
    this.#parts = parts;
  }

  /** @param cpeid  whose session it breaks; null where it is nobody's */
  violation(request: IncomingMessage, cpeid: CpeId | null, reason: string): HttpAnswer {
    this.#reject(request, 'protocol', { reason, ...(cpeid !== null && { cpeid }) });
    return { status: 400, body: `${reason}\n`, close: true };
  }

  /** For what is no HTTP that everyone would read in one way. */
  malformed(request: IncomingMessage, reason: string): HttpAnswer {
    this.#reject(request, 'http', { reason });
    return { status: 400, body: `${reason}\n`, close: true };
  }

  /** @param challenge  how the CPE is asked to authenticate */
  unauthorized(request: IncomingMessage, challenge: string): HttpAnswer {
    this.#reject(request, 'unauthorized', {});
    return { status: 401, body: '', headers: { 'WWW-Authenticate': challenge } };
  }

  /** @param kind  from a fixed set: each has its own lines in the log */
  busy(kind: string, reason: string): HttpAnswer {
    this.#parts.metrics.rejected.inc('busy');
    const omitted = this.#busyLog.admit(kind);
    if (omitted !== null) {
      this.#parts.logger.error('cwmp.unavailable', { reason, ...(omitted > 0 && { omitted }) });
    }
    return { status: 503, body: '', headers: { 'Retry-After': String(RETRY_AFTER_SECONDS) }, close: true };
  }

  /** For what can be read and not be accepted. */
  fault(request: IncomingMessage, { faultCode, id, style }: RefusingFault, reason: string): HttpAnswer {
    this.#reject(request, 'body', { reason });
    return soapAnswer(faultMessage(faultCode, reason), id, style, this.#parts.trace);
  }

  /** For whatever was thrown on the way to an answer. */
  failure(request: IncomingMessage, error: unknown): HttpAnswer {
    if (error instanceof SoapError) return this.#unreadable(request, error);
    if (error instanceof BodyBudgetError) return this.busy('bodies', error.message);
    // What the store refuses to hold it will refuse again: that is a defect here, and no reason for the CPE to come back.
    const isPassing =
      error instanceof StoreError && error.code !== 'bad-document' && error.code !== 'bad-query';
    if (isPassing) return this.busy(error.code, error.message);
    this.#parts.logger.error('cwmp.internal-error', {
      error,
      stack: error instanceof Error ? error.stack : null,
    });
    return { status: 500, body: 'internal error\n', close: true };
  }

  #unreadable(request: IncomingMessage, { answer, message: reason }: SoapError): HttpAnswer {
    if (answer.kind !== 'http') return this.fault(request, answer, reason);
    this.#reject(request, 'body', { reason });
    return { status: answer.status, body: `${reason}\n`, close: true };
  }

  #reject(request: IncomingMessage, reason: string, fields: Readonly<Record<string, unknown>>): void {
    this.#parts.metrics.rejected.inc(reason);
    const ip = clientAddress(request, this.#parts.trustedProxies);
    this.#parts.logger.warn('cwmp.rejected', { kind: reason, ip, ...fields });
  }
}
