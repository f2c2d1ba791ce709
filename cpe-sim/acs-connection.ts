import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { type Authenticator, type AuthScheme, answerChallenge, type Credentials } from './http-auth.js';
import { ENVELOPE_BYTES_MAX, type EnvelopeStyle } from './soap/index.js';

/** An ACS must be followed through at least a few redirects (TR-069 3.4.3). */
const REDIRECTS_MAX = 5;
const COOKIES_MAX = 20;
const COOKIE_CHARACTERS_MAX = 4_096;

/** The connection failed, or the answer was no answer to a CWMP message. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
}

export interface AcsConnectionOptions {
  readonly url: string;
  readonly credentials: Credentials | null;
  /** What is taken where the ACS asks for Digest or Basic. */
  readonly authScheme: AuthScheme;
  readonly style: EnvelopeStyle;
  /** How long an answer may take. */
  readonly responseMsMax: number;
  readonly signal: AbortSignal;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** The HTTP of one session: one kept-alive connection, the ACS's cookies and its authentication (TR-069 3.4). */
export class AcsConnection {
  readonly #options: AcsConnectionOptions;
  readonly #agent: http.Agent;
  readonly #cookies = new Map<string, string>();
  #url: URL;
  #authenticator: Authenticator | null = null;
  #socket: Socket | null = null;

  constructor(options: AcsConnectionOptions) {
    this.#options = options;
    this.#url = new URL(options.url);
    const agentOptions = { keepAlive: true, maxSockets: 1, maxFreeSockets: 1 };
    this.#agent =
      this.#url.protocol === 'https:' ? new https.Agent(agentOptions) : new http.Agent(agentOptions);
  }

  /**
   * POSTs one envelope, or nothing.
   * @returns the envelope that came back, or null where the answer was empty
   * @throws ConnectionError
   */
  async post(envelope: Buffer | null): Promise<string | null> {
    let authenticated = false;
    for (let redirects = 0; redirects <= REDIRECTS_MAX; ) {
      const answer = await this.#exchange(envelope);
      this.#keepCookies(answer.headers['set-cookie'] ?? []);
      if (answer.status === 200 || answer.status === 204)
        return answer.body.trim() === '' ? null : answer.body;
      // A SOAP fault comes with status 500 (SOAP 1.1, 6.2).
      if (answer.status === 500 && answer.body.includes('Envelope')) return answer.body;
      if (answer.status === 401 && !authenticated) {
        this.#authenticate(answer.headers['www-authenticate']);
        authenticated = true;
      } else if ([301, 302, 307, 308].includes(answer.status) && answer.headers.location !== undefined) {
        this.#redirect(answer.headers.location);
        redirects++;
      } else {
        throw new ConnectionError(`the ACS answered with HTTP ${answer.status}`);
      }
    }
    throw new ConnectionError('the ACS redirects too often');
  }

  #authenticate(challenge: string | undefined): void {
    const { credentials, authScheme } = this.#options;
    if (credentials === null) throw new ConnectionError('the ACS asks for credentials, and there are none');
    this.#authenticator = answerChallenge(
      challenge === undefined ? [] : [challenge],
      credentials,
      authScheme,
    );
    if (this.#authenticator === null)
      throw new ConnectionError('the ACS asks for an authentication other than Basic and Digest with MD5');
  }

  #redirect(location: string): void {
    const target = URL.canParse(location, this.#url.href) ? new URL(location, this.#url) : null;
    if (target === null || target.protocol !== this.#url.protocol)
      throw new ConnectionError('the ACS redirects to no URL of its own scheme');
    // Credentials for one host are not for another.
    if (target.host !== this.#url.host) this.#authenticator = null;
    this.#url = target;
  }

  #headers(envelope: Buffer | null): http.OutgoingHttpHeaders {
    const { style } = this.#options;
    const body: http.OutgoingHttpHeaders =
      envelope === null
        ? { 'Content-Length': 0 }
        : {
            'Content-Type': `text/xml; charset=${style.charset}`,
            SOAPAction: '',
            ...(style.chunked ? { 'Transfer-Encoding': 'chunked' } : { 'Content-Length': envelope.length }),
          };
    const cookies = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const authorization = this.#authenticator?.authorization('POST', this.#url.pathname + this.#url.search);
    return {
      ...body,
      'User-Agent': 'ferry-cpe-sim',
      ...(cookies === '' ? {} : { Cookie: cookies }),
      ...(authorization === undefined ? {} : { Authorization: authorization }),
    };
  }

  #exchange(envelope: Buffer | null): Promise<Answer> {
    const { responseMsMax, signal } = this.#options;
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => reject(new ConnectionError(error.message));
      const request = (this.#url.protocol === 'https:' ? https : http).request(
        this.#url,
        { method: 'POST', agent: this.#agent, headers: this.#headers(envelope), signal },
        (response) => void readBody(response).then(resolve, fail),
      );
      request.setTimeout(responseMsMax, () => {
        request.destroy(new Error(`no answer within ${responseMsMax} ms`));
      });
      request.on('socket', (socket) => {
        this.#socket = socket;
      });
      request.on('error', fail);
      request.end(envelope ?? undefined);
    });
  }

  #keepCookies(headers: readonly string[]): void {
    if (!this.#options.style.cookies) return;
    for (const header of headers) {
      const match = /^\s*(?<name>[^=;\s]+)=(?<value>[^;]*)/.exec(
        header.slice(0, COOKIE_CHARACTERS_MAX),
      )?.groups;
      const { name, value } = match ?? {};
      if (name === undefined || value === undefined) continue;
      if (/;\s*max-age=(?:0|-\d+)\s*(?:;|$)/i.test(header)) this.#cookies.delete(name);
      else if (this.#cookies.has(name) || this.#cookies.size < COOKIES_MAX)
        this.#cookies.set(name, value.trim());
    }
  }

  /** Says no more, and waits until the ACS has enough of it, or `msMax` is over. */
  async keepSilent(msMax: number): Promise<void> {
    const socket = this.#socket;
    if (socket === null || socket.destroyed) return;
    const deadline = AbortSignal.any([this.#options.signal, AbortSignal.timeout(msMax)]);
    await new Promise<void>((resolve) => {
      socket.once('close', () => resolve());
      deadline.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  /** Ends the connection, also in the middle of something. */
  close(): void {
    this.#agent.destroy();
    this.#socket?.destroy();
  }
}

async function readBody(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of response) {
    if (!Buffer.isBuffer(chunk)) continue;
    sizeBytes += chunk.length;
    if (sizeBytes > ENVELOPE_BYTES_MAX) throw new Error(`an answer of more than ${ENVELOPE_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  let body: string;
  try {
    body = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new Error('an answer that is not UTF-8');
  }
  return { status: response.statusCode ?? 0, headers: response.headers, body };
}
