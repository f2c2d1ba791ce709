import { createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import { SoapError } from '../soap/index.js';

/** How a body is coded, as far as its header says. */
export interface Coding {
  readonly kind: 'identity' | 'gzip' | 'deflate';
  /** The header names nothing that is known, or more than it should. */
  readonly isOdd: boolean;
}

const PLAIN: Coding = { kind: 'identity', isOdd: false };
const DECODED: ReadonlyMap<string, 'gzip' | 'deflate'> = new Map([
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['deflate', 'deflate'],
]);
/** Real codings that nobody needs here; any other name is no coding, and its body as it stands. */
const NOT_DECODED: ReadonlySet<string> = new Set(['compress', 'x-compress', 'br', 'zstd', 'exi']);

/**
 * Reads a Content-Encoding header.
 * @throws SoapError 415 for a coding that is not decoded, and for a body that is coded twice
 * @see    TR-069 Amendment 6, 3.4.7; RFC 9110, 8.4
 */
export function codingOf(header: string | undefined): Coding {
  if (header === undefined || header === 'identity') return PLAIN;
  const names = new Set(header.toLowerCase().split(/[,\s]+/));
  const codings = new Set([...names].map((name) => DECODED.get(name)).filter((name) => name !== undefined));
  const [kind = 'identity'] = codings;
  if (codings.size > 1 || [...names].some((name) => NOT_DECODED.has(name))) {
    throw new SoapError(
      'The Content-Encoding is not supported; send the body uncoded, in gzip or in deflate',
      {
        kind: 'http',
        status: 415,
      },
    );
  }
  const [only = ''] = names;
  return { kind, isOdd: names.size > 1 || (kind === 'identity' && only !== 'identity') };
}

/** As much is let through whatever the ratio: what a CPE sends is small, and much alike. */
const FREE_BYTES = 64 * 1024;
/** The data models of real CPEs come to 30; deflate can reach 1,000, which only serves to make work. */
const RATIO_MAX = 100;
/** What zlib keeps for one body while it is on its way: a window of 32 KiB, its tables, a piece of the output. */
export const INFLATION_BYTES = 64 * 1024;

/** Where what was inflated goes. */
export interface InflationSink {
  piece(bytes: Buffer): void;
  end(): void;
  failed(error: SoapError): void;
}

/**
 * Inflates one body as it comes in. Whether it is gzip, zlib or bare deflate its first byte says, as senders of "deflate" mean either
 * (RFC 9110, 8.4.1.2), and some name the one and send the other.
 */
export class Inflation {
  readonly #kind: 'gzip' | 'deflate';
  readonly #sink: InflationSink;
  #stream: ReturnType<typeof createGunzip | typeof createInflate | typeof createInflateRaw> | null = null;
  #isPlain = false;
  #receivedBytes = 0;
  #givenBytes = 0;

  constructor(kind: 'gzip' | 'deflate', sink: InflationSink) {
    this.#kind = kind;
    this.#sink = sink;
  }

  /** The header says that it is coded, and it is not, or otherwise. Known from the first byte on. */
  isMisnamed = false;

  write(bytes: Buffer): void {
    if (this.#receivedBytes === 0) this.#begin(bytes[0] ?? 0);
    this.#receivedBytes += bytes.length;
    if (this.#isPlain) this.#sink.piece(bytes);
    else this.#stream?.write(bytes);
  }

  end(): void {
    if (this.#stream === null) this.#sink.end();
    else this.#stream.end();
  }

  /** Nothing more is wanted of it. */
  stop(): void {
    this.#stream?.destroy();
  }

  #begin(first: number): void {
    const isGzip = first === GZIP_FIRST;
    this.isMisnamed = isGzip !== (this.#kind === 'gzip');
    if (this.#kind === 'gzip' && first === LESS_THAN) {
      this.#isPlain = true;
      return;
    }
    const isZlib = (first & ZLIB_METHOD_MASK) === ZLIB_DEFLATE;
    const stream = isGzip ? createGunzip() : isZlib ? createInflate() : createInflateRaw();
    stream.on('data', (piece: Buffer) => {
      this.#givenBytes += piece.length;
      if (this.#givenBytes > Math.max(FREE_BYTES, RATIO_MAX * this.#receivedBytes)) {
        this.#sink.failed(
          new SoapError(`The body inflates to more than ${RATIO_MAX} times its size`, {
            kind: 'http',
            status: 413,
          }),
        );
      } else {
        this.#sink.piece(piece);
      }
    });
    stream.on('end', () => this.#sink.end());
    stream.on('error', () => {
      this.#sink.failed(
        new SoapError(`The body cannot be inflated, though its Content-Encoding says ${this.#kind}`, {
          kind: 'http',
          status: 400,
        }),
      );
    });
    this.#stream = stream;
  }
}

/** RFC 1952, 2.3.1. No bare deflate begins with it: it would be a block of a type that is reserved. */
const GZIP_FIRST = 0x1f;
/** RFC 1950, 2.2: the low half of the first byte is the method, of which there is one. */
const ZLIB_METHOD_MASK = 0x0f;
const ZLIB_DEFLATE = 8;
const LESS_THAN = 0x3c;
