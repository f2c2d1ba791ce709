import type { AcsConnection } from './acs-connection.js';
import {
  type AcsEnvelope,
  type AcsRequest,
  type AcsResponse,
  type CpeRequest,
  type CpeResponse,
  type CwmpVersion,
  decodeEnvelope,
  type EnvelopeStyle,
  encodeEnvelope,
} from './soap/index.js';

/** Most messages of one session: an ACS that never has enough must not keep a CPE busy for ever. */
const SESSION_MESSAGES_MAX = 1_000;
/** How often one request is repeated because the ACS answered with fault 8005 "Retry request". */
const RETRY_REQUESTS_MAX = 3;

/** What a CPE does with a request of its ACS. */
export type Reply =
  | { readonly kind: 'answer'; readonly response: CpeResponse }
  /** Never answers (an injected fault). */
  | { readonly kind: 'silence' }
  /** Breaks the connection off (an injected fault). */
  | { readonly kind: 'break' };

/** The device behind a session: what it has to say and how it answers. */
export interface SessionDevice {
  inform(): CpeRequest;
  /** The Inform is out and its answer has come. @returns false to break off as though it had not */
  informAnswered(): boolean;
  /** The next request of its own, the same one until it is answered; null: none. May take its time. */
  nextRequest(): Promise<CpeRequest | null>;
  requestAnswered(request: CpeRequest): void;
  answer(request: AcsRequest): Promise<Reply>;
}

export interface SessionOptions {
  readonly device: SessionDevice;
  readonly connection: AcsConnection;
  readonly version: CwmpVersion;
  readonly style: EnvelopeStyle;
  /** How long a CPE that keeps silent waits for the ACS to hang up. */
  readonly silenceMsMax: number;
  /** Sees every envelope sent and received, for tests and captures. */
  readonly onEnvelope?: (direction: 'sent' | 'received', envelope: Buffer | string | null) => void;
}

/** The session failed; TR-069 3.2.1.1 says when it is tried again. */
export class SessionError extends Error {
  override readonly name = 'SessionError';
}

/**
 * One CWMP session from the CPE's side: Inform, its own requests, the ACS's requests, until neither side has any (TR-069 3.7.2).
 * @returns how many messages the CPE sent, empty ones included
 * @throws SessionError, ConnectionError, EnvelopeError
 */
export async function runSession(options: SessionOptions): Promise<number> {
  try {
    return await new SessionRun(options).run();
  } finally {
    options.connection.close();
  }
}

function isRequest(message: AcsRequest | AcsResponse): message is AcsRequest {
  switch (message.type) {
    case 'InformResponse':
    case 'TransferCompleteResponse':
    case 'GetRPCMethodsResponse':
    case 'Fault':
      return false;
    default:
      return true;
  }
}

class SessionRun {
  readonly #options: SessionOptions;
  #messages = 0;
  #nextId = 1;
  #holdRequests = false;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  async run(): Promise<number> {
    const { device } = this.#options;
    let received: AcsEnvelope | null = await this.#request(device.inform(), 'InformResponse');
    if (!device.informAnswered()) throw new SessionError('broken off before the InformResponse was read');
    /** Whether the last thing said was an answer to the ACS or an empty POST: only then does silence end the session. */
    let yielded = false;
    for (;;) {
      if (received !== null && isRequest(received.message)) {
        received = await this.#answer(received, received.message);
        yielded = true;
        continue;
      }
      const own = this.#holdRequests ? null : await device.nextRequest();
      if (own !== null) {
        received = await this.#request(own, `${own.type}Response`);
        device.requestAnswered(own);
        yielded = false;
      } else if (received === null && yielded) {
        return this.#messages;
      } else {
        received = await this.#post(null);
        yielded = true;
      }
    }
  }

  /** Sends a request until it is answered with anything but "Retry request". */
  async #request(request: CpeRequest, expected: string): Promise<AcsEnvelope> {
    for (let attempt = 0; attempt <= RETRY_REQUESTS_MAX; attempt++) {
      const id = `${this.#nextId++}`;
      const received = await this.#post(this.#encode(request, id));
      if (received === null) throw new SessionError(`the ACS answered ${request.type} with nothing`);
      const { message } = received;
      if (message.type === expected) {
        if (received.id !== null && received.id !== id)
          throw new SessionError(`the ACS answered ${request.type} under another ID`);
        return received;
      }
      if (message.type !== 'Fault')
        throw new SessionError(`the ACS answered ${request.type} with ${message.type}`);
      if (message.fault.faultCode !== 8005)
        throw new SessionError(
          `the ACS answered ${request.type} with fault ${message.fault.faultCode} ${message.fault.faultString}`.slice(
            0,
            300,
          ),
        );
    }
    throw new SessionError(`the ACS asked for ${request.type} again and again`);
  }

  async #answer(envelope: AcsEnvelope, request: AcsRequest): Promise<AcsEnvelope | null> {
    const reply = await this.#options.device.answer(request);
    switch (reply.kind) {
      case 'answer':
        return this.#post(this.#encode(reply.response, envelope.id));
      case 'silence':
        await this.#options.connection.keepSilent(this.#options.silenceMsMax);
        throw new SessionError(`${request.type} was never answered`);
      case 'break':
        throw new SessionError(`broken off at ${request.type}`);
      default:
        return unreachable(reply);
    }
  }

  #encode(message: CpeRequest | CpeResponse, id: string | null): Buffer {
    return encodeEnvelope(message, id, this.#options.version, this.#options.style);
  }

  async #post(envelope: Buffer | null): Promise<AcsEnvelope | null> {
    if (++this.#messages > SESSION_MESSAGES_MAX)
      throw new SessionError(`more than ${SESSION_MESSAGES_MAX} messages`);
    this.#options.onEnvelope?.('sent', envelope);
    const received = await this.#options.connection.post(envelope);
    this.#options.onEnvelope?.('received', received);
    // With nothing to ask, the ACS holds nothing back either.
    this.#holdRequests = false;
    if (received === null) return null;
    const decoded = decodeEnvelope(received);
    this.#holdRequests = decoded.holdRequests;
    return decoded;
  }
}

function unreachable(reply: never): never {
  throw new TypeError(`no such reply: ${JSON.stringify(reply)}`);
}
