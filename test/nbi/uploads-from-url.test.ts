import http from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { randomContent, sha256Of } from '../firmware/support.js';
import { BY } from '../support/actor.js';
import { until } from '../support/ferry.js';
import { startNbi, type TestNbi } from './support.js';
import { startWithTwo } from './two-organizations.js';

const LOOPBACK = ['127.0.0.0/8'];

type Details = Readonly<Record<string, unknown>>;

/** A server of files that answers as it is told; how often it was asked, and for what. */
async function serverOf(t: ExecutionContext, answer: http.RequestListener) {
  const asked: http.IncomingHttpHeaders[] = [];
  const server = http.createServer((request, response) => {
    asked.push(request.headers);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/fw.bin`, port, asked };
}

/** Serves ranges of a file that has an ETag, and breaks off after so many bytes of each answer. */
function serving(content: Buffer, breaksAfterBytes = Number.POSITIVE_INFINITY, etag: string | null = '"1"') {
  return (request: http.IncomingMessage, response: http.ServerResponse) => {
    const [, from = '0'] = /^bytes=(\d+)-$/.exec(request.headers.range ?? '') ?? [];
    const isRest = etag !== null && request.headers['if-range'] === etag && from !== '0';
    const rest = isRest ? content.subarray(Number(from)) : content;
    response.writeHead(isRest ? 206 : 200, {
      'Content-Length': rest.length,
      ...(etag !== null && { ETag: etag }),
      ...(isRest && { 'Content-Range': `bytes ${from}-${content.length - 1}/${content.length}` }),
    });
    if (rest.length <= breaksAfterBytes) response.end(rest);
    else response.write(rest.subarray(0, breaksAfterBytes), () => response.destroy());
  };
}

async function fetching(
  t: ExecutionContext,
  { call }: Pick<TestNbi, 'call'>,
  json: Details,
): Promise<string> {
  const reply = await call('/v1/uploads', { method: 'POST', json });
  t.is(reply.status, 201, JSON.stringify(reply.body));
  return String((reply.body as { readonly details: Details }).details['id']);
}

async function shown({ call }: Pick<TestNbi, 'call'>, id: string): Promise<Details> {
  return ((await call(`/v1/uploads/${id}`)).body as { readonly details: Details }).details;
}

function ended(nbi: Pick<TestNbi, 'call'>, id: string): Promise<Details> {
  return until(`the upload ${id} has ended`, async () => {
    const upload = await shown(nbi, id);
    return 'ended' in upload && upload;
  });
}

test('an image is fetched in the background, and shown meanwhile as any upload', async (t) => {
  const nbi = await startNbi(t, { imageSources: LOOPBACK });
  const content = randomContent(300_000);
  const { url } = await serverOf(t, serving(content));
  const id = await fetching(t, nbi, {
    name: 'fw.bin',
    url,
    softwareVersion: '2.0',
    sha256: sha256Of(content),
  });
  t.like(await shown(nbi, id), { name: 'fw.bin', url, resumable: false });
  t.like(await ended(nbi, id), { state: 'valid', image: 'fw.bin', receivedBytes: content.length });
  t.deepEqual((await nbi.call('/v1/images/fw.bin/content')).body, content);
});

test('a fetch that breaks off is tried again for the rest of the same file', async (t) => {
  const nbi = await startNbi(t, { imageSources: LOOPBACK });
  const content = randomContent(400_000);
  const { url, asked } = await serverOf(t, serving(content, 150_000));
  const id = await fetching(t, nbi, { name: 'fw.bin', url });
  t.like(await ended(nbi, id), { state: 'valid' });
  t.deepEqual((await nbi.call('/v1/images/fw.bin/content')).body, content);
  t.is(asked[0]?.range, undefined);
  t.true(asked.slice(1).every((headers) => headers['if-range'] === '"1"'));
});

test('what nothing tells from another file is fetched anew, and so is what is another file', async (t) => {
  const nbi = await startNbi(t, { imageSources: LOOPBACK });
  const [first, second] = [randomContent(200_000), randomContent(200_000)];
  let answers = 0;
  const { url } = await serverOf(t, (request, response) => {
    const isFirst = ++answers === 1;
    serving(isFirst ? first : second, isFirst ? 100_000 : undefined, null)(request, response);
  });
  const id = await fetching(t, nbi, { name: 'fw.bin', url });
  t.like(await ended(nbi, id), { state: 'valid' });
  t.deepEqual((await nbi.call('/v1/images/fw.bin/content')).body, second);

  const begun: http.ServerResponse[] = [];
  const other = await serverOf(t, (request, response) => {
    if (begun.push(response) > 1) return serving(second, undefined, '"2"')(request, response);
    response.writeHead(200, { 'Content-Length': first.length, ETag: '"1"' });
    // Little by little: some of it is to be there before it breaks off, however fast this machine is.
    let sentBytes = 0;
    const sending = setInterval(() => {
      response.write(first.subarray(sentBytes, sentBytes + 100));
      sentBytes += 100;
    }, 20);
    response.once('close', () => clearInterval(sending));
  });
  const changed = await fetching(t, nbi, { name: 'other.bin', url: other.url });
  await until('some of it is there', async () => Number((await shown(nbi, changed))['receivedBytes']) > 0);
  begun[0]?.destroy();
  t.like(await ended(nbi, changed), { state: 'upload-error', reason: { code: 'changed' } });
});

test('what never comes whole ends with its reason, after four tries', async (t) => {
  const nbi = await startNbi(t, { imageSources: LOOPBACK });
  const { url, asked } = await serverOf(t, (_, response) => response.writeHead(503).end());
  const id = await fetching(t, nbi, { name: 'fw.bin', url });
  const upload = await ended(nbi, id);
  t.like(upload, { state: 'upload-error', reason: { code: 'unavailable' } });
  t.regex(JSON.stringify(upload['reason']), /HTTP 503/);
  t.is(asked.length, 4);
});

test('a server that would go on in another protocol is as one that does not answer', async (t) => {
  const nbi = await startNbi(t, { imageSources: LOOPBACK });
  const { url } = await serverOf(t, ({ socket }) => {
    socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n');
  });
  const id = await fetching(t, nbi, { name: 'fw.bin', url });
  t.like(await ended(nbi, id), { state: 'upload-error', reason: { code: 'unavailable' } });
});

for (const [what, answer, reason] of [
  ['404', (_, response) => response.writeHead(404).end(), /HTTP 404/],
  ['no length', (_, response) => response.writeHead(200).end('x'), /Content-Length/],
  [
    'a compressed body',
    (_, response) => response.writeHead(200, { 'Content-Encoding': 'gzip', 'Content-Length': 1 }).end('x'),
    /as gzip/,
  ],
  [
    'more than an image may have',
    (_, response) => response.writeHead(200, { 'Content-Length': 2 * 1024 * 1024 }).end(),
    /at most/,
  ],
  [
    'nothing at all',
    (_, response) => response.writeHead(200, { 'Content-Length': 0 }).end(),
    /at least one byte/,
  ],
  [
    'itself again and again',
    (_, response) => response.writeHead(302, { Location: '/fw.bin' }).end(),
    /more than 5/,
  ],
] as const satisfies readonly (readonly [string, http.RequestListener, RegExp])[]) {
  test(`what is answered so is not asked for again: ${what}`, async (t) => {
    const nbi = await startNbi(t, { imageSources: LOOPBACK });
    const { url } = await serverOf(t, answer);
    const upload = await ended(nbi, await fetching(t, nbi, { name: 'fw.bin', url }));
    t.is(upload['state'], 'upload-error');
    t.regex(JSON.stringify(upload['reason']), reason);
    t.is((await nbi.call('/v1/images/fw.bin')).status, 404);
  });
}

test('a checksum that is given is held to, whatever the server sends', async (t) => {
  const nbi = await startNbi(t, { imageSources: LOOPBACK });
  const { url } = await serverOf(t, serving(randomContent(1_000)));
  const id = await fetching(t, nbi, { name: 'fw.bin', url, sha256: '0'.repeat(64) });
  t.like(await ended(nbi, id), { state: 'invalid', reason: { code: 'checksum-mismatch' } });
});

test('what the build refuses that it is to stand in is not asked for again', async (t) => {
  const nbi = await startNbi(t, { imageSources: LOOPBACK });
  const { builds } = nbi.images;
  await builds.categories.add({ name: 'Gateways' }, BY, null);
  const { id: build } = await builds.add({ category: 'Gateways', version: '1' }, BY, null);
  const serve = serving(randomContent(1_000));
  const { url, asked } = await serverOf(t, async (request, response) => {
    await builds.remove(build, BY, null);
    serve(request, response);
  });
  const id = await fetching(t, nbi, { name: 'fw.bin', url, build, type: 'HGW' });
  t.like(await ended(nbi, id), { state: 'invalid', reason: { code: 'not-found' } });
  t.is(asked.length, 1);
});

test('only permitted addresses are asked, also where a redirect leads', async (t) => {
  const closed = await startNbi(t);
  const off = await closed.call('/v1/uploads', {
    method: 'POST',
    json: { name: 'a.bin', url: 'http://127.0.0.1/x' },
  });
  t.is(off.status, 400);
  t.regex(JSON.stringify(off.body), /--image-sources/);

  const nbi = await startNbi(t, { imageSources: ['127.0.0.1'] });
  const target = await serverOf(t, serving(randomContent(10)));
  const { url } = await serverOf(t, (_, response) =>
    response.writeHead(302, { Location: `http://127.0.0.2:${target.port}/fw.bin` }).end(),
  );
  t.like(await ended(nbi, await fetching(t, nbi, { name: 'a.bin', url })), {
    state: 'upload-error',
    reason: { code: 'refused-address' },
  });
  t.is(target.asked.length, 0);
  for (const wrong of ['ftp://127.0.0.1/x', 'http://user:word@127.0.0.1/x', 'fw.bin']) {
    const reply = await nbi.call('/v1/uploads', { method: 'POST', json: { name: 'a.bin', url: wrong } });
    t.is(reply.status, 400, wrong);
  }
});

