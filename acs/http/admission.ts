import type { IncomingMessage } from 'node:http';
import type { Caller } from '../credentials/identities.js';
import type { Found, Sessions } from '../session/sessions.js';
import type { HttpAnswer } from './answer.js';
import { BodyBudget, BodyShare, BusyError, type RequestBody, readBody } from './body.js';
import type { AuthOutcome, CpeAuthenticator } from './cpe-auth.js';
import type { Refusals } from './refusals.js';
import { cookiesOf } from './request.js';

export const SESSION_COOKIE = 'ferry-session';

const REQUESTS_FULL = 'too many requests are being worked on';

const NOT_BY_POST: HttpAnswer = {
  status: 405,
  body: 'CWMP is spoken by POST\n',
  headers: { Allow: 'POST' },
  close: true,
};

export interface AdmissionParts {
  readonly sessions: Sessions;
  readonly authenticator: CpeAuthenticator;
  readonly refusals: Refusals;
  readonly bodyBytesMax: number;
  /** Of all bodies under way together, until they are answered. */
  readonly bodiesBytesMax: number;
  /** White space in place of a body counts as none. */
  readonly forgivesBlank: boolean;
  /** Requests being worked on at a time. */
  readonly requestsMax: number;
}

/** The session that a request belongs to, as far as its head says, or what it is turned away with. */
export type Admitted =
  /** `caller`: who has logged in by it; null where its session vouches for it. */
  { readonly kind: 'admitted'; readonly found: Found; readonly caller: Caller | null } | Refused;

export interface Refused {
  readonly kind: 'refused';
  readonly answer: HttpAnswer;
}

type Authenticated = Extract<AuthOutcome, { kind: 'admitted' }>;

/** What one request takes up while it is being worked on. */
export interface Place {
  /** Once. @throws BusyError where too many are at work by the time it has come; what {@link readBody} throws */
  readBody(): Promise<RequestBody>;
  /** To be called once it has been worked on, however that went. */
  leave(): void;
}

/** Decides who is worked for, and how much of that goes on at a time. */
export class Admission {
  readonly #parts: AdmissionParts;
  readonly #bodies: BodyBudget;
  /** Requests that are being worked on. */
  #working = 0;

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
    this.#bodies = new BodyBudget(parts.bodiesBytesMax);
  }

  get #isFull(): boolean {
    return this.#working > this.#parts.requestsMax;
  }

  /** Also for a request that {@link admit} will turn away. */
  enter(request: IncomingMessage): Place {
    const share = new BodyShare(this.#bodies);
    this.#working++;
    const { bodyBytesMax: bytesMax, forgivesBlank } = this.#parts;
    return {
      readBody: async () => {
        // Whoever holds back the end of it is worked for by nobody, and takes nobody's place.
        this.#working--;
        const reading = readBody(request, { bytesMax, forgivesBlank }, share);
        const body = await reading.finally(() => this.#working++);
        if (this.#isFull) throw new BusyError('requests', REQUESTS_FULL);
        return body;
      },
      leave: () => {
        this.#working--;
        share.giveBack();
      },
    };
  }

  /**
   * Before the body is read, as reading and decoding are work that a stranger must not be able to order. It is also how a CPE that
   * sends an empty POST first is told that it must authenticate.
   */
  async admit(request: IncomingMessage): Promise<Admitted> {
    const { refusals } = this.#parts;
    if (this.#isFull) return { kind: 'refused', answer: refusals.busy('requests', REQUESTS_FULL) };
    if (request.method !== 'POST') return { kind: 'refused', answer: NOT_BY_POST };
    const found = await this.sessionOf(request);
    if (found.kind === 'found') return { kind: 'admitted', found, caller: null };
    const asked = this.authenticate(request);
    const outcome = asked instanceof Promise ? await asked : asked;
    return outcome.kind === 'refused' ? outcome : { kind: 'admitted', found, caller: outcome.caller };
  }

  /**
   * To be asked once for a request: by Digest its answer is spent by that.
   * @throws StoreError
   */
  authenticate(request: IncomingMessage): Authenticated | Refused | Promise<Authenticated | Refused> {
    const outcome = this.#parts.authenticator.authenticate(request);
    return outcome instanceof Promise ? outcome.then((known) => this.#told(known)) : this.#told(outcome);
  }

  #told(outcome: AuthOutcome): Authenticated | Refused {
    if (outcome.kind === 'admitted') return outcome;
    return { kind: 'refused', answer: this.#parts.refusals.unauthorized(outcome) };
  }

  /** For one that has logged in, and not as the CPE that its Inform names. */
  asAnother(): HttpAnswer {
    const { authenticator, refusals } = this.#parts;
    return refusals.unauthorized(authenticator.asAnother());
  }

  /**
   * A client that is set to Digest sends its first request without its body, to be asked for more than that. An ACS that asks for nothing
   * says that it has nothing against it. One that names a session means that, and is told that there is none.
   */
  isProbe(request: IncomingMessage, found: Found): boolean {
    const namesSession = request.headers.cookie?.includes(SESSION_COOKIE) ?? false;
    return found.kind === 'none' && !namesSession && this.#parts.authenticator.isOpen;
  }

  sessionOf(request: IncomingMessage): Found | Promise<Found> {
    return this.#parts.sessions.find(cookiesOf(request, SESSION_COOKIE), request.socket);
  }

  /** Without looking it up. */
  mayBeInSession(request: IncomingMessage): boolean {
    return this.#parts.sessions.mayKnow(cookiesOf(request, SESSION_COOKIE), request.socket);
  }
}
