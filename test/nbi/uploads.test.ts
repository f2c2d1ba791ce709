import http from 'node:http';
import type { ExecutionContext } from 'ava';
import test from 'ava';
import { DAY_MS, HOUR_MS } from '../../common/index.js';
import { randomContent, sha256Of } from '../firmware/support.js';
import { until } from '../support/ferry.js';
import { OPERATOR, type Reply, startNbi, type TestNbi, VIEWER } from './support.js';
import { startWithTwo } from './two-organizations.js';

const UPLOADS = '/v1/uploads';

type Details = Readonly<Record<string, unknown>>;
const detailsOf = ({ body }: Reply) => (body as { readonly details: Details }).details;
const listOf = ({ body }: Reply) => (body as { readonly details: readonly Details[] }).details;
const problemOf = ({ body }: Reply) => (body as { readonly details: readonly Details[] }).details[0];

type Calling = Pick<TestNbi, 'call'>;

async function begin(t: ExecutionContext, nbi: Calling, json: Details, as?: string): Promise<string> {
  const reply = await nbi.call(UPLOADS, { method: 'POST', json, ...(as !== undefined && { as }) });
  t.is(reply.status, 201, JSON.stringify(reply.body));
  const { id } = detailsOf(reply);
  t.is(reply.headers.get('Location'), `${UPLOADS}/${String(id)}`);
  return String(id);
}

function put(nbi: Calling, id: string, range: string, body: Uint8Array = Buffer.alloc(0), as?: string) {
  const headers = { 'Content-Type': 'application/octet-stream', 'Content-Range': `bytes ${range}` };
  return nbi.call(`${UPLOADS}/${id}`, { method: 'PUT', headers, body, ...(as !== undefined && { as }) });
}

const show = async (nbi: Calling, id: string) => detailsOf(await nbi.call(`${UPLOADS}/${id}`));

/** Of a request: its answer may come before anybody asks for it. */
const statuses = new WeakMap<http.ClientRequest, Promise<number | undefined>>();

/** A request whose body goes on for as long as the test likes. */
function open(nbi: TestNbi, path: string, headers: Readonly<Record<string, string>>, as = OPERATOR) {
  const request = http.request(`${nbi.url}${path}`, {
    method: 'PUT',
    auth: as,
    agent: false,
    headers: { 'Content-Type': 'application/octet-stream', ...headers },
  });
  request.on('error', () => {});
  const status = new Promise<number | undefined>((resolve) => {
    request.once('response', (response) => {
      response.resume();
      resolve(response.statusCode);
    });
  });
  statuses.set(request, status);
  request.flushHeaders();
  return request;
}

async function statusOf(request: http.ClientRequest): Promise<number | undefined> {
  return statuses.get(request);
}

/** Sends the bytes of a part and breaks the connection once they are there. */
async function breakOff(nbi: TestNbi, id: string, content: Buffer, from: number, to: number): Promise<void> {
  const range = `bytes ${from}-${content.length - 1}/${content.length}`;
  const request = open(nbi, `${UPLOADS}/${id}`, { 'Content-Range': range });
  const closed = new Promise((resolve) => request.once('close', resolve));
  request.write(content.subarray(from, to), () => request.destroy());
  await closed;
}

test('an upload that breaks at random places goes on where it was, and becomes the very image', async (t) => {
  const nbi = await startNbi(t);
  for (let round = 0; round < 8; round++) {
    const content = randomContent(1 + Math.floor(Math.random() * 300_000));
    const name = `r${round}.bin`;
    const id = await begin(t, nbi, { name, sha256: sha256Of(content), softwareVersion: '2.0' });
    const cuts = Array.from({ length: 4 }, () => Math.floor(Math.random() * content.length)).sort(
      (one, other) => one - other,
    );
    let there = 0;
    for (const cut of cuts) {
      if (cut > there) await breakOff(nbi, id, content, there, cut);
      const { receivedBytes } = await show(nbi, id);
      t.true(Number(receivedBytes) >= there, `${cut} ${there}`);
      there = Number(receivedBytes);
    }
    // As long as the server has not seen it break it is busy; and what it sees late may still count.
    const last = await until('the rest is taken', async () => {
      const from = Number((await show(nbi, id))['receivedBytes']);
      const reply = await put(
        nbi,
        id,
        `${from}-${content.length - 1}/${content.length}`,
        content.subarray(from),
      );
      return reply.status !== 409 && reply;
    });
    t.is(last.status, 201, JSON.stringify(last.body));
    t.like(detailsOf(last), { name, sha256: sha256Of(content), softwareVersion: '2.0' });
    t.like(await show(nbi, id), { state: 'valid', image: name, receivedBytes: content.length });
    t.deepEqual((await nbi.call(`/v1/images/${name}/content`)).body, content);
  }
});

