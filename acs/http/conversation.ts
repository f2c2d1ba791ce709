import type { IncomingMessage } from 'node:http';
import type { BlockList } from 'node:net';
import { type CpeId, clientAddress } from '../../common/index.js';
import { type Caller, IdentityRefusedError } from '../credentials/identities.js';
import { type CpeIdentity, cpeidOf } from '../device/cpeid.js';
import type { AcsMetrics } from '../metrics/acs-metrics.js';
import { StepTakenError } from '../session/decision.js';
import type { Input } from '../session/session.js';
import { type Found, isOver, type SessionEntry, type Sessions } from '../session/sessions.js';
import type { Stepper, Taken } from '../session/stepper.js';
import { InformRefusedError } from '../session/work.js';
import {
  type CpeEnvelope,
  decodeEnvelope,
  isResponseName,
  type Mend,
  SoapError,
  type SoapLimits,
} from '../soap/index.js';
import { type Admission, type Admitted, SESSION_COOKIE } from './admission.js';
import { envelopeId, type HttpAnswer, soapAnswer, type Trace } from './answer.js';
import type { RequestBody } from './body.js';
import { CpeTurns } from './cpe-turns.js';
import type { Mends } from './mends.js';
import type { Refusals } from './refusals.js';
import { keepsAlive, lacksHost } from './request.js';
import type { SessionEnds } from './session-ends.js';

export interface ConversationParts {
  readonly sessions: Sessions;
  readonly stepper: Stepper;
  readonly admission: Admission;
  readonly refusals: Refusals;
  readonly mends: Mends;
  readonly ends: SessionEnds;
  readonly isStopping: () => boolean;
  readonly trustedProxies: BlockList | null;
  readonly soapLimits: SoapLimits;
  readonly metrics: AcsMetrics;
  readonly cpeIdentity: CpeIdentity;
  readonly trace?: Trace;
}

const EMPTY: HttpAnswer = { status: 204, body: '' };

/** What CPEs say and are answered: each request is the next step of a session, or begins one (TR-069 3.7). */
export class Conversation {
  readonly #parts: ConversationParts;
  readonly #turns = new CpeTurns();

  constructor(parts: ConversationParts) {
    this.#parts = parts;
  }

  /**
   * @param admitted  the session that it belongs to, as far as its head says, and who has sent it
   * @param readBody  called once
   * @throws StoreError, and what `readBody` throws but for SoapError
   */
  async answer(
    request: IncomingMessage,
    { found, caller }: Pick<Extract<Admitted, { kind: 'admitted' }>, 'found' | 'caller'>,
    readBody: () => Promise<RequestBody>,
  ): Promise<HttpAnswer> {
    let envelope: CpeEnvelope | null;
    try {
      envelope = this.#decoded(request, found, await readBody());
    } catch (error) {
      if (error instanceof SoapError) return this.#onUnreadable(request, found, error);
      throw error;
    }
    if (envelope === null) {
      if (this.#parts.isStopping()) return this.#stopping();
      if (this.#parts.admission.isProbe(request, found)) return this.#parts.refusals.nothing(request);
      return this.#inSession(request, found, { kind: 'empty' }, null);
    }
    this.#parts.metrics.messages.inc(envelope.message.type);
    return envelope.message.type === 'Inform'
      ? this.#onInform(request, envelope, found, caller)
      : this.#inSession(request, found, inputOf(envelope), envelope);
  }

  /** @returns null for an empty body */
  #decoded(request: IncomingMessage, found: Found, { bytes, mended }: RequestBody): CpeEnvelope | null {
    let envelope: CpeEnvelope | null = null;
    if (bytes.length > 0) {
      this.#parts.trace?.('from-cpe', bytes);
      envelope = decodeEnvelope(bytes, request.headers['content-type'], this.#parts.soapLimits);
    }
    this.#noteMended(request, found, envelope, mended);
    return envelope;
  }

  /** In a session that awaits an answer it is one, unless it is known to be a request; else it is refused. */
  async #onUnreadable(request: IncomingMessage, found: Found, error: SoapError): Promise<HttpAnswer> {
    const { refusals, metrics } = this.#parts;
    const session = found.kind === 'found' ? found.entry.session : null;
    const mayAnswer = error.rpc === null || isResponseName(error.rpc);
    if (found.kind !== 'found' || session?.outstanding == null || !mayAnswer)
      return refusals.unreadable(request, session?.facts.cpeid ?? null, error);
    metrics.messages.inc('unreadable');
    const answer = await this.#continue(
      request,
      found.entry,
      { kind: 'unreadable', reason: error.message },
      null,
    );
    // What has not been read of it is not waited for.
    return request.complete ? answer : { ...answer, close: true };
  }

