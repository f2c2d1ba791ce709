import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A small file server whose ways to fail a test sets. */
export class FileServer {
  /** The Range headers that came, '' where there was none. */
  readonly ranges: string[] = [];
  file: Buffer;
  etag = '"v1"';
  /** Breaks the connection after so many bytes of each answer, so often. */
  breakAfterBytes = 0;
  breaks = 0;
  /** Called before each answer. @returns true where it answered itself */
  intercept: (request: IncomingMessage, response: ServerResponse) => boolean = () => false;
  readonly #server = http.createServer((request, response) => this.#answer(request, response));

  private constructor(file: Buffer) {
    this.file = file;
  }

  static async start(file: Buffer): Promise<FileServer> {
    const server = new FileServer(file);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/firmware.bin`;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.ranges.push(request.headers.range ?? '');
    if (this.intercept(request, response)) return;
    const from = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1];
    const sameFile = (request.headers['if-range'] ?? this.etag) === this.etag;
    const start = from !== undefined && sameFile ? Number(from) : 0;
    const body = this.file.subarray(start);
    response.writeHead(start > 0 ? 206 : 200, {
      'Content-Length': body.length,
      ETag: this.etag,
      ...(start > 0 ? { 'Content-Range': `bytes ${start}-${this.file.length - 1}/${this.file.length}` } : {}),
    });
    if (this.breaks > 0) {
      this.breaks--;
      response.write(body.subarray(0, this.breakAfterBytes), () => response.destroy());
    } else response.end(body);
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }
}
