import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { connect } from 'node:net';
import test from 'ava';
import { createSecrets, silentLogger } from '../../common/index.js';
import { issueFileToken } from '../../firmware/file-token.js';
import { createFileServer, type FileAuth, imageIdIn } from '../../firmware/index.js';
import { BY } from '../support/actor.js';
import { expiresAtMs, nowMs, recorder, secrets, startDownload, startServer } from './serving.js';
import { defineServingTests } from './serving-conformance.js';
import {
  ask,
  listen,
  MEBIBYTE,
  NORTH,
  openTestLibrary,
  randomContent,
  SOUTH,
  sha256Of,
  uploadOf,
} from './support.js';

defineServingTests('from disk', openTestLibrary);

const basic: FileAuth = { kind: 'credentials', username: 'cpe', password: 's3cret:ö' };
const authorization = `Basic ${Buffer.from('cpe:s3cret:ö').toString('base64')}`;

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

test('a token URL gives the whole image with the headers a CPE needs', async (t) => {
  const { port, path, content, image, events, server } = await startServer(t, openTestLibrary);
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

test('no more than 32 KiB of a file are read at a time, so that little is held for whoever takes nothing', async (t) => {
  const { opened, image } = await startServer(t, openTestLibrary, { content: randomContent(100_000) });
  const content = await opened.contents.open(`content/${image.contentFile}`, image.sizeBytes);
  const lengths: number[] = [];
  for await (const piece of content?.read({ start: 0, end: image.sizeBytes - 1 }) ?? []) {
    lengths.push((piece as Buffer).length);
  }
  t.deepEqual(lengths, [32_768, 32_768, 32_768, 1_696]);
});

test('HEAD says what GET would, without the content', async (t) => {
  const { port, path, events } = await startServer(t, openTestLibrary);
  const [head, get] = [await ask(port, path, { method: 'HEAD' }), await ask(port, path)];
  t.is(head.status, 200);
  t.is(head.body.length, 0);
  const { date: _headDate, ...headHeaders } = head.headers;
  const { date: _getDate, ...getHeaders } = get.headers;
  t.deepEqual(headHeaders, getHeaders);
  t.is(events.filter((event) => event.kind === 'started').length, 1);
});

test('several ranges, or what is no range, are answered with the whole image', async (t) => {
  const { port, path, content } = await startServer(t, openTestLibrary);
  for (const range of ['bytes=0-1,500-600', 'bytes=x-y', 'lines=1-2']) {
    const answer = await ask(port, path, { headers: { Range: range } });
    t.is(answer.status, 200, range);
    t.true(answer.body.equals(content));
  }
});

test('preconditions are held: 304 for the same ETag, 412 for another', async (t) => {
  const { port, path, image } = await startServer(t, openTestLibrary);
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
  const { port, path, library, events } = await startServer(t, openTestLibrary, {
    now: () => clockMs,
    logger,
  });
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

test('a token is for the content it was made for: what was put in its place meanwhile is not had by it, whole or in part', async (t) => {
  const { lines, logger } = recorder();
  const { port, path, library, content } = await startServer(t, openTestLibrary, { logger });
  const replace = async (by: Buffer) => {
    await library.remove('a.bin', BY);
    return (await library.upload(uploadOf('a.bin', by))).image;
  };
  t.is((await ask(port, path)).status, 200);
  const image = await replace(randomContent(100_000));
  t.is((await ask(port, path)).status, 404);
  t.is((await ask(port, path, { headers: { Range: 'bytes=5-9' } })).status, 404);
  t.deepEqual(
    lines.map(({ event }) => event),
    ['files.content-replaced', 'files.content-replaced'],
  );
  t.is((await ask(port, `/t/${issueFileToken(secrets, image, expiresAtMs)}/a.bin`)).status, 200);
  await replace(content);
  t.is((await ask(port, path)).status, 200, 'the very content is there again');
});

test('a token outlives the server that was there when it was made', async (t) => {
  const first = await startServer(t, openTestLibrary);
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
  const { port, content, path } = await startServer(t, openTestLibrary, { auth: basic });
  const right = await ask(port, '/files/a.bin', { headers: { Authorization: authorization } });
  t.is(right.status, 200);
  t.true(right.body.equals(content));
  const wrong = ['', 'Basic', 'Basic !!!', `Bearer ${authorization.slice(6)}`, authorization.slice(0, -4)];
  for (const header of wrong) {
    const refused = await ask(port, '/files/a.bin', { headers: { Authorization: header } });
    t.is(refused.status, 401, header);
    t.regex(refused.headers['www-authenticate'] ?? '', /^Digest .+, Basic realm="Ferry", charset="UTF-8"$/);
  }
  t.is((await ask(port, '/files/a.bin')).status, 401);
  t.is((await ask(port, '/files/none.bin')).status, 401);
  t.is((await ask(port, path)).status, 200);
});

test('without configured credentials there is no /files', async (t) => {
  const { port } = await startServer(t, openTestLibrary);
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
    const { port } = await startServer(t, openTestLibrary, { auth: basic });
    const answer = await ask(port, path, { headers: { Authorization: authorization } });
    t.is(answer.status, 404);
    t.is(answer.headers.location, undefined);
    t.is(answer.headers['content-length'], String(answer.body.length));
  });
}

test('a request head beyond the limit is 431 and the next CPE is served', async (t) => {
  const { port, path } = await startServer(t, openTestLibrary);
  t.is((await ask(port, `/files/${'a'.repeat(20_000)}`)).status, 431);
  t.is((await ask(port, path)).status, 200);
});

test('other methods are 405 and say which are allowed', async (t) => {
  const { port, path } = await startServer(t, openTestLibrary);
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
    const answer = await ask(port, path, { method });
    t.is(answer.status, 405);
    t.is(answer.headers.allow, 'GET, HEAD');
  }
});

test('a percent-encoded name, a query and the absolute form are understood', async (t) => {
  const { port, path } = await startServer(t, openTestLibrary);
  for (const form of [path.replace('a.bin', '%61%2Ebin'), `${path}?x=1`, `http://other:80${path}`]) {
    t.is((await ask(port, form)).status, 200, form);
  }
});

test('a path in the public URL may stand in front, or be taken off by a proxy', async (t) => {
  const { port, path } = await startServer(t, openTestLibrary, { publicUrl: 'https://h/fw/v1' });
  t.is((await ask(port, `/fw/v1${path}`)).status, 200);
  t.is((await ask(port, path)).status, 200);
  t.is((await ask(port, `/fw${path}`)).status, 404);
});

test('20 downloads at once all arrive whole', async (t) => {
  const { port, path, content } = await startServer(t, openTestLibrary, {
    content: randomContent(2 * MEBIBYTE),
  });
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(port, path)));
  for (const { body } of answers) t.is(sha256Of(body), sha256Of(content));
});