  #noteMended(
    request: IncomingMessage,
    found: Found,
    envelope: CpeEnvelope | null,
    ofBody: readonly Mend[],
  ): void {
    const ofEnvelope = envelope?.mended ?? ofBody;
    const isFlawless = ofBody.length === 0 && ofEnvelope.length === 0 && !lacksHost(request);
    if (isFlawless) return;
    const kinds = new Set<Mend>([...(lacksHost(request) ? ['host' as const] : []), ...ofBody, ...ofEnvelope]);
    const ofSession = found.kind === 'found' ? found.entry.session.facts.cpeid : null;
    const cpeid =
      envelope?.message.type === 'Inform'
        ? cpeidOf(envelope.message.deviceId, this.#parts.cpeIdentity)
        : ofSession;
    this.#parts.mends.note(request, cpeid, [...kinds]);
  }

  /** Begins a session, in place of whatever session the CPE left behind on this connection. */
  #onInform(
    request: IncomingMessage,
    envelope: CpeEnvelope,
    found: Found,
    caller: Caller | null,
  ): HttpAnswer | Promise<HttpAnswer> {
    const { admission } = this.#parts;
    if (this.#parts.isStopping()) return this.#stopping();
    if (caller !== null) return this.#onAdmitted(request, envelope, found, caller);
    // The session it leaves behind vouched for the connection, not for who begins the next.
    const asked = admission.authenticate(request);
    const told = (outcome: Awaited<typeof asked>) =>
      outcome.kind === 'refused'
        ? outcome.answer
        : this.#onAdmitted(request, envelope, found, outcome.caller);
    return asked instanceof Promise ? asked.then(told) : told(asked);
  }

  /** Whoever sends the Inform has authenticated, where that is asked for. */
  #onAdmitted(
    request: IncomingMessage,
    envelope: CpeEnvelope,
    found: Found,
    caller: Caller,
  ): HttpAnswer | Promise<HttpAnswer> {
    const cpeid =
      envelope.message.type === 'Inform' ? cpeidOf(envelope.message.deviceId, this.#parts.cpeIdentity) : null;
    const turn = cpeid === null ? null : this.#turns.take(cpeid, request.socket);
    const began = { found, cpeid, caller };
    if (turn === null) return this.#begin(request, envelope, began);
    return turn.then((isDue) => (isDue ? this.#begin(request, envelope, began) : this.#crowded()));
  }

  #crowded(): HttpAnswer {
    return this.#parts.refusals.busy('cpe', 'too many requests of one CPE are waiting');
  }

  /** @param cpeid  whose turn it is until this is done; null where it has no identity, and will be refused */
  async #begin(
    request: IncomingMessage,
    envelope: CpeEnvelope,
    {
      found,
      cpeid,
      caller,
    }: { readonly found: Found; readonly cpeid: CpeId | null; readonly caller: Caller },
  ): Promise<HttpAnswer> {
    const { admission, refusals, sessions, stepper, trustedProxies } = this.#parts;
    try {
      // Again, as another may have begun on this connection while the body was on its way.
      const left = found.kind === 'found' ? found : await admission.sessionOf(request);
      if (left.kind === 'found') await this.#supersede(left.entry);
      const ip = clientAddress(request, trustedProxies);
      const asked = { ip, caller, claim: () => null, isCurrent: () => true };
      const taken = await stepper.run({ phase: 'start' }, inputOf(envelope), asked);
      if (taken.session.phase !== 'open')
        return refusals.violation(request, null, 'the Inform began no session');
      const origin = { ip, socket: request.socket, keepsAlive: keepsAlive(request) };
      const entry = await sessions.begin(taken.session, origin);
      if (entry === null) return refusals.busy('sessions', 'too many sessions are open');
      const answer = this.#render(taken, envelope);
      return { ...answer, headers: { 'Set-Cookie': `${SESSION_COOKIE}=${entry.id}; Path=/; HttpOnly` } };
    } catch (error) {
      if (error instanceof IdentityRefusedError) return admission.asAnother();
      if (!(error instanceof InformRefusedError)) throw error;
      const { faultCode, message } = error;
      return refusals.fault(request, null, { faultCode, id: envelope.id, style: envelope.style }, message);
    } finally {
      if (cpeid !== null) this.#turns.give(cpeid);
    }
  }

  async #supersede(left: SessionEntry): Promise<void> {
    const { sessions, ends } = this.#parts;
    let entry: SessionEntry | null = left;
    while (entry !== null && sessions.take(entry)) {
      try {
        if (await ends.end(entry, isOver(entry.session) ? 'done' : 'superseded')) return;
      } finally {
        sessions.release(entry);
      }
      entry = await sessions.newer(entry);
    }
  }

  async #inSession(
    request: IncomingMessage,
    found: Found,
    input: Input,
    envelope: CpeEnvelope | null,
  ): Promise<HttpAnswer> {
    const { refusals } = this.#parts;
    const what = input.kind === 'message' ? input.message.type : 'an empty POST';
    switch (found.kind) {
      case 'none':
        return refusals.violation(request, null, `${what} without a session`);
      case 'mismatch':
        return refusals.violation(request, null, `${what} with the cookie of another session`);
      case 'elsewhere':
        return refusals.violation(
          request,
          null,
          `${what} with the cookie of a session that began from another address; begin anew with an Inform`,
        );
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
    const { cpeid } = found.session.facts;
    let entry: SessionEntry | null = found;
    while (entry !== null && sessions.take(entry)) {
      const turn = this.#turns.take(cpeid, request.socket);
      const isDue = turn === null || (await turn);
      try {
        if (!isDue) return this.#crowded();
        const answer = await this.#takeStep(request, entry, input, envelope);
        if (answer !== null) return answer;
      } finally {
        if (isDue) this.#turns.give(cpeid);
        sessions.release(entry);
      }
      entry = await sessions.newer(entry);
    }
    return this.#parts.refusals.violation(request, cpeid, 'two requests of one session at a time');
  }

  /** @returns null where this is not what the session has become, or another request has taken the step */
  async #takeStep(
    request: IncomingMessage,
    entry: SessionEntry,
    input: Input,
    envelope: CpeEnvelope | null,
  ): Promise<HttpAnswer | null> {
    const { sessions, stepper, refusals, ends } = this.#parts;
    try {
      const claim = () => sessions.claiming(entry);
      const isCurrent = () => sessions.isCurrent(entry);
      const taken = await stepper.run(entry.session, input, { ip: entry.ip, caller: null, claim, isCurrent });
      const { session, reply } = taken;
      if (reply.kind === 'violation' || session.phase !== 'open') {
        if ((await sessions.newer(entry)) !== null) return null;
        await ends.end(entry, 'failed');
        const reason = reply.kind === 'violation' ? reply.reason : 'the session is over';
        return refusals.violation(request, entry.session.facts.cpeid, reason);
      }
      const move = { session, socket: request.socket, keepsAlive: keepsAlive(request) };
      // Nothing goes out that another request for the same step may be answered with as well.
      if (!(await sessions.moved(entry, move))) return null;
      return this.#render(taken, envelope);
    } catch (error) {
      if (error instanceof StepTakenError) return null;
      // The store may be what failed; then the session falls silent.
      await ends.end(entry, 'failed').catch(() => {});
      throw error;
    }
  }

  #render({ session, reply }: Taken, envelope: CpeEnvelope | null): HttpAnswer {
    switch (reply.kind) {
      case 'empty':
        return EMPTY;
      case 'violation':
        throw new Error(`A violation that nobody has dealt with: ${reply.reason}`);
      case 'message': {
        const style = session.phase === 'open' ? session.facts.style : envelope?.style;
        if (style === undefined) throw new Error('A message without a session to say how it is written');
        return soapAnswer(reply.message, envelopeId(reply.message, envelope), style, this.#parts.trace);
      }
      default:
        return reply satisfies never;
    }
  }

  #stopping(): HttpAnswer {
    return this.#parts.refusals.busy('stopping', 'Ferry is stopping');
  }
}

function inputOf({ message, style }: CpeEnvelope): Input {
  return { kind: 'message', message, style };
}
