import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Why a request is not served for what stands in its head. */
export interface HeadFault {
  readonly reason: string;
  /** False where it comes after what ended its connection: nobody awaits an answer. */
  readonly isAnswered: boolean;
}

const VERSIONS: ReadonlySet<string> = new Set(['1.1', '1.0', '0.9', '2.0']);
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;

/** What a header means for where a request ends. */
type Role = 'none' | 'length' | 'coding';

/** As CPEs spell them: these need no closer look, and with most requests there are no others. */
const USUAL: ReadonlyMap<string, Role> = new Map<string, Role>([
  ...[
    'Host',
    'User-Agent',
    'Content-Type',
    'SOAPAction',
    'SoapAction',
    'Cookie',
    'Authorization',
    'Connection',
    'Accept',
    'Accept-Encoding',
    'Cache-Control',
    'Expect',
  ].map((name) => [name, 'none'] as const),
  ['Content-Length', 'length'],
  ['Transfer-Encoding', 'coding'],
]);

/**
 * Refuses what node's forgiving HTTP parser lets through and its strict one does not, as far as two readers could take it for two
 * things: where a request ends, above all. What it is there for passes: headers that are folded (RFC 2616, 2.2), line feeds alone (19.3),
 * blanks behind the size of a chunk, characters in headers that nobody reads. A carriage return alone the parser refuses itself.
 */
export class HeadCheck {
  /** Connections that end with the answer under way, whatever else comes over them. */
  readonly #ended = new WeakSet<Socket>();

  /** To be asked once for each request, in their order. @returns null for what may be served */
  fault(request: IncomingMessage, response: ServerResponse): HeadFault | null {
    const { socket } = request;
    if (this.#ended.has(socket)) {
      return { reason: 'the request follows the last one of its connection', isAnswered: false };
    }
    const reason = faultOf(request);
    if (reason !== null || !response.shouldKeepAlive) this.#ended.add(socket);
    return reason === null ? null : { reason, isAnswered: true };
  }
}

function faultOf({ httpVersion, rawHeaders }: IncomingMessage): string | null {
  if (!VERSIONS.has(httpVersion)) return 'the HTTP version is not known';
  let lengths = 0;
  let codings = 0;
  // Names and values in turn.
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    const value = rawHeaders[index + 1] ?? '';
    const role = USUAL.get(name) ?? roleOf(name);
    if (role === null) return 'a header has no name';
    if (holdsLineEnd(value)) return 'a header holds a NUL or the end of a line';
    if (role === 'length') lengths++;
    if (role === 'coding') {
      codings++;
      if (value.toLowerCase() !== 'chunked') return 'the Transfer-Encoding is not chunked';
    }
  }
  if (lengths > 1) return 'there are two Content-Lengths';
  if (codings > 1) return 'there are two Transfer-Encodings';
  return lengths > 0 && codings > 0 ? 'there are both Content-Length and Transfer-Encoding' : null;
}

/** @returns null for what is no name (RFC 2616, 2.2: token) */
function roleOf(name: string): Role | null {
  if (!TOKEN.test(name)) return null;
  switch (name.toLowerCase()) {
    case 'content-length':
      return 'length';
    case 'transfer-encoding':
      return 'coding';
    default:
      return 'none';
  }
}

/** Three searches for a byte take less than a third of one for a set. */
function holdsLineEnd(value: string): boolean {
  return value.includes('\n') || value.includes('\r') || value.includes('\0');
}