test('a client that goes away in the middle frees its file', async (t) => {
  const { port, path, opened, server } = await startServer(t, openTestLibrary, {
    content: randomContent(32 * MEBIBYTE),
  });
  const socket = await startDownload(port, path);
  t.is(openFiles(opened.directory).length, 1);
  const ended = once(server, 'test:ended');
  socket.destroy();
  t.like((await ended)[0], { outcome: 'aborted' });
  await until(() => openFiles(opened.directory).length === 0);
  t.pass();
});

test('a client that takes nothing for too long is cut off', async (t) => {
  const started = await startServer(t, openTestLibrary, {
    content: randomContent(32 * MEBIBYTE),
    idleMsMax: 100,
  });
  const ended = once(started.server, 'test:ended');
  const socket = await startDownload(started.port, started.path);
  t.like((await ended)[0], { outcome: 'aborted' });
  socket.destroy();
  await until(() => openFiles(started.opened.directory).length === 0);
});

test('a connection beyond the limit is closed, and the others go on', async (t) => {
  const { port, path, content, server } = await startServer(t, openTestLibrary, {
    connections: { inAllMax: 1, isShared: () => false },
  });
  const connected = once(server, 'connection');
  const first = connect(port, '127.0.0.1');
  await connected;
  await t.throwsAsync(ask(port, path));
  first.write(`GET ${path} HTTP/1.0\r\n\r\n`);
  let received = Buffer.alloc(0);
  for await (const chunk of first) received = Buffer.concat([received, chunk]);
  t.true(received.subarray(received.indexOf('\r\n\r\n') + 4).equals(content));
});