test('parts: bytes that are there are skipped, a gap is refused and told where to go on, what does not fit is refused', async (t) => {
  const nbi = await startNbi(t);
  const content = randomContent(1_000);
  const id = await begin(t, nbi, { name: 'p.bin' });
  t.like(await show(nbi, id), { state: 'uploading', receivedBytes: 0, resumable: true, name: 'p.bin' });
  t.is((await put(nbi, id, '0-399/1000', content.subarray(0, 400))).status, 202);
  const gap = await put(nbi, id, '500-999/1000', content.subarray(500));
  t.is(gap.status, 409);
  t.like(detailsOf(gap), { code: 'wrong-offset', receivedBytes: 400 });
  // Within what is there: nothing changes. Beyond it: the rest is taken.
  t.like(detailsOf(await put(nbi, id, '100-299/1000', randomContent(200))), { receivedBytes: 400 });
  t.like(detailsOf(await put(nbi, id, '300-599/1000', content.subarray(300, 600))), { receivedBytes: 600 });
  t.is((await put(nbi, id, '600-899/999', content.subarray(600, 900))).status, 400);
  t.is((await put(nbi, id, '600-899/1000', content.subarray(600, 899))).status, 400);
  t.is((await put(nbi, id, '600-599/1000', content.subarray(600))).status, 400);
  t.is((await put(nbi, id, '600-999/1000', content.subarray(600), VIEWER)).status, 403);
  t.is((await put(nbi, id, `0-2/${2 ** 31}`, content.subarray(0, 3))).status, 400);
  const done = await put(nbi, id, '600-999/1000', content.subarray(600));
  t.is(done.status, 201);
  t.like(detailsOf(done), { sha256: sha256Of(content) });
  t.like(problemOf(await put(nbi, id, '600-999/1000', content.subarray(600))), { code: 'ended' });
  t.is((await nbi.call(`${UPLOADS}/${id}`, { method: 'DELETE' })).status, 409);
  const large = await begin(t, nbi, { name: 'large.bin' });
  t.is((await put(nbi, large, `0-0/${2 ** 31}`, content.subarray(0, 1))).status, 413);
  t.is((await nbi.call(UPLOADS, { method: 'POST', json: { name: 'l', sizeBytes: 2 ** 31 } })).status, 413);
  t.is((await nbi.call(UPLOADS, { method: 'POST', json: { name: 'p.bin', sizeBytes: 5 } })).status, 409);
  t.is((await nbi.call(UPLOADS, { method: 'POST', json: { name: 'x', nmae: 'y' } })).status, 400);
});

test('a part with fewer bytes than its range keeps what came, and one with more keeps to its range', async (t) => {
  const nbi = await startNbi(t);
  const content = randomContent(1_000);
  for (const [index, length] of [300, 700].entries()) {
    const id = await begin(t, nbi, { name: `c${index}.bin` });
    const request = open(nbi, `${UPLOADS}/${id}`, {
      'Content-Range': 'bytes 0-499/1000',
      'Transfer-Encoding': 'chunked',
    });
    request.end(content.subarray(0, length));
    t.is(await statusOf(request), 400);
    const there = Number((await show(nbi, id))['receivedBytes']);
    t.true(length === 300 ? there === 300 : there <= 500, String(there));
    t.is((await put(nbi, id, `${there}-999/1000`, content.subarray(there))).status, 201);
    t.deepEqual((await nbi.call(`/v1/images/c${index}.bin/content`)).body, content);
  }
});