test('a fetch is cancelled while it waits for more', async (t) => {
  const nbi = await startNbi(t, { imageSources: LOOPBACK });
  const { url } = await serverOf(t, (_, response) => {
    response.writeHead(200, { 'Content-Length': 1_000 });
    response.write('the beginning');
  });
  const id = await fetching(t, nbi, { name: 'fw.bin', url });
  await until('it is under way', async () => (await shown(nbi, id))['sizeBytes'] === 1_000);
  t.is((await nbi.call(`/v1/uploads/${id}`, { method: 'DELETE' })).status, 200);
  t.like(await ended(nbi, id), { state: 'cancelled' });
});

test('an organization fetches for itself', async (t) => {
  const nbi = await startWithTwo(t, { imageSources: LOOPBACK });
  const { url } = await serverOf(t, serving(randomContent(1_000)));
  const as = nbi.as.north.operator;
  const reply = await nbi.call('/v1/uploads', { method: 'POST', json: { name: 'n.bin', url }, as });
  const { id } = (reply.body as { readonly details: { readonly id: string } }).details;
  await ended({ call: (path, options = {}) => nbi.call(path, { ...options, as }) }, id);
  t.is((await nbi.call('/v1/images/n.bin', { as })).status, 200);
  t.is((await nbi.call('/v1/images/n.bin', { as: nbi.as.south.operator })).status, 404);
  t.is((await nbi.call(`/v1/uploads/${id}`, { as: nbi.as.south.operator })).status, 404);
});