test('a library that fails is 500 with a log event', async (t) => {
  const { lines, logger } = recorder();
  const library = {
    byId: () => Promise.reject(new Error('store closed')),
    open: () => Promise.resolve(null),
  };
  const { port, path } = await startServer(t, openTestLibrary, { library, logger });
  t.is((await ask(port, path)).status, 500);
  t.deepEqual(
    lines.map(({ event }) => event),
    ['files.failed'],
  );
});

test('close lets a download end, and cuts off one that outlasts the grace', async (t) => {
  const patient = await startServer(t, openTestLibrary, { content: randomContent(8 * MEBIBYTE) });
  const download = ask(patient.port, patient.path);
  await once(patient.server, 'test:started');
  await patient.close(30_000);
  t.is((await download).body.length, patient.content.length);
  const hasty = await startServer(t, openTestLibrary, { content: randomContent(32 * MEBIBYTE) });
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

test('an image of an organization is had by its own token only; whose another is, or that there is none, no answer tells', async (t) => {
  const { port, library, content } = await startServer(t, openTestLibrary);
  const own = randomContent(5_000);
  const { image } = await library.upload(uploadOf('a.bin', own, { organization: NORTH }));
  const token = issueFileToken(secrets, image, expiresAtMs);
  const shared = issueFileToken(secrets, { id: 'a.bin', sha256: sha256Of(content) }, expiresAtMs);
  const foreign = issueFileToken(secrets, { id: `${NORTH}/a.bin`, sha256: image.sha256 }, expiresAtMs);
  const answer = await ask(port, `/t/${token}/${NORTH}/a.bin`);
  t.is(answer.status, 200);
  t.true(answer.body.equals(own));
  t.true((await ask(port, `/t/${shared}/a.bin`)).body.equals(content));
  const told = ({ status, headers, body }: Awaited<ReturnType<typeof ask>>) => {
    const { date: _, ...others } = headers;
    return { status, headers: others, body: body.toString() };
  };
  const forged = told(await ask(port, `/t/${token}/${SOUTH}/none.bin`));
  t.is(forged.status, 403);
  for (const path of [
    `/t/${token}/${SOUTH}/a.bin`,
    `/t/${token}/a.bin`,
    `/t/${shared}/${NORTH}/a.bin`,
    `/t/${foreign}/${NORTH}/a.bin`,
  ])
    t.deepEqual(told(await ask(port, path)), forged, path);
  const gone = issueFileToken(secrets, { ...image, id: imageIdIn(SOUTH, 'a.bin') }, expiresAtMs);
  t.is((await ask(port, `/t/${gone}/${SOUTH}/a.bin`)).status, 404);
  for (const path of [
    `/t/${token}/${NORTH.toUpperCase()}/a.bin`,
    `/t/${token}/x/a.bin`,
    `/t/${token}/${NORTH}//a.bin`,
    `/t/${token}/${NORTH}/%2e%2e`,
    `/t/${token}/${NORTH}%2Fa.bin`,
    `/t/${token}/${NORTH}/`,
  ])
    t.is((await ask(port, path)).status, 404, path);
});

test('with credentials an image of an organization lies below its id', async (t) => {
  const auth = { kind: 'credentials', username: 'cpe', password: 's3cret' } as const;
  const { port, library, content } = await startServer(t, openTestLibrary, { auth });
  const own = randomContent(5_000);
  await library.upload(uploadOf('a.bin', own, { organization: NORTH }));
  const headers = { Authorization: `Basic ${Buffer.from('cpe:s3cret').toString('base64')}` };
  t.true((await ask(port, `/files/${NORTH}/a.bin`, { headers })).body.equals(own));
  t.true((await ask(port, '/files/a.bin', { headers })).body.equals(content));
  t.is((await ask(port, `/files/${SOUTH}/a.bin`, { headers })).status, 404);
  t.is((await ask(port, `/files/${NORTH}/a.bin`)).status, 401);
});
