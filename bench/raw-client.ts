import net from 'node:net';

/** One HTTP answer, as far as the client needs it. */
export interface Answer {
  readonly status: number;
  readonly cookie: string | null;
  /** The nonce of a Digest challenge. */
  readonly nonce: string | null;
  readonly body: string;
}

/** A CPE gives up then, too. */
const SILENT_MS_MAX = 30_000;
const HEADER_END = Buffer.from('\r\n\r\n');

/**
 * A connection that writes prepared requests and reads answers with as little work as possible, so that what is measured is the
 * server. One request at a time.
 */
export class RawConnection {
  readonly #socket: net.Socket;
  #received: Buffer = Buffer.alloc(0);
  #waiting: { resolve(answer: Answer): void; reject(error: Error): void } | null = null;

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
      this.#deliver();
    });
    const fail = (error: Error) => {
      this.#waiting?.reject(error);
      this.#waiting = null;
    };
    socket.on('error', fail);
    socket.on('close', () => fail(new Error('the server closed the connection')));
  }

  static open(port: number): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const socket = net.connect(port, '127.0.0.1', () => resolve(new RawConnection(socket)));
      socket.once('error', reject);
      socket.setTimeout(SILENT_MS_MAX, () => socket.destroy(new Error('the server said nothing')));
    });
  }

  /** @param authorization  what the header of that name says; empty: there is none */
  post(body: string, cookie: string | null, authorization = ''): Promise<Answer> {
    const type = body === '' ? '' : 'Content-Type: text/xml; charset=utf-8\r\n';
    const carried = cookie === null ? '' : `Cookie: ${cookie}\r\n`;
    const proof = authorization === '' ? '' : `Authorization: ${authorization}\r\n`;
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(
        `POST / HTTP/1.1\r\nHost: acs\r\n${type}${carried}${proof}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      );
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #deliver(): void {
    const headerEnd = this.#received.indexOf(HEADER_END);
    if (headerEnd < 0) return;
    const header = this.#received.toString('latin1', 0, headerEnd);
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(header)?.[1] ?? 0);
    const end = headerEnd + HEADER_END.length + length;
    if (this.#received.length < end) return;
    const body = this.#received.toString('utf8', headerEnd + HEADER_END.length, end);
    this.#received = this.#received.subarray(end);
    const status = Number(header.slice(9, 12));
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.resolve({
      status,
      cookie: /\r\nset-cookie: ([^;\r]+)/i.exec(header)?.[1] ?? null,
      nonce: status === 401 ? (/\bnonce="([^"]+)"/.exec(header)?.[1] ?? null) : null,
      body,
    });
  }
}
