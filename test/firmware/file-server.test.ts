import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { rm, truncate } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { createSecrets, type LogFields, type Logger, silentLogger } from '../../common/index.js';
import {
  createDownloadLocator,
  createFileServer,
  type FileAuth,
  type FileServerEvent,
  type FileServerOptions,
} from '../../firmware/index.js';
import { ask, listen, MEBIBYTE, openTestLibrary, randomContent, sha256Of, uploadOf } from './support.js';

const secrets = createSecrets(Buffer.alloc(32, 1));
const nowMs = 1_700_000_000_000;
const expiresAtMs = nowMs + 60_000;
const basic: FileAuth = { kind: 'basic', username: 'cpe', password: 's3cret:ö' };
const authorization = `Basic ${Buffer.from('cpe:s3cret:ö').toString('base64')}`;

/** A file server with the image `a.bin`, its token path, and what it reported. */
async function startServer(
  t: ExecutionContext,
  options: Partial<FileServerOptions> & { readonly content?: Buffer; readonly now?: () => number } = {},
) {
  const { content = randomContent(100_000), now = () => nowMs, ...rest } = options;
  const { library, directory } = await openTestLibrary(t, { clock: () => nowMs });
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
  return { server, close, port, path, content, image, library, directory, events };
}

function recorder(): { logger: Logger; lines: { event: string; fields: LogFields | undefined }[] } {
  const lines: { event: string; fields: LogFields | undefined }[] = [];
  const write = (event: string, fields?: LogFields) => void lines.push({ event, fields });
  return { lines, logger: { error: write, warn: write, info: write, debug: write } };
}

/** Files of this process under `directory` that are open. */
function openFiles(directory: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(directory) ? [path] : [];
    } catch {
      return [];
    }
  });
}

/** Asks for `path` on a raw socket and reads nothing after the head has come. */
async function startDownload(port: number, path: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  await once(socket, 'readable');
  return socket;
}

test('a token URL gives the whole image with the headers a CPE needs', async (t) => {
  const { port, path, content, image, events, server } = await startServer(t);
  const ended = once(server, 'test:ended');
  const answer = await ask(port, path);
  t.is(answer.status, 200);
  t.true(answer.body.equals(content));
  t.like(answer.headers, {
    'content-length': '100000',
    'content-type': 'application/octet-stream',
    'accept-ranges': 'bytes',
    'cache-control': 'private',
    etag: `"${image.sha256}"`,
    'last-modified': new Date(nowMs).toUTCString(),
  });
  t.is(answer.headers['transfer-encoding'], undefined);
  await ended;
  t.like(events[0], { kind: 'started', image: 'a.bin' });
  t.like(events[1], { kind: 'ended', image: 'a.bin', outcome: 'complete' });
  t.is(events.length, 2);
});

test('HEAD says what GET would, without the content', async (t) => {
  const { port, path, events } = await startServer(t);
  const [head, get] = [await ask(port, path, { method: 'HEAD' }), await ask(port, path)];
  t.is(head.status, 200);
  t.is(head.body.length, 0);
  const { date: _headDate, ...headHeaders } = head.headers;
  const { date: _getDate, ...getHeaders } = get.headers;
  t.deepEqual(headHeaders, getHeaders);
  t.is(events.filter((event) => event.kind === 'started').length, 1);
});

test('any range of bytes equals that slice of the image', async (t) => {
  const { port, path, content } = await startServer(t, { content: randomContent(5_000) });
  const size = content.length;
  await fc.assert(
    fc.asyncProperty(fc.nat(size - 1), fc.option(fc.nat(size + 100)), async (start, extra) => {
      const end = extra === null ? null : start + extra;
      const { status, headers, body } = await ask(port, path, {
        headers: { Range: `bytes=${start}-${end ?? ''}` },
      });
      const last = Math.min(end ?? size - 1, size - 1);
      t.is(status, 206);
      t.true(body.equals(content.subarray(start, last + 1)));
      t.is(headers['content-range'], `bytes ${start}-${last}/${size}`);
      t.is(headers['content-length'], String(last + 1 - start));
    }),
    { numRuns: 60 },
  );
  const suffix = await ask(port, path, { headers: { Range: 'bytes=-100' } });
  t.true(suffix.body.equals(content.subarray(-100)));
});