test('of two requests for one upload at once one has it, the other is told that it is busy', async (t) => {
  const nbi = await startNbi(t);
  const content = randomContent(1_000);
  const id = await begin(t, nbi, { name: 'two.bin', sizeBytes: 1_000 });
  const first = open(nbi, `${UPLOADS}/${id}`, { 'Content-Range': 'bytes 0-999/1000' });
  first.write(content.subarray(0, 500));
  await until('one has it', async () => (await put(nbi, id, '*/1000')).status === 409);
  const second = await put(nbi, id, '0-999/1000', content);
  t.is(second.status, 409);
  t.truthy(second.headers.get('Retry-After'));
  t.like(problemOf(second), { code: 'busy' });
  first.end(content.subarray(500));
  t.is(await statusOf(first), 201);
  const another = await begin(t, nbi, { name: 'race.bin', sizeBytes: 1_000 });
  const both = await Promise.all([1, 2].map(() => put(nbi, another, '0-999/1000', content)));
  t.deepEqual(both.map(({ status }) => status).sort(), [201, 409]);
});

test('content that does not hash to what was said is invalid, with the reason, and leaves nothing', async (t) => {
  const nbi = await startNbi(t);
  const content = randomContent(100);
  const id = await begin(t, nbi, { name: 'wrong.bin', sha256: '0'.repeat(64) });
  const reply = await put(nbi, id, '0-99/100', content);
  t.is(reply.status, 400);
  t.like(problemOf(reply), { code: 'checksum-mismatch' });
  t.like(await show(nbi, id), { state: 'invalid', reason: { code: 'checksum-mismatch' } });
  t.is((await nbi.call('/v1/images/wrong.bin')).status, 404);
  const whole = await nbi.call(`/v1/images/w.bin?sha256=${'0'.repeat(64)}`, {
    method: 'PUT',
    body: content,
    headers: { 'Content-Type': 'application/octet-stream' },
  });
  t.is(whole.status, 400);
  const [latest] = listOf(await nbi.call(UPLOADS));
  t.like(latest, { state: 'invalid', name: 'w.bin', resumable: false });
});

test('a plain upload shows while it runs, and is cancelled: nothing is left of it', async (t) => {
  const nbi = await startNbi(t);
  const request = open(nbi, '/v1/images/plain.bin', { 'Transfer-Encoding': 'chunked' });
  request.write(randomContent(1_000));
  await until('it shows', async () => listOf(await nbi.call(UPLOADS)).length === 1);
  const [shown] = listOf(await nbi.call(UPLOADS));
  t.like(shown, { state: 'uploading', name: 'plain.bin', resumable: false, uploadedBy: 'api' });
  const path = `${UPLOADS}/${String(shown?.['id'])}`;
  t.is((await put(nbi, String(shown?.['id']), '0-0/1', Buffer.of(1))).status, 409);
  t.is((await nbi.call(path, { method: 'DELETE', as: VIEWER })).status, 403);
  t.like(detailsOf(await nbi.call(path, { method: 'DELETE' })), { state: 'cancelled' });
  request.end();
  t.is(await statusOf(request), 409);
  t.is((await nbi.call('/v1/images/plain.bin')).status, 404);
  const ended = await nbi.call('/v1/images/plain.bin', {
    method: 'PUT',
    body: randomContent(10),
    headers: { 'Content-Type': 'application/octet-stream' },
  });
  t.is(ended.status, 201);
  t.deepEqual(
    listOf(await nbi.call(UPLOADS)).map(({ state }) => state),
    ['valid', 'cancelled'],
  );
  const page = await nbi.call(`${UPLOADS}?limit=1`);
  t.regex(page.headers.get('Link') ?? '', /after=.*rel="next"/);
  const next = await nbi.call(`${UPLOADS}?limit=1&after=${page.headers.get('X-Next-After')}`);
  t.deepEqual(
    listOf(next).map(({ state }) => state),
    ['cancelled'],
  );
});

