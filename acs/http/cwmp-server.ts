import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { BlockList } from 'node:net';
import { type Logger, MINUTE_MS, SECOND_MS } from '../../common/index.js';
import type { CpeIdentity } from '../device/cpeid.js';
import type { AcsMetrics } from '../metrics/acs-metrics.js';
import type { Sessions } from '../session/sessions.js';
import { Stepper } from '../session/stepper.js';
import type { SessionWork } from '../session/work.js';
import { SOAP_LIMITS } from '../soap/index.js';
import { Admission, type Place } from './admission.js';
import { type HttpAnswer, type Trace, write } from './answer.js';
import { Conversation } from './conversation.js';
import type { CpeAuthenticator } from './cpe-auth.js';
import { HeadCheck, type HeadFault } from './head-check.js';
import { Mends } from './mends.js';
import { Refusals } from './refusals.js';
import { lacksHost } from './request.js';
import { SessionEnds } from './session-ends.js';
import { UnderWay } from './under-way.js';

export interface CwmpServerParts {
  readonly work: SessionWork;
  readonly sessions: Sessions;
  readonly authenticator: CpeAuthenticator;
  readonly cpeIdentity: CpeIdentity;
  /** Proxies whose X-Forwarded-For is believed and whose connections are shared between CPEs; null: none. */
  readonly trustedProxies: BlockList | null;
  readonly bodyBytesMax: number;
  /** Of all bodies under way together, until they are answered. */
  readonly bodiesBytesMax: number;
  /** Requests being worked on at a time. */
  readonly requestsMax: number;
  /** How long a CPE may be silent within a session. */
  readonly sessionIdleMsMax: number;
  /** How long stopping may wait for what is under way. */
  readonly stopGraceMs: number;
  readonly logger: Logger;
  readonly metrics: AcsMetrics;
  readonly trace?: Trace;
}

/** The CWMP listener: connections and requests, from their beginning to the end of the server (TR-069 3.4). */
export class CwmpServer {
  readonly server: Server;
  readonly #parts: CwmpServerParts;
  readonly #underWay: UnderWay;
  readonly #refusals: Refusals;
  readonly #admission: Admission;
  readonly #ends: SessionEnds;
  readonly #conversation: Conversation;
  /** Null behind trusted proxies, where HTTP is read strictly: they and Ferry must see the same requests. */
  readonly #heads: HeadCheck | null;

  constructor(parts: CwmpServerParts) {
    const { sessions } = parts;
    this.#parts = parts;
    this.#underWay = new UnderWay(sessions);
    const isStopping = () => this.#underWay.isStopping;
    this.#refusals = new Refusals(parts);
    this.#heads = parts.trustedProxies === null ? new HeadCheck() : null;
    const isForgiving = this.#heads !== null;
    this.#admission = new Admission({ ...parts, refusals: this.#refusals, forgivesBlank: isForgiving });
    this.#ends = new SessionEnds(parts);
    this.#conversation = new Conversation({
      ...parts,
      stepper: new Stepper(parts.work, isStopping),
      admission: this.#admission,
      refusals: this.#refusals,
      soapLimits: { ...SOAP_LIMITS, bodyBytesMax: parts.bodyBytesMax },
      mends: new Mends(parts),
      ends: this.#ends,
      isStopping,
    });
    const serve = (request: IncomingMessage, response: ServerResponse) => void this.#serve(request, response);
    this.server = http.createServer(
      {
        keepAliveTimeout: MINUTE_MS,
        headersTimeout: 20 * SECOND_MS,
        requestTimeout: MINUTE_MS,
        insecureHTTPParser: isForgiving,
        // Node would refuse it without a word.
        requireHostHeader: false,
      },
      serve,
    );
    // TR-069 refers to RFC 2616, and nothing that a CPE may expect of us matters.
    if (isForgiving) this.server.on('checkExpectation', serve);
    this.server.on('connection', (socket) => {
      socket.on('close', () => this.#ends.disconnected(socket));
    });
  }

  /** How many are open now, here or, where they are shared, at all processes together. */
  get openSessions(): number | Promise<number> {
    return this.#parts.sessions.count();
  }

  /**
   * Begins nothing new, waits for what is under way, and stops listening: answers that are being worked on, and CPEs that have
   * a Download to answer, for its reservation is an execution spent. Other sessions are begun again by their CPEs. It listens until
   * then, for CPEs that open a connection for each request.
   * @param graceMs  how long to wait at most
   */
  async close(graceMs = this.#parts.stopGraceMs): Promise<void> {
    this.#ends.stop();
    await this.#underWay.drain(graceMs);
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.server.closeAllConnections();
    await closed;
    await this.#parts.sessions.close();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!this.#isWellFramed(request, response)) return;
    let answer: HttpAnswer;
    const done = this.#begin(request, response);
    const place = this.#admission.enter(request);
    try {
      answer = await this.#answer(request, place);
    } catch (error) {
      if (request.destroyed && !request.complete) return done();
      answer = this.#refusals.failure(error);
    } finally {
      place.leave();
    }
    write(request, response, answer);
    done();
  }

  /** @returns false for what has been refused: then nothing of it may be worked on */
  #isWellFramed(request: IncomingMessage, response: ServerResponse): boolean {
    const fault = this.#heads === null ? strictFault(request) : this.#heads.fault(request, response);
    if (fault === null) return true;
    const answer = this.#refusals.malformed(request, fault.reason);
    if (fault.isAnswered) write(request, response, answer);
    else request.resume();
    return false;
  }

  /** @returns to be called when the work is done */
  #begin(request: IncomingMessage, response: ServerResponse): () => void {
    // While stopping, strangers are turned away, and waited for by nobody.
    if (this.#underWay.isStopping && !this.#admission.mayBeInSession(request)) return () => {};
    return this.#underWay.begin(request, response);
  }

  async #answer(request: IncomingMessage, place: Place): Promise<HttpAnswer> {
    const admitted = await this.#admission.admit(request);
    if (admitted.kind === 'refused') return admitted.answer;
    return this.#conversation.answer(request, admitted, () => place.readBody());
  }
}

function strictFault(request: IncomingMessage): HeadFault | null {
  return lacksHost(request) ? { reason: 'HTTP/1.1 asks for a Host header', isAnswered: true } : null;
}
