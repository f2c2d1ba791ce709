import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { BlockList } from 'node:net';
import {
  type Clock,
  type CpeId,
  type Logger,
  MINUTE_MS,
  SECOND_MS,
  Seldom,
  withinTime,
} from '../../common/index.js';
import { StoreError } from '../../store/index.js';
import type { AcsMetrics } from '../metrics/acs-metrics.js';
import type { Answer, Input, Query, Reply, Session, Step } from '../session/session.js';
import { type Claim, type Found, isOver, type SessionEntry, type Sessions } from '../session/sessions.js';
import { step } from '../session/step.js';
import { InformRefusedError, type SessionWork, StepTakenError } from '../session/work.js';
import {
  type AcsMessage,
  type CpeEnvelope,
  decodeEnvelope,
  type EnvelopeStyle,
  encodeEnvelope,
  SoapError,
} from '../soap/index.js';
import { envelopeId, faultMessage, type HttpAnswer, write } from './answer.js';
import { CPE_REALM, type CpeAuthenticator } from './cpe-auth.js';
import { BodyBudget, BodyBudgetError, BodyShare, clientAddress, cookieOf, readBody } from './request.js';

const COOKIE = 'ferry-session';
/** More questions than this in a row would be a loop in the protocol itself. */
const STEPS_MAX = 64;
const EXPIRY_INTERVAL_MS_MAX = SECOND_MS;
/** Of all bodies under way together, until they are answered: many small Informs, or some large ones. */
const BODIES_BYTES_MAX = 64 * 1024 * 1024;
const CONNECTIONS_MAX = 50_000;
/** A CPE is told to come again so much later when the store cannot be reached. */
const RETRY_AFTER_SECONDS = 30;
/** While thousands of CPEs are told to come again, the log says so now and then. */
const BUSY_LOG_MS = 10 * SECOND_MS;
/** While stopping, how often it is asked whether another process has taken what this one waits for. */
const DRAIN_POLL_MS = 100;

export interface CwmpServerParts {
  readonly work: SessionWork;
  readonly sessions: Sessions;
  readonly authenticator: CpeAuthenticator;
  /** Proxies whose X-Forwarded-For is believed and whose connections are shared between CPEs; null: none. */
  readonly trustedProxies: BlockList | null;
  readonly bodyBytesMax: number;
  /** Requests being worked on at a time. */
  readonly requestsMax: number;
  /** How long a CPE may be silent within a session. */
  readonly sessionIdleMsMax: number;
  /** How long stopping may wait for what is under way. */
  readonly stopGraceMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: AcsMetrics;
  /** Sees every envelope, as it came and as it went; for diagnosis and for tests. */
  readonly trace?: (direction: 'from-cpe' | 'to-cpe', envelope: string | Buffer) => void;
}

/** The CWMP listener: HTTP around the session's pure steps (TR-069 3.4, 3.7). */
export class CwmpServer {
  readonly server: Server;
  readonly #parts: CwmpServerParts;
  readonly #expiry: NodeJS.Timeout;
  readonly #bodies = new BodyBudget(BODIES_BYTES_MAX);
  readonly #busyLog = new Seldom(BUSY_LOG_MS);
  /** Requests that are being worked on. */
  #working = 0;
  /** Requests that have not been answered in full. */
  #underWay = 0;
  #onDrained: (() => void) | null = null;