test('an upload in parts is cancelled while a part comes, and while none does', async (t) => {
  const nbi = await startNbi(t);
  const id = await begin(t, nbi, { name: 'c.bin', sizeBytes: 1_000 });
  const request = open(nbi, `${UPLOADS}/${id}`, { 'Content-Range': 'bytes 0-999/1000' });
  request.write(randomContent(500));
  await until('it has it', async () => (await put(nbi, id, '*/1000')).status === 409);
  t.is((await nbi.call(`${UPLOADS}/${id}`, { method: 'DELETE' })).status, 200);
  request.end(randomContent(500));
  t.is(await statusOf(request), 409);
  t.like(await show(nbi, id), { state: 'cancelled' });
  const other = await begin(t, nbi, { name: 'c.bin' });
  await put(nbi, other, '0-9/100', randomContent(10));
  t.is((await nbi.call(`${UPLOADS}/${other}`, { method: 'DELETE' })).status, 200);
  t.like(problemOf(await put(nbi, other, '10-99/100', randomContent(90))), { code: 'cancelled' });
  t.is((await nbi.call('/v1/images/c.bin')).status, 404);
});

test('that an upload in parts was begun and cancelled is noted, and the image that one becomes, with whose they are', async (t) => {
  const nbi = await startWithTwo(t);
  const { north } = nbi.as;
  const id = await begin(t, nbi, { name: 'n.bin' }, north.operator);
  const gone = await begin(t, nbi, { name: 'g.bin' }, north.operator);
  await nbi.call(`${UPLOADS}/${gone}`, { method: 'DELETE', as: north.operator });
  await put(nbi, id, '0-0/1', Buffer.of(1), north.operator);
  const noted: string[] = [];
  for await (const event of nbi.events.scan({ organization: nbi.north.id, order: 'ascending' }))
    if (event.by?.name === 'operator@north' && event.subject !== 'log-in')
      noted.push(`${event.subject} ${event.action} ${event.subjectId}`);
  t.deepEqual(noted, [
    `upload added ${id}`,
    `upload added ${gone}`,
    `upload cancelled ${gone}`,
    'image added n.bin',
  ]);
});

test('another organization’s upload is answered as none, and is in no list of others; the installation sees all', async (t) => {
  const nbi = await startWithTwo(t);
  const { north, south, installation } = nbi.as;
  const id = await begin(t, nbi, { name: 'n.bin' }, north.operator);
  const own = await begin(t, nbi, { name: 'i.bin' }, installation.operator);
  const none = '000000000000000-0000000000000000';
  for (const each of [id, own]) {
    for (const method of ['GET', 'DELETE'] as const) {
      const [theirs, nobodys] = await Promise.all(
        [each, none].map((one) => nbi.call(`${UPLOADS}/${one}`, { method, as: south.operator })),
      );
      t.deepEqual(theirs?.body, nobodys?.body);
      t.is(theirs?.status, 404);
    }
    t.is((await put(nbi, each, '0-0/1', Buffer.of(1), south.operator)).status, 404);
  }
  const names = async (as: string, query = '') =>
    listOf(await nbi.call(`${UPLOADS}${query}`, { as })).map(({ name, organization }) => [
      name,
      organization,
    ]);
  t.deepEqual(await names(south.viewer), []);
  t.deepEqual(await names(north.viewer), [['n.bin', undefined]]);
  t.deepEqual(await names(installation.viewer), [
    ['i.bin', undefined],
    ['n.bin', 'north'],
  ]);
  t.deepEqual(await names(installation.viewer, '?organization=north'), [['n.bin', 'north']]);
  t.is((await put(nbi, id, '0-0/1', Buffer.of(1), north.operator)).status, 201);
  t.is((await nbi.call('/v1/images/n.bin', { as: south.viewer })).status, 404);
  t.is((await nbi.call('/v1/images/n.bin', { as: north.viewer })).status, 200);
});

test('a user has two requests with content at a time, and four uploads that have not ended', async (t) => {
  const nbi = await startNbi(t, { limits: { waitSecondsMax: 0 } });
  const content = randomContent(10);
  const chunked = { 'Transfer-Encoding': 'chunked' };
  const running = [1, 2].map((index) => open(nbi, `/v1/images/${index}.bin`, chunked));
  for (const request of running) request.write(content);
  await until('both run', async () => listOf(await nbi.call(UPLOADS)).length === 2);
  const third = await nbi.call('/v1/images/3.bin', {
    method: 'PUT',
    body: content,
    headers: { 'Content-Type': 'application/octet-stream' },
  });
  t.is(third.status, 429);
  t.truthy(third.headers.get('Retry-After'));
  const begun = await begin(t, nbi, { name: '4.bin' });
  t.is((await put(nbi, begun, '0-9/10', content)).status, 429);
  for (const request of running) request.end();
  t.deepEqual(await Promise.all(running.map(statusOf)), [201, 201]);
  t.is((await put(nbi, begun, '0-9/10', content)).status, 201);
  for (let index = 0; index < 4; index++) await begin(t, nbi, { name: `o${index}.bin` });
  const more = await nbi.call(UPLOADS, { method: 'POST', json: { name: 'o4.bin' } });
  t.is(more.status, 429);
  t.truthy(more.headers.get('Retry-After'));
});

