import { randomBytes } from 'node:crypto';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Credentials, DigestVerifier } from './http-auth.js';

const CONNECTIONS_MAX = 10_000;
const REQUEST_MS_MAX = 10_000;

/** What the listener needs to know of one CPE. */
export interface ConnectionRequestTarget {
  /** As the ACS set them; null while it has not: then no request is accepted (TR-069 3.2.2). */
  connectionRequestCredentials(): Credentials | null;
  /**
   * An authenticated request came.
   * @returns `accepted` (200; a session follows), `busy` (503), or `off` (no answer at all: it reboots or is gone)
   */
  connectionRequest(): 'accepted' | 'busy' | 'off';
  /** Whether it could answer at all. */
  isOn(): boolean;
}

export interface ConnectionRequestListenerOptions {
  readonly host: string;
  /** 0: any. */
  readonly port: number;
  /** The host that ConnectionRequestURLs name; the listener's own unless told. */
  readonly publicHost?: string;
}

interface Answer {
  readonly status: number;
  readonly headers?: http.OutgoingHttpHeaders;
}

/** One HTTP server for the connection requests of a whole fleet; each CPE has a path that cannot be guessed (TR-069 3.2.2). */
export class ConnectionRequestListener {
  readonly #targets = new Map<string, ConnectionRequestTarget>();
  readonly #digest = new DigestVerifier('ferry-cpe-sim');
  readonly #server: http.Server;
  readonly #options: ConnectionRequestListenerOptions;
  #authority = '';

  constructor(options: ConnectionRequestListenerOptions) {
    this.#options = options;
    this.#server = http.createServer((request, response) => this.#answer(request, response));
    this.#server.maxConnections = CONNECTIONS_MAX;
    this.#server.requestTimeout = REQUEST_MS_MAX;
    this.#server.headersTimeout = REQUEST_MS_MAX;
  }

  /** @throws where the address cannot be listened on */
  async start(): Promise<void> {
    const { host, port, publicHost } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    const name = publicHost ?? (host === '0.0.0.0' || host === '::' ? 'localhost' : host);
    this.#authority = `${name.includes(':') ? `[${name}]` : name}:${this.#address().port}`;
  }

  #address(): AddressInfo {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the listener is not started');
    return address;
  }

  /** @returns the CPE's ConnectionRequestURL, and how to take it back */
  register(target: ConnectionRequestTarget): { readonly url: string; readonly unregister: () => void } {
    const path = `/cr/${randomBytes(16).toString('base64url')}`;
    this.#targets.set(path, target);
    return { url: `http://${this.#authority}${path}`, unregister: () => this.#targets.delete(path) };
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    request.resume();
    const answer = this.#decide(request);
    if (answer === null) request.destroy();
    else
      response
        .writeHead(answer.status, { 'Content-Length': 0, Connection: 'close', ...answer.headers })
        .end();
  }

  /** @returns null where the CPE is down and the connection just breaks */
  #decide(request: IncomingMessage): Answer | null {
    const uri = request.url ?? '';
    const target = this.#targets.get(uri);
    if (target === undefined) return { status: 404 };
    if (!target.isOn()) return null;
    if (request.method !== 'GET') return { status: 405, headers: { Allow: 'GET' } };
    const credentials = target.connectionRequestCredentials();
    const verdict =
      credentials === null
        ? 'wrong'
        : this.#digest.verify(request.headers.authorization, { method: 'GET', uri }, credentials);
    if (verdict !== 'ok')
      return { status: 401, headers: { 'WWW-Authenticate': this.#digest.challenge(verdict === 'stale') } };
    const outcome = target.connectionRequest();
    switch (outcome) {
      case 'accepted':
        return { status: 200 };
      case 'busy':
        return { status: 503, headers: { 'Retry-After': 1 } };
      case 'off':
        return null;
      default:
        return unreachable(outcome);
    }
  }

  async stop(): Promise<void> {
    this.#targets.clear();
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }
}

function unreachable(outcome: never): never {
  throw new TypeError(`no such outcome: ${String(outcome)}`);
}