test('a download cut off is resumed where it stopped, while the ETag still holds', async (t) => {
  const { port, path, content, image } = await startServer(t);
  const range = { Range: 'bytes=60000-' };
  for (const validator of [`"${image.sha256}"`, new Date(nowMs).toUTCString()]) {
    const resumed = await ask(port, path, { headers: { ...range, 'If-Range': validator } });
    t.is(resumed.status, 206);
    t.true(resumed.body.equals(content.subarray(60_000)));
  }
  for (const stale of [`"${'0'.repeat(64)}"`, new Date(nowMs - 60_000).toUTCString()]) {
    const whole = await ask(port, path, { headers: { ...range, 'If-Range': stale } });
    t.is(whole.status, 200);
    t.true(whole.body.equals(content));
  }
});

test('several ranges, or what is no range, are answered with the whole image', async (t) => {
  const { port, path, content } = await startServer(t);
  for (const range of ['bytes=0-1,500-600', 'bytes=x-y', 'lines=1-2']) {
    const answer = await ask(port, path, { headers: { Range: range } });
    t.is(answer.status, 200, range);
    t.true(answer.body.equals(content));
  }
});

test('a range outside the image is 416 and says how long it is', async (t) => {
  const { port, path } = await startServer(t);
  const answer = await ask(port, path, { headers: { Range: 'bytes=100000-' } });
  t.is(answer.status, 416);
  t.is(answer.headers['content-range'], 'bytes */100000');
  t.is(answer.headers['content-length'], String(answer.body.length));
});

test('preconditions are held: 304 for the same ETag, 412 for another', async (t) => {
  const { port, path, image } = await startServer(t);
  const etag = `"${image.sha256}"`;
  const notModified = await ask(port, path, { headers: { 'If-None-Match': etag } });
  t.is(notModified.status, 304);
  t.is(notModified.body.length, 0);
  t.is((await ask(port, path, { headers: { 'If-None-Match': '"other"' } })).status, 200);
  t.is((await ask(port, path, { headers: { 'If-Match': '"other"' } })).status, 412);
  t.is((await ask(port, path, { headers: { 'If-Match': etag } })).status, 200);
});

test('a token that has expired, was altered, or is for another name is 403, with a log event that does not hold it', async (t) => {
  let clockMs = nowMs;
  const { lines, logger } = recorder();
  const { port, path, library, events } = await startServer(t, { now: () => clockMs, logger });
  await library.upload(uploadOf('b.bin', Buffer.from('other')));
  const token = path.split('/')[2] ?? '';
  const altered = (token.startsWith('A') ? 'B' : 'A') + token.slice(1);
  for (const forged of [
    path.replace('a.bin', 'b.bin'),
    `/t/${altered}/a.bin`,
    '/t/x/a.bin',
    '/t/x/none.bin',
  ]) {
    t.is((await ask(port, forged)).status, 403, forged);
  }
  clockMs = expiresAtMs - 1;
  t.is((await ask(port, path)).status, 200);
  clockMs = expiresAtMs;
  t.is((await ask(port, path)).status, 403);
  t.deepEqual(
    lines.map(({ event, fields }) => [event, fields?.['reason']]),
    [...Array(4).fill(['files.token-refused', 'forged']), ['files.token-refused', 'expired']],
  );
  t.false(JSON.stringify(lines).includes(token));
  t.is(events.filter((event) => event.kind === 'refused' && event.status === 403).length, 5);
});

