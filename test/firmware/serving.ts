import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { ExecutionContext } from 'ava';
import { createSecrets, type LogFields, type Logger, silentLogger } from '../../common/index.js';
import {
  createDownloadLocator,
  createFileServer,
  type FileServerEvent,
  type FileServerOptions,
} from '../../firmware/index.js';
import { type LibraryOpener, listen, randomContent, type TestLibrary, uploadOf } from './support.js';

export const secrets = createSecrets(Buffer.alloc(32, 1));
export const nowMs = 1_700_000_000_000;
export const expiresAtMs = nowMs + 60_000;

/** A file server with the image `a.bin`, its token path, and what it reported. */
export async function startServer<Opened extends TestLibrary>(
  t: ExecutionContext,
  open: LibraryOpener<Opened>,
  options: Partial<FileServerOptions> & { readonly content?: Buffer; readonly now?: () => number } = {},
) {
  const { content = randomContent(100_000), now = () => nowMs, ...rest } = options;
  const opened = await open(t, { clock: () => nowMs });
  const { library } = opened;
  const { image } = await library.upload(uploadOf('a.bin', content));
  const events: FileServerEvent[] = [];
  const { server, close } = createFileServer({
    library,
    secrets,
    publicUrl: 'http://127.0.0.1',
    auth: { kind: 'token' },
    clock: now,
    logger: silentLogger,
    onEvent: (event) => {
      events.push(event);
      server.emit(`test:${event.kind}`, event);
    },
    ...rest,
  });
  t.teardown(() => close(0));
  const port = await listen(server);
  const publicUrl = `http://127.0.0.1:${port}`;
  const locator = createDownloadLocator({ secrets, publicUrl, auth: { kind: 'token' }, library });
  const located = await locator.locate('a.bin', { expiresAtMs });
  const path = new URL(located?.url ?? '').pathname;
  return { server, close, port, path, content, image, library, opened, events };
}

export function recorder(): { logger: Logger; lines: { event: string; fields: LogFields | undefined }[] } {
  const lines: { event: string; fields: LogFields | undefined }[] = [];
  const write = (event: string, fields?: LogFields) => void lines.push({ event, fields });
  return { lines, logger: { error: write, warn: write, info: write, debug: write } };
}

/** Asks for `path` on a raw socket and reads nothing after the head has come. */
export async function startDownload(port: number, path: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  await once(socket, 'readable');
  return socket;
}