  constructor(parts: CwmpServerParts) {
    this.#parts = parts;
    this.server = http.createServer(
      { keepAliveTimeout: MINUTE_MS, headersTimeout: 20 * SECOND_MS, requestTimeout: MINUTE_MS },
      (request, response) => void this.#serve(request, response),
    );
    this.server.maxConnections = CONNECTIONS_MAX;
    const intervalMs = Math.min(EXPIRY_INTERVAL_MS_MAX, Math.max(1, parts.sessionIdleMsMax / 2));
    this.server.on('connection', (socket) => {
      socket.on('close', () => {
        const over = parts.sessions.disconnected(socket);
        if (over !== null) this.#ended(over.cpeid, 'done');
      });
    });
    this.#expiry = setInterval(() => void this.#expire(), intervalMs);
    this.#expiry.unref();
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
    clearInterval(this.#expiry);
    const drained = new Promise<void>((resolve) => {
      this.#onDrained = resolve;
    });
    void this.#checkDrained();
    const polling = setInterval(() => void this.#checkDrained(), DRAIN_POLL_MS);
    await withinTime(drained, graceMs);
    clearInterval(polling);
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.server.closeAllConnections();
    await closed;
    await this.#parts.sessions.close();
  }

  get #isClosing(): boolean {
    return this.#onDrained !== null;
  }

  async #checkDrained(): Promise<void> {
    if (this.#onDrained === null || this.#underWay > 0) return;
    // Whoever cannot be asked about is not waited for.
    const awaited = await Promise.resolve(this.#parts.sessions.awaitsDownload()).catch(() => false);
    if (!awaited && this.#underWay === 0) this.#onDrained();
  }

  async #expire(): Promise<void> {
    for (const { cpeid, wasOver } of await this.#parts.sessions.expire()) {
      this.#ended(cpeid, wasOver ? 'done' : 'expired');
    }
  }

  #ended(cpeid: CpeId, outcome: 'done' | 'expired' | 'superseded' | 'failed'): void {
    this.#parts.metrics.sessions.inc(outcome);
    if (outcome === 'expired' || outcome === 'failed')
      this.#parts.logger.info(`session.${outcome}`, { cpeid });
  }

  /** @returns whether it was still to be ended */
  async #end(entry: SessionEntry, outcome: 'done' | 'superseded' | 'failed'): Promise<boolean> {
    const ended = await this.#parts.sessions.end(entry);
    if (ended) this.#ended(entry.session.facts.cpeid, outcome);
    return ended;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let answer: HttpAnswer;
    const done = this.#begin(request, response);
    const body = new BodyShare(this.#bodies);
    this.#working++;
    try {
      answer = await this.#answer(request, body);
    } catch (error) {
      if (request.destroyed && !request.complete) return done();
      answer = this.#failure(error, request);
    } finally {
      this.#working--;
      body.giveBack();
    }
    write(request, response, answer);
    done();
  }

  /**
   * Counts a request as under way until it has been worked on and its answer is written, or there is nobody to write it to. Of a
   * pipelined request the response never closes where the connection goes before its turn, so the connection is listened to as well.
   * @returns to be called when the work is done
   */
  #begin(request: IncomingMessage, response: ServerResponse): () => void {
    // While stopping, strangers are turned away, and waited for by nobody.
    if (this.#isClosing && !this.#mayBeInSession(request)) return () => {};
    this.#underWay++;
    let left = 2;
    const part = () => {
      if (--left > 0) return;
      this.#underWay--;
      void this.#checkDrained();
    };
    const { socket } = request;
    const closed = () => {
      response.off('close', closed);
      socket.off('close', closed);
      part();
    };
    response.on('close', closed);
    socket.on('close', closed);
    return part;
  }

  #sessionOf(request: IncomingMessage): Found | Promise<Found> {
    return this.#parts.sessions.find(cookieOf(request, COOKIE), request.socket);
  }

