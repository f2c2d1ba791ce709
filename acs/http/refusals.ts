import type { IncomingMessage } from 'node:http';
import type { BlockList } from 'node:net';
import { type CpeId, clientAddress, type Logger, SECOND_MS, Seldom } from '../../common/index.js';
import { StoreError } from '../../store/index.js';
import { NewCpeRefusedError } from '../enrolment/new-cpes.js';
import type { AcsMetrics } from '../metrics/acs-metrics.js';
import { cpeOn } from '../session/sessions.js';
import { type AcsFaultCode, type EnvelopeStyle, isResponseName, type SoapError } from '../soap/index.js';
import { faultMessage, type HttpAnswer, soapAnswer, type Trace } from './answer.js';
import { BusyError } from './body.js';
import type { AuthRefusal } from './cpe-auth.js';

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
    this.#reject(request, 'protocol', cpeid, { reason });
    return { status: 400, body: `${reason}\n`, close: true };
  }

  /**
   * For an empty POST without a session that nobody minds. It may be of a CPE as well whose session nothing carries from one request
   * to the next: so the log says it now and then.
   */
  nothing(request: IncomingMessage): HttpAnswer {
    const omitted = this.#busyLog.admit('nothing');
    if (omitted !== null) {
      const ip = clientAddress(request, this.#parts.trustedProxies);
      this.#parts.logger.info('cwmp.empty-without-session', { ip, ...(omitted > 0 && { omitted }) });
    }
    return { status: 204, body: '' };
  }

  /** For what is no HTTP that everyone would read in one way. */
  malformed(request: IncomingMessage, reason: string): HttpAnswer {
    this.#reject(request, 'http', null, { reason });
    return { status: 400, body: `${reason}\n`, close: true };
  }

  /** No line of the log for each: by Digest every session begins so. Wrong credentials are told of where they are looked at. */
  unauthorized(refusal: AuthRefusal): HttpAnswer {
    this.#parts.metrics.rejected.inc('unauthorized');
    switch (refusal.kind) {
      case 'unauthorized':
        return { status: 401, body: '', headers: { 'WWW-Authenticate': refusal.challenges } };
      case 'throttled':
        return {
          status: 429,
          body: '',
          headers: { 'Retry-After': String(refusal.retryAfterSeconds) },
          close: true,
        };
      default:
        return refusal satisfies never;
    }
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

  /** For what can be read and not be accepted. @param cpeid  whose session it comes in; null where it comes in none */
  fault(
    request: IncomingMessage,
    cpeid: CpeId | null,
    { faultCode, id, style }: RefusingFault,
    reason: string,
  ): HttpAnswer {
    this.#reject(request, 'body', cpeid, { reason });
    return soapAnswer(faultMessage(faultCode, reason), id, style, this.#parts.trace);
  }

  /** For what cannot be read. @param cpeid  whose session it comes in; null where it comes in none */
  unreadable(request: IncomingMessage, cpeid: CpeId | null, error: SoapError): HttpAnswer {
    const { answer, rpc, message: reason } = error;
    const isResponse = rpc !== null && isResponseName(rpc);
    if (answer.kind === 'fault' && !isResponse) return this.fault(request, cpeid, answer, reason);
    this.#reject(request, 'body', cpeid, { reason });
    return { status: answer.kind === 'http' ? answer.status : 400, body: `${reason}\n`, close: true };
  }

  /** For whatever was thrown on the way to an answer. */
  failure(error: unknown): HttpAnswer {
    if (error instanceof BusyError || error instanceof NewCpeRefusedError)
      return this.busy(error.kind, error.message);
    if (error instanceof StoreError && isPassing(error)) return this.busy(error.code, error.message);
    this.#parts.logger.error('cwmp.internal-error', {
      error,
      stack: error instanceof Error ? error.stack : null,
    });
    return { status: 500, body: 'internal error\n', close: true };
  }

  /** @param inSession  whose session it is by its cookie; where it is nobody's, the connection may tell */
  #reject(
    request: IncomingMessage,
    reason: string,
    inSession: CpeId | null,
    fields: Readonly<Record<string, unknown>>,
  ): void {
    this.#parts.metrics.rejected.inc(reason);
    const ip = clientAddress(request, this.#parts.trustedProxies);
    const cpeid = inSession ?? cpeOn(request.socket);
    this.#parts.logger.warn('cwmp.rejected', {
      kind: reason,
      ip,
      ...(cpeid !== null && { cpeid }),
      ...fields,
    });
  }
}

/** What the store refuses to hold it will refuse again, and what is damaged stays so: no reason for the CPE to come back soon. */
function isPassing({ code }: StoreError): boolean {
  switch (code) {
    case 'unavailable':
    case 'no-space':
    case 'closed':
      return true;
    case 'bad-document':
    case 'bad-query':
    case 'damaged':
      return false;
    default:
      return code satisfies never;
  }
}