test('a token outlives the server that was there when it was made', async (t) => {
  const first = await startServer(t);
  await first.close();
  const { server } = createFileServer({
    library: first.library,
    secrets: createSecrets(Buffer.alloc(32, 1)),
    publicUrl: 'http://127.0.0.1',
    auth: { kind: 'token' },
    clock: () => nowMs,
    logger: silentLogger,
  });
  t.teardown(() => server.close());
  const answer = await ask(await listen(server), first.path, { headers: { Range: 'bytes=5-9' } });
  t.true(answer.body.equals(first.content.subarray(5, 10)));
});

test('/files/<name> takes the configured Basic credentials and no others', async (t) => {
  const { port, content, path } = await startServer(t, { auth: basic });
  const right = await ask(port, '/files/a.bin', { headers: { Authorization: authorization } });
  t.is(right.status, 200);
  t.true(right.body.equals(content));
  const wrong = ['', 'Basic', 'Basic !!!', `Bearer ${authorization.slice(6)}`, authorization.slice(0, -4)];
  for (const header of wrong) {
    const refused = await ask(port, '/files/a.bin', { headers: { Authorization: header } });
    t.is(refused.status, 401, header);
    t.is(refused.headers['www-authenticate'], 'Basic realm="Ferry", charset="UTF-8"');
  }
  t.is((await ask(port, '/files/a.bin')).status, 401);
  t.is((await ask(port, '/files/none.bin')).status, 401);
  t.is((await ask(port, path)).status, 200);
});

test('without configured credentials there is no /files', async (t) => {
  const { port } = await startServer(t);
  t.is((await ask(port, '/files/a.bin', { headers: { Authorization: authorization } })).status, 404);
});

const NOT_FOUND = [
  '/',
  '/files',
  '/files/',
  '/files/none.bin',
  '/files//a.bin',
  '/files/..%2f..%2fetc%2fpasswd',
  '/files/../../etc/passwd',
  '/files/%2e%2e/%2e%2e/etc/passwd',
  '/files/..%5c..%5cetc%5cpasswd',
  '/files/a.bin%00.txt',
  '/files/%00',
  '/files/%zz',
  '/files/%c0%ae%c0%ae',
  '/files/.a.bin',
  '/files/a.bin/',
  `/files/${'a'.repeat(129)}`,
  `/files/${'a'.repeat(7_000)}`,
  '/t/',
  '/t/a.bin',
  '/content/x',
];

for (const path of NOT_FOUND) {
  test(`a path that is no image's is 404: ${path.slice(0, 40)} (${path.length} characters)`, async (t) => {
    const { port } = await startServer(t, { auth: basic });
    const answer = await ask(port, path, { headers: { Authorization: authorization } });
    t.is(answer.status, 404);
    t.is(answer.headers.location, undefined);
    t.is(answer.headers['content-length'], String(answer.body.length));
  });
}

test('a request head beyond the limit is 431 and the next CPE is served', async (t) => {
  const { port, path } = await startServer(t);
  t.is((await ask(port, `/files/${'a'.repeat(20_000)}`)).status, 431);
  t.is((await ask(port, path)).status, 200);
});

test('other methods are 405 and say which are allowed', async (t) => {
  const { port, path } = await startServer(t);
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
    const answer = await ask(port, path, { method });
    t.is(answer.status, 405);
    t.is(answer.headers.allow, 'GET, HEAD');
  }
});

test('a percent-encoded name, a query and the absolute form are understood', async (t) => {
  const { port, path } = await startServer(t);
  for (const form of [path.replace('a.bin', '%61%2Ebin'), `${path}?x=1`, `http://other:80${path}`]) {
    t.is((await ask(port, form)).status, 200, form);
  }
});

test('a path in the public URL may stand in front, or be taken off by a proxy', async (t) => {
  const { port, path } = await startServer(t, { publicUrl: 'https://h/fw/v1' });
  t.is((await ask(port, `/fw/v1${path}`)).status, 200);
  t.is((await ask(port, path)).status, 200);
  t.is((await ask(port, `/fw${path}`)).status, 404);
});