  #mayBeInSession(request: IncomingMessage): boolean {
    return this.#parts.sessions.mayKnow(cookieOf(request, COOKIE), request.socket);
  }

  async #answer(request: IncomingMessage, share: BodyShare): Promise<HttpAnswer> {
    if (this.#working > this.#parts.requestsMax) {
      return this.#busy('requests', 'too many requests are being worked on');
    }
    if (request.method !== 'POST') {
      return { status: 405, body: 'CWMP is spoken by POST\n', headers: { Allow: 'POST' }, close: true };
    }
    // Before the body is read, as reading and decoding are work that a stranger must not be able to order. It is also how a CPE that
    // sends an empty POST first is told that it must authenticate.
    const found = await this.#sessionOf(request);
    const known = found.kind === 'found';
    if (!known && !this.#parts.authenticator.isAllowed(request.headers.authorization))
      return this.#challenge(request);
    const body = await readBody(request, this.#parts.bodyBytesMax, share);
    if (body.length === 0) {
      return this.#isClosing
        ? this.#busy('stopping', 'Ferry is stopping')
        : this.#inSession(request, found, { kind: 'empty' }, null);
    }
    this.#parts.trace?.('from-cpe', body);
    const envelope = decodeEnvelope(body, request.headers['content-type']);
    this.#parts.metrics.messages.inc(envelope.message.type);
    return envelope.message.type === 'Inform'
      ? this.#onInform(request, envelope, found)
      : this.#onMessage(request, envelope, found);
  }

  /** Begins a session, in place of whatever session the CPE left behind on this connection. */
  async #onInform(request: IncomingMessage, envelope: CpeEnvelope, found: Found): Promise<HttpAnswer> {
    if (this.#isClosing) return this.#busy('stopping', 'Ferry is stopping');
    // The session it leaves behind vouched for the connection, not for who begins the next.
    if (found.kind === 'found' && !this.#parts.authenticator.isAllowed(request.headers.authorization)) {
      return this.#challenge(request);
    }
    // Again, as another may have begun on this connection while the body was on its way.
    const left = found.kind === 'found' ? found : await this.#sessionOf(request);
    if (left.kind === 'found') await this.#supersede(left.entry);
    const ip = clientAddress(request, this.#parts.trustedProxies);
    const input: Input = { kind: 'message', message: envelope.message, style: envelope.style };
    let taken: Extract<Step, { reply: Reply }>;
    try {
      taken = await this.#run({ phase: 'start' }, input, ip, () => null);
    } catch (error) {
      if (!(error instanceof InformRefusedError)) throw error;
      this.#reject(request, 'body', { reason: error.message });
      return this.#soap(faultMessage(error.faultCode, error.message), envelope.id, envelope.style);
    }
    if (taken.session.phase !== 'open') return this.#violation(request, null, 'the Inform began no session');
    const origin = { ip, socket: request.socket, keepsAlive: keepsAlive(request) };
    const entry = await this.#parts.sessions.begin(taken.session, origin);
    if (entry === null) return this.#busy('sessions', 'too many sessions are open');
    const answer = this.#render(taken, envelope);
    return { ...answer, headers: { 'Set-Cookie': `${COOKIE}=${entry.id}; Path=/; HttpOnly` } };
  }

  async #supersede(left: SessionEntry): Promise<void> {
    const { sessions } = this.#parts;
    let entry: SessionEntry | null = left;
    while (entry !== null && sessions.take(entry)) {
      try {
        if (await this.#end(entry, isOver(entry.session) ? 'done' : 'superseded')) return;
      } finally {
        sessions.release(entry);
      }
      entry = await sessions.newer(entry);
    }
  }

  #onMessage(request: IncomingMessage, envelope: CpeEnvelope, found: Found): Promise<HttpAnswer> {
    const input: Input = { kind: 'message', message: envelope.message, style: envelope.style };
    return this.#inSession(request, found, input, envelope);
  }

  async #inSession(
    request: IncomingMessage,
    found: Found,
    input: Input,
    envelope: CpeEnvelope | null,
  ): Promise<HttpAnswer> {
    const what = input.kind === 'message' ? input.message.type : 'an empty POST';
    switch (found.kind) {
      case 'none':
        return this.#violation(request, null, `${what} without a session`);
      case 'mismatch':
        return this.#violation(request, null, `${what} with the cookie of another session`);
      case 'found':
        return this.#continue(request, found.entry, input, envelope);
      default:
        return found satisfies never;
    }
  }

  async #continue(
    request: IncomingMessage,
    found: SessionEntry,
    input: Input,
    envelope: CpeEnvelope | null,
  ): Promise<HttpAnswer> {
    const { sessions } = this.#parts;
    let entry: SessionEntry | null = found;
    while (entry !== null && sessions.take(entry)) {
      try {
        const answer = await this.#takeStep(request, entry, input, envelope);
        if (answer !== null) return answer;
      } finally {
        sessions.release(entry);
      }
      entry = await sessions.newer(entry);
    }
    return this.#violation(request, null, 'two requests of one session at a time');
  }

  /** @returns null where this is not what the session has become, or another request has taken the step */
  async #takeStep(
    request: IncomingMessage,
    entry: SessionEntry,
    input: Input,
    envelope: CpeEnvelope | null,
  ): Promise<HttpAnswer | null> {
    const { sessions } = this.#parts;
    try {
      const taken = await this.#run(entry.session, input, entry.ip, () => sessions.claiming(entry));
      const { session, reply } = taken;
      if (reply.kind === 'violation' || session.phase !== 'open') {
        if ((await sessions.newer(entry)) !== null) return null;
        await this.#end(entry, 'failed');
        return this.#violation(
          request,
          entry,
          reply.kind === 'violation' ? reply.reason : 'the session is over',
        );
      }
      const move = { session, socket: request.socket, keepsAlive: keepsAlive(request) };
      // Nothing goes out that another request for the same step may be answered with as well.
      if (!(await sessions.moved(entry, move))) return null;
      return this.#render(taken, envelope);
    } catch (error) {
      if (error instanceof StepTakenError) return null;
      // The store may be what failed; then the session falls silent.
      await this.#end(entry, 'failed').catch(() => {});
      throw error;
    }
  }

  /** While stopping nothing new is begun in sessions that are under way either: it could not be finished. */
  #declined(query: Query): Answer | null {
    if (!this.#isClosing) return null;
    if (query.kind === 'decide') return { to: 'decide', decision: { kind: 'nothing' } };
    // Nothing is lost by it: the next session asks again.
    if (query.kind === 'doubt') return { to: 'doubt', question: null };
    if (query.kind === 'record-queue') return { to: 'record-queue', next: { kind: 'nothing' } };
    return query.kind === 'provision' ? { to: 'provision', parameters: [] } : null;
  }

  /** Steps until there is something to send, answering what the steps ask on the way. */
  async #run(
    session: Session,
    input: Input,
    ip: string,
    claim: () => Claim | null | Promise<Claim | null>,
  ): Promise<Extract<Step, { reply: Reply }>> {
    let taken = step(session, input);
    for (let steps = 0; 'ask' in taken; steps++) {
      if (steps >= STEPS_MAX) throw new Error(`A session asked more than ${STEPS_MAX} questions in a row`);
      const facts = taken.session.phase === 'open' ? taken.session.facts : null;
      const answer =
        this.#declined(taken.ask) ?? (await this.#parts.work.perform(taken.ask, facts, { ip, claim }));
      taken = step(taken.session, { kind: 'answer', answer });
    }
    return taken;
  }

  #render({ session, reply }: Extract<Step, { reply: Reply }>, envelope: CpeEnvelope | null): HttpAnswer {
    switch (reply.kind) {
      case 'empty':
        return { status: 204, body: '' };
      case 'violation':
        throw new Error(`A violation that nobody has dealt with: ${reply.reason}`);
      case 'message': {
        const style = session.phase === 'open' ? session.facts.style : envelope?.style;
        if (style === undefined) throw new Error('A message without a session to say how it is written');
        return this.#soap(reply.message, envelopeId(reply.message, envelope), style);
      }
      default:
        return reply satisfies never;
    }
  }

  #soap(message: AcsMessage, id: string | null, style: EnvelopeStyle): HttpAnswer {
    const body = encodeEnvelope(message, id, style);
    this.#parts.trace?.('to-cpe', body);
    return { status: 200, body };
  }

  #violation(request: IncomingMessage, entry: SessionEntry | null, reason: string): HttpAnswer {
    this.#reject(request, 'protocol', {
      reason,
      ...(entry !== null && { cpeid: entry.session.facts.cpeid }),
    });
    return { status: 400, body: `${reason}\n`, close: true };
  }

  #challenge(request: IncomingMessage): HttpAnswer {
    this.#reject(request, 'unauthorized', {});
    return {
      status: 401,
      body: '',
      headers: { 'WWW-Authenticate': `Basic realm="${CPE_REALM}"` },
    };
  }

  /** @param kind  from a fixed set: each has its own lines in the log */
  #busy(kind: string, reason: string): HttpAnswer {
    this.#parts.metrics.rejected.inc('busy');
    const omitted = this.#busyLog.admit(kind);
    if (omitted !== null) {
      this.#parts.logger.error('cwmp.unavailable', { reason, ...(omitted > 0 && { omitted }) });
    }
    return { status: 503, body: '', headers: { 'Retry-After': String(RETRY_AFTER_SECONDS) }, close: true };
  }

  #reject(request: IncomingMessage, reason: string, fields: Readonly<Record<string, unknown>>): void {
    this.#parts.metrics.rejected.inc(reason);
    const ip = clientAddress(request, this.#parts.trustedProxies);
    this.#parts.logger.warn('cwmp.rejected', { kind: reason, ip, ...fields });
  }

  #failure(error: unknown, request: IncomingMessage): HttpAnswer {
    if (error instanceof SoapError) {
      const reason = error.message;
      this.#reject(request, 'body', { reason });
      if (error.answer.kind === 'http')
        return { status: error.answer.status, body: `${reason}\n`, close: true };
      const { faultCode, id, style } = error.answer;
      return this.#soap(faultMessage(faultCode, reason), id, style);
    }
    if (error instanceof BodyBudgetError) return this.#busy('bodies', error.message);
    // What the store refuses to hold it will refuse again: that is a defect here, and no reason for the CPE to come back.
    const isPassing =
      error instanceof StoreError && error.code !== 'bad-document' && error.code !== 'bad-query';
    if (isPassing) return this.#busy(error.code, error.message);
    this.#parts.logger.error('cwmp.internal-error', {
      error,
      stack: error instanceof Error ? error.stack : null,
    });
    return { status: 500, body: 'internal error\n', close: true };
  }
}

/** Whether the client means to send further requests over the same connection. */
function keepsAlive(request: IncomingMessage): boolean {
  return request.httpVersion === '1.1' && request.headers.connection?.toLowerCase() !== 'close';
}
