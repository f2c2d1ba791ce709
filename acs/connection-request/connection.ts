import net, { isIP } from 'node:net';
import tls from 'node:tls';
import type { PinnedTarget } from './address-policy.js';
import { type AnswerHead, AnswerHeadReader } from './answer-head.js';

/** So long a CPE that has answered may go on sending and close the connection itself: some mind a reset. */
const LEAVING_MS = 2_000;
const LEAVING_BYTES_MAX = 64 * 1024;
/** Connections that are being left at a time; beyond that they are cut. */
const LEAVING_MAX = 1_000;

/** So soon after its answer a CPE closes that means to, but did not say so. */
const CLOSING_MS = 50;

export type Reply =
  | { readonly kind: 'answer'; readonly head: AnswerHead }
  /** Something came that is no answer. */
  | { readonly kind: 'unreadable'; readonly reason: string }
  | { readonly kind: 'silence'; readonly reason: string; readonly how: Silence };

/** Whether a CPE that said nothing may have heard: it was not reached, ended the connection in order, broke it, or took too long. */
export type Silence = 'unreached' | 'closed' | 'broken' | 'late';

const BROKEN_OFF: Reply = { kind: 'silence', reason: 'it was broken off', how: 'unreached' };

/**
 * One connection to a CPE at its pinned address, which carries one GET after the other. Redirects are not followed: they would lead
 * around the address policy.
 */
export class CpeConnection {
  readonly #socket: net.Socket;
  readonly #target: PinnedTarget;
  #last: AnswerHead | null = null;
  #isConnected = false;
  #isOpen = true;
  #reader: AnswerHeadReader | null = null;
  #settle: ((reply: Reply) => void) | null = null;
  /** What came since the last answer, while nothing was asked. */
  #passedBytes = 0;

  constructor(target: PinnedTarget) {
    this.#target = target;
    const isTls = target.url.protocol === 'https:';
    const host = target.address;
    const port = Number(target.url.port || (isTls ? 443 : 80));
    // CPEs have self-signed certificates as a rule, and the request carries nothing that needs their identity.
    this.#socket = isTls
      ? tls.connect({ host, port, rejectUnauthorized: false, ...serverName(target) })
      : net.connect({ host, port });
    this.#socket.once(isTls ? 'secureConnect' : 'connect', () => {
      this.#isConnected = true;
    });
    this.#socket.on('data', (bytes: Buffer) => this.#read(bytes));
    this.#socket.on('end', () => this.#ended('closed', 'it closed the connection'));
    this.#socket.on('close', () => this.#ended('closed', 'it closed the connection'));
    this.#socket.on('error', (error: NodeJS.ErrnoException) =>
      this.#ended('broken', error.code ?? error.message),
    );
  }

  /** Whether another request may be sent over it, as far as can be known; to be asked after an answer. */
  async staysOpen(): Promise<boolean> {
    if (this.#last?.staysOpen === 'unsaid' && this.#isOpen) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, CLOSING_MS);
        this.#socket.once('end', () => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    return this.#isOpen && this.#last?.staysOpen !== 'no';
  }

  /**
   * Sends the connection request (TR-069 3.2.2.1).
   * @param authorization  a header's value, in latin1
   * @param timeoutMs  then what has come decides
   */
  ask(authorization: string | null, timeoutMs: number): Promise<Reply> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#ended('late', 'it took too long'), timeoutMs);
      this.#settle = (reply) => {
        clearTimeout(timer);
        this.#settle = null;
        this.#reader = null;
        if (reply.kind === 'answer') this.#last = reply.head;
        resolve(reply);
      };
      const bodyBytesLeft = Math.max(0, (this.#last?.bodyBytesLeft ?? 0) - this.#passedBytes);
      this.#reader = new AnswerHeadReader(this.#last === null ? null : { bodyBytesLeft });
      this.#passedBytes = 0;
      if (!this.#isOpen) this.#ended('broken', 'it closed the connection');
      else this.#socket.write(requestHead(this.#target.url, authorization), 'latin1');
    });
  }

  #read(bytes: Buffer): void {
    if (this.#reader === null) {
      this.#passedBytes += bytes.length;
      if (this.#passedBytes > LEAVING_BYTES_MAX) this.#socket.destroy();
      return;
    }
    try {
      const head = this.#reader.read(bytes);
      if (head !== null) this.#settle?.({ kind: 'answer', head });
    } catch (error) {
      this.#settle?.(unreadable(error));
    }
  }

  /** Nothing more will be read: what is there decides, a status above all. */
  #ended(how: Silence, reason: string): void {
    this.#isOpen = false;
    if (this.#reader === null) return;
    try {
      const head = this.#reader.end();
      if (head !== null) this.#settle?.({ kind: 'answer', head });
      else this.#settle?.({ kind: 'silence', reason, how: this.#isConnected ? how : 'unreached' });
    } catch (error) {
      this.#settle?.(unreadable(error));
    }
  }

  /** Nobody waits for the answer any longer; the connection stands until it is left or cut. */
  breakOff(): void {
    this.#isOpen = false;
    this.#settle?.(BROKEN_OFF);
  }

  /**
   * Says nothing more, and lets the CPE say what it has to say, for a moment.
   * @param leaving  those that are being left, this one among them until it is closed
   */
  leave(leaving: Set<CpeConnection>): void {
    if (this.#socket.destroyed) return;
    if (!this.#isConnected || leaving.size >= LEAVING_MAX) {
      this.cut();
      return;
    }
    leaving.add(this);
    this.#passedBytes = 0;
    const timer = setTimeout(() => this.cut(), LEAVING_MS);
    this.#socket.once('close', () => {
      leaving.delete(this);
      clearTimeout(timer);
    });
    // Nothing waits for it, the end of the process least of all.
    timer.unref();
    this.#socket.unref();
    this.#socket.end();
  }

  cut(): void {
    this.#socket.destroy();
  }
}

function serverName({ url }: PinnedTarget): { servername?: string } {
  return isIP(url.hostname.replace(/^\[|\]$/g, '')) === 0 ? { servername: url.hostname } : {};
}

/** The request target as it goes on the wire, and into a Digest. */
export function requestTarget(url: URL): string {
  return url.pathname + url.search;
}

/** A nonce may be good for its connection only (TR-069 3.2.2.1), so that is asked to stay. */
function requestHead(url: URL, authorization: string | null): string {
  const lines = [`GET ${requestTarget(url)} HTTP/1.1`, `Host: ${url.host}`, 'Connection: keep-alive'];
  if (authorization !== null) lines.push(`Authorization: ${authorization}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function unreadable(error: unknown): Reply {
  return { kind: 'unreadable', reason: error instanceof Error ? error.message : String(error) };
}