test('20 downloads at once all arrive whole', async (t) => {
  const { port, path, content } = await startServer(t, { content: randomContent(2 * MEBIBYTE) });
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(port, path)));
  for (const { body } of answers) t.is(sha256Of(body), sha256Of(content));
});

test('a client that goes away in the middle frees its file', async (t) => {
  const { port, path, directory, server } = await startServer(t, { content: randomContent(32 * MEBIBYTE) });
  const socket = await startDownload(port, path);
  t.is(openFiles(directory).length, 1);
  const ended = once(server, 'test:ended');
  socket.destroy();
  t.like((await ended)[0], { outcome: 'aborted' });
  await until(() => openFiles(directory).length === 0);
  t.pass();
});

test('a client that takes nothing for too long is cut off', async (t) => {
  const started = await startServer(t, { content: randomContent(32 * MEBIBYTE), idleMsMax: 100 });
  const ended = once(started.server, 'test:ended');
  const socket = await startDownload(started.port, started.path);
  t.like((await ended)[0], { outcome: 'aborted' });
  socket.destroy();
  await until(() => openFiles(started.directory).length === 0);
});

test('a connection beyond the limit is closed, and the others go on', async (t) => {
  const { port, path, content, server } = await startServer(t, { connectionsMax: 1 });
  const connected = once(server, 'connection');
  const first = connect(port, '127.0.0.1');
  await connected;
  await t.throwsAsync(ask(port, path));
  first.write(`GET ${path} HTTP/1.0\r\n\r\n`);
  let received = Buffer.alloc(0);
  for await (const chunk of first) received = Buffer.concat([received, chunk]);
  t.true(received.subarray(received.indexOf('\r\n\r\n') + 4).equals(content));
});

test('an image whose content was lost or cut short by other hands is 500 and never served in part', async (t) => {
  const { lines, logger } = recorder();
  const { port, path, library, image } = await startServer(t, { logger });
  await truncate(library.contentPath(image), 10);
  t.is((await ask(port, path)).status, 500);
  await rm(library.contentPath(image));
  t.is((await ask(port, path)).status, 500);
  t.deepEqual(
    lines.map(({ event }) => event),
    ['files.content-damaged', 'files.content-damaged'],
  );
});

test('a library that fails is 500 with a log event', async (t) => {
  const { lines, logger } = recorder();
  const library = {
    get: () => Promise.reject(new Error('store closed')),
    contentPath: () => '',
  };
  const { port, path } = await startServer(t, { library, logger });
  t.is((await ask(port, path)).status, 500);
  t.deepEqual(
    lines.map(({ event }) => event),
    ['files.failed'],
  );
});

test('an image removed while it is downloaded still arrives whole', async (t) => {
  const { port, path, content, library } = await startServer(t, { content: randomContent(16 * MEBIBYTE) });
  const socket = await startDownload(port, path);
  t.true(await library.remove('a.bin'));
  let receivedBytes = 0;
  let headBytes = -1;
  for await (const chunk of socket) {
    if (headBytes < 0) headBytes = chunk.indexOf('\r\n\r\n') + 4;
    receivedBytes += chunk.length;
    if (receivedBytes - headBytes >= content.length) break;
  }
  t.is(receivedBytes - headBytes, content.length);
  t.is((await ask(port, path)).status, 404);
});

test('close lets a download end, and cuts off one that outlasts the grace', async (t) => {
  const patient = await startServer(t, { content: randomContent(8 * MEBIBYTE) });
  const download = ask(patient.port, patient.path);
  await once(patient.server, 'test:started');
  await patient.close(30_000);
  t.is((await download).body.length, patient.content.length);
  const hasty = await startServer(t, { content: randomContent(32 * MEBIBYTE) });
  const socket = await startDownload(hasty.port, hasty.path);
  const ended = once(hasty.server, 'test:ended');
  await hasty.close(0);
  t.like((await ended)[0], { outcome: 'aborted' });
  socket.destroy();
});

async function until(condition: () => boolean): Promise<void> {
  const deadlineMs = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > deadlineMs) throw new Error('the condition did not come true');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
