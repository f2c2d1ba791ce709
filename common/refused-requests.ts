import { type IncomingMessage, type RequestListener, type Server, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { plainAddress } from './addresses.js';
import { SECOND_MS } from './clock.js';
import type { Logger } from './log.js';
import { Seldom } from './seldom.js';

/** Why HTTP itself turns a client away, before anything of Ferry's hears of a request. */
export type RefusalReason =
  | 'malformed'
  /** Where its body ends is not said, or said twice. */
  | 'framing'
  | 'headers-too-large'
  | 'chunk-extensions-too-large'
  | 'timed-out'
  /** The client closed its side in the middle of a request. */
  | 'cut-off'
  | 'after-close'
  | 'no-host'
  | 'expectation'
  | 'connect'
  | 'too-many-connections'
  /** Its connection made room for another client's: nothing was done on it for a user (northbound), or its address had more of them. */
  | 'made-room'
  /** The next request of a connection came before the answer to the last was out. */
  | 'pipelined'
  /** Others from its address, where nobody has logged in, kept pipelining. */
  | 'kept-out'
  /** The client took nothing of its answer. */
  | 'not-taken'
  /** Too little came of a body, or it went on for long after its answer. */
  | 'body-too-slow';

export interface RefusedRequestsParts {
  /** Which door it is: `cwmp`, `nbi`, `files`. */
  readonly listener: string;
  readonly logger: Logger;
  /** Each one, for metrics. */
  readonly onRefused?: (reason: RefusalReason) => void;
}

/** Of each reason the log says so now and then: a whole make of CPE may knock every few seconds. */
const LOG_MS = 10 * SECOND_MS;

/**
 * Sees to it that what node's HTTP server refuses by itself leaves a trace, as whoever is turned away in every session exists for nobody
 * otherwise. What clients are answered is what node would answer.
 */
export class RefusedRequests {
  readonly #parts: RefusedRequestsParts;
  readonly #log = new Seldom(LOG_MS);

  constructor(parts: RefusedRequestsParts) {
    this.#parts = parts;
  }

  /**
   * To be called once for a server, before it listens.
   * @param through  what every request goes through, also one that is refused
   */
  watch(server: Server, through: (handler: RequestListener) => RequestListener = (handler) => handler): void {
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => this.#onClientError(error, socket));
    server.on('connect', (request, socket) => {
      this.#note('connect', addressOf(request.socket));
      socket.destroy();
    });
    if (server.listenerCount('checkExpectation') === 0) {
      const refuse: RequestListener = (request, response) => {
        this.#note('expectation', addressOf(request.socket));
        response.writeHead(417);
        response.end();
      };
      server.on('checkExpectation', through(refuse));
    }
  }

  /** Before a handler, for a server with `requireHostHeader: false`: does what node does otherwise, and leaves a trace. */
  requiringHost(handler: RequestListener): RequestListener {
    return (request, response) => {
      if (request.headers.host !== undefined || request.httpVersion !== '1.1') {
        handler(request, response);
        return;
      }
      this.#note('no-host', addressOf(request.socket));
      response.writeHead(400, ['Connection', 'close']);
      response.end();
    };
  }

  /** Whoever does so closes the connection. */
  turnedAway(reason: RefusalReason, ip: string): void {
    this.#note(reason, ip);
  }

  /** Closes a connection at once, whatever is under way on it. */
  cutOff(socket: Socket, reason: RefusalReason): void {
    if (socket.destroyed) return;
    this.#note(reason, addressOf(socket));
    socket.destroy();
  }

  #onClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
    const reason = reasonOf(error.code ?? '');
    // A client that has gone away has been refused nothing.
    if (reason !== null) this.#note(reason, addressOf(socket), error.code);
    if (reason !== null && socket.writable && !isBeingAnswered(socket)) socket.write(answerTo(reason));
    if (socket instanceof Socket) socket.destroySoon();
    else socket.destroy();
  }

  #note(reason: RefusalReason, ip: string, code?: string): void {
    const { listener, logger, onRefused } = this.#parts;
    onRefused?.(reason);
    // The codes are of a fixed set too: those that node has.
    const omitted = this.#log.admit(`${reason} ${code}`);
    if (omitted === null) return;
    logger.warn('http.refused', {
      listener,
      reason,
      ip,
      ...(code !== undefined && { code }),
      ...(omitted > 0 && { omitted }),
    });
  }
}

/** @returns null for errors of the connection, which refuse nothing */
function reasonOf(code: string): RefusalReason | null {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return 'headers-too-large';
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return 'chunk-extensions-too-large';
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 'timed-out';
    case 'HPE_INVALID_EOF_STATE':
      return 'cut-off';
    case 'HPE_CLOSED_CONNECTION':
      return 'after-close';
    case 'HPE_INVALID_TRANSFER_ENCODING':
    case 'HPE_INVALID_CONTENT_LENGTH':
    case 'HPE_UNEXPECTED_CONTENT_LENGTH':
      return 'framing';
    default:
      return code.startsWith('HPE_') ? 'malformed' : null;
  }
}

function answerTo(reason: RefusalReason): string {
  return `HTTP/1.1 ${STATUS_LINES[reason] ?? '400 Bad Request'}\r\nConnection: close\r\n\r\n`;
}

const STATUS_LINES: Readonly<Partial<Record<RefusalReason, string>>> = {
  'headers-too-large': '431 Request Header Fields Too Large',
  'chunk-extensions-too-large': '413 Payload Too Large',
  'timed-out': '408 Request Timeout',
};

/**
 * Whether part of an answer is on its way, which a refusal must not be written into. Node asks the same of the same field, which is not
 * documented; where it were gone, an answer that is broken off would end in a line of HTTP.
 */
function isBeingAnswered(socket: Duplex): boolean {
  return answerUnderWay(socket)?.headersSent ?? false;
}

/** The answer that a connection is waiting for or being given, if any. */
export function answerUnderWay(socket: Duplex): ServerResponse | null {
  const response = '_httpMessage' in socket ? socket._httpMessage : null;
  return response instanceof ServerResponse ? response : null;
}

/** Where the other side of a connection is, in the one way in which addresses are compared. */
export function addressOf(socket: Duplex | IncomingMessage['socket']): string {
  return plainAddress(socket instanceof Socket ? (socket.remoteAddress ?? '') : '');
}