const KIB = 1_024;

test('an upload that passes the quota of its organization half-way ends there with 507, and leaves nothing', async (t) => {
  const nbi = await startWithTwo(t, { organizationImageBytesMax: 1_000 * KIB });
  const { north, south, installation } = nbi.as;
  const upload = (as: string, name: string, bytes: number) =>
    nbi.call(`/v1/images/${name}`, {
      method: 'PUT',
      body: randomContent(bytes),
      headers: { 'Content-Type': 'application/octet-stream' },
      as,
    });
  t.is((await upload(north.operator, 'a.bin', 600 * KIB)).status, 201);
  const refused = await upload(north.operator, 'b.bin', 500 * KIB);
  t.is(refused.status, 507);
  t.like(problemOf(refused), { code: 'no-space' });
  const request = open(nbi, '/v1/images/c.bin', { 'Transfer-Encoding': 'chunked' }, north.operator);
  request.write(randomContent(300 * KIB));
  await until('the first half is there', async () => {
    const [latest] = listOf(await nbi.call(UPLOADS, { as: north.viewer }));
    return latest?.['name'] === 'c.bin';
  });
  const answered = statusOf(request);
  request.write(randomContent(200 * KIB));
  t.is(await answered, 507);
  request.destroy();
  const [latest] = listOf(await nbi.call(UPLOADS, { as: north.viewer }));
  t.like(latest, { name: 'c.bin', state: 'upload-error', reason: { code: 'no-space' } });
  t.is((await nbi.call('/v1/images/c.bin', { as: north.viewer })).status, 404);
  // What is reserved counts, and is given back.
  const reserved = await begin(t, nbi, { name: 'd.bin', sizeBytes: 400 * KIB }, north.operator);
  t.is((await upload(north.operator, 'e.bin', 1)).status, 507);
  t.is((await nbi.call(`${UPLOADS}/${reserved}`, { method: 'DELETE', as: north.operator })).status, 200);
  t.is((await upload(north.operator, 'e.bin', 400 * KIB)).status, 201);
  t.is((await upload(north.operator, 'f.bin', 1)).status, 507);
  t.is((await nbi.call('/v1/images/a.bin', { method: 'DELETE', as: north.operator })).status, 200);
  t.is((await upload(north.operator, 'f.bin', 600 * KIB)).status, 201);
  // Others have their own, and the installation none.
  t.is((await upload(south.operator, 'a.bin', 1_000 * KIB)).status, 201);
  t.is((await upload(installation.operator, 'a.bin', 1_000 * KIB)).status, 201);
  t.is((await upload(installation.operator, 'b.bin', 1_000 * KIB)).status, 201);
});

test('what nothing came of for a day is given up, what ended is forgotten a day later', async (t) => {
  let nowMs = Date.now();
  const nbi = await startNbi(t, { clock: () => nowMs });
  const id = await begin(t, nbi, { name: 'slow.bin' });
  await put(nbi, id, '0-9/20', randomContent(10));
  nowMs += 23 * HOUR_MS;
  await nbi.uploads.cleanUp();
  await nbi.images.cleanUp();
  t.like(detailsOf(await put(nbi, id, '10-14/20', randomContent(5))), { receivedBytes: 15 });
  nowMs += 23 * HOUR_MS;
  await nbi.uploads.cleanUp();
  t.like(await show(nbi, id), { state: 'uploading' });
  nowMs += 2 * HOUR_MS;
  await nbi.uploads.cleanUp();
  t.like(await show(nbi, id), { state: 'upload-error', reason: { code: 'given-up' } });
  nowMs += DAY_MS + 1;
  await nbi.uploads.cleanUp();
  t.is((await nbi.call(`${UPLOADS}/${id}`)).status, 404);
});
