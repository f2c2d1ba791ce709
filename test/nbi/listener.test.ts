import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import net from 'node:net';
import { Readable } from 'node:stream';
import test, { type ExecutionContext } from 'ava';
import { type Api, basicAuthentication, dynDialect, route } from '../../nbi/http/index.js';
import type { Users } from '../../nbi/index.js';
import { BY } from '../support/actor.js';
import { until } from '../support/ferry.js';
import { statusesOf } from '../support/raw-socket.js';
import { OPERATOR, startNbi, type TestNbi, VIEWER } from './support.js';

const basic = (credentials: string) =>
  `Authorization: Basic ${Buffer.from(credentials).toString('base64')}\r\n`;
const get = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;
const HOUR_MS = 3_600_000;

interface Client {
  readonly socket: net.Socket;
  received(): string;
  isClosed(): boolean;
}

async function client(t: ExecutionContext, nbi: TestNbi, localAddress = '127.0.0.1'): Promise<Client> {
  const socket = net.connect({ port: Number(new URL(nbi.url).port), host: '127.0.0.1', localAddress });
  let received = '';
  let closed = false;
  socket.setEncoding('latin1').on('data', (data) => {
    received += data;
  });
  socket
    .on('error', () => {})
    .on('close', () => {
      closed = true;
    });
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  return { socket, received: () => received, isClosed: () => closed };
}

/** Sends a request. @returns the status of its answer; nothing where the connection is closed instead */
async function ask(each: Client, bytes: string): Promise<readonly number[]> {
  const before = statusesOf(each.received()).length;
  each.socket.write(bytes);
  await until('it is so', () => statusesOf(each.received()).length > before || each.isClosed());
  return statusesOf(each.received()).slice(before);
}

const reasonsOf = (nbi: TestNbi) =>
  nbi.log.filter(({ event }) => event === 'http.refused').map(({ fields }) => fields['reason']);

test('where connections are many the oldest on which nothing is under way makes room', async (t) => {
  const nbi = await startNbi(t, { connections: { inAllMax: 3, perAddressMax: 4 } });
  const all: Client[] = [];
  for (let n = 0; n < 3; n++) all.push(await client(t, nbi));
  const newcomer = await client(t, nbi);
  t.deepEqual(await ask(newcomer, get('/healthz')), [200]);
  await until('it is so', () => all[0]?.isClosed() === true);
  t.deepEqual(
    all.map((each) => each.isClosed()),
    [true, false, false],
  );
  t.deepEqual(reasonsOf(nbi), ['made-room']);
});

test('whoever holds many connections without logging in keeps nobody from logging in', async (t) => {
  const nbi = await startNbi(t, { connections: { inAllMax: 20, perAddressMax: 10 } });
  for (let n = 0; n < 60; n++) {
    const stranger = await client(t, nbi, `127.0.0.${2 + (n % 5)}`);
    stranger.socket.write(
      'POST /v1/method/FreezeUpgrades HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{',
    );
  }
  const admin = await client(t, nbi, '127.0.0.9');
  t.deepEqual(await ask(admin, get('/v1/images', basic(OPERATOR))), [200]);
});

test('what is under way for a user makes room for nobody at its own address', async (t) => {
  const nbi = await startNbi(t, {
    connections: { inAllMax: 2, perAddressMax: 2 },
    imageBytesMax: LARGE_BYTES,
  });
  await upload(nbi);
  const readers = [await reader(t, nbi), await reader(t, nbi)];
  const newcomer = await client(t, nbi);
  await until('the newcomer is closed', () => newcomer.isClosed());
  t.deepEqual(
    readers.map(({ destroyed }) => destroyed),
    [false, false],
  );
  t.true(reasonsOf(nbi).includes('too-many-connections'));
});

test('where all there is is under way for users, the address that has most makes room for one that has fewer', async (t) => {
  const nbi = await startNbi(t, {
    connections: { inAllMax: 4, perAddressMax: 2 },
    imageBytesMax: LARGE_BYTES,
  });
  await upload(nbi);
  const readers: net.Socket[] = [];
  for (const address of ['127.0.0.2', '127.0.0.2', '127.0.0.3', '127.0.0.3'])
    readers.push(await reader(t, nbi, address));
  const operator = await client(t, nbi, '127.0.0.4');
  const freeze = get('/v1/method/FreezeUpgrades', basic(OPERATOR));
  t.deepEqual(await ask(operator, freeze), [200]);
  t.deepEqual(reasonsOf(nbi), ['made-room']);
});

/** `GET /held` ends with its client; what is wrong with a request is told at more length than anybody takes without reading. */
function longWindedApi(role: 'viewer' | null, users: () => Users): Api {
  const verify: Users['verify'] = (credentials) => users().verify(credentials);
  return {
    name: 'held',
    description: 'For tests.',
    prefixes: ['/held'],
    slashes: 'either',
    authentication: basicAuthentication({ verify } as Users),
    dialect: { ...dynDialect('held'), error: () => ({ headers: {}, body: 'x'.repeat(LARGE_BYTES) }) },
    routes: [
      route({
        method: 'GET',
        path: '/held',
        role,
        concerns: 'everyone',
        operationId: 'held',
        summary: '',
        answers: {},
        async handle({ response }) {
          response.write('.');
          await once(response, 'close');
        },
      }),
    ],
  };
}

async function startLongWinded(
  t: ExecutionContext,
  role: 'viewer' | null,
  options: Parameters<typeof startNbi>[1],
): Promise<TestNbi> {
  let users: Users | null = null;
  const nbi = await startNbi(t, {
    ...options,
    beside: [longWindedApi(role, () => users ?? t.fail('not yet'))],
  });
  users = nbi.users;
  return nbi;
}

test('an answer that refuses a user a place is no work for a user: its connection makes room, however long it is not read', async (t) => {
  const nbi = await startLongWinded(t, 'viewer', {
    connections: { inAllMax: 3, perAddressMax: 4 },
    limits: { requestsPerClientMax: 1 },
  });
  const held = get('/held', basic(VIEWER));
  const unread = [await begun(t, nbi, held), await begun(t, nbi, held), await begun(t, nbi, held)];
  t.regex(String(unread[0]?.read()), /^HTTP\/1.1 200 /);
  t.regex(String(unread[1]?.read(12)), /^HTTP\/1.1 429/);
  const operator = await client(t, nbi);
  t.deepEqual(await ask(operator, get('/v1/method/FreezeUpgrades', basic(OPERATOR))), [200]);
  t.deepEqual(reasonsOf(nbi), ['made-room']);
  const [served, ...refused] = unread;
  const goes = refused[0]?.resume();
  await until('the older of those that were refused has gone', () => goes?.closed === true);
  t.true((goes?.bytesRead ?? 0) < LARGE_BYTES);
  t.false(served?.closed);
});

test('open routes have places apart from those of users', async (t) => {
  const nbi = await startLongWinded(t, null, { limits: { requestsMax: 1 } });
  await begun(t, nbi, get('/held'));
  t.is((await nbi.call('/v1/images')).status, 200);
  t.is((await nbi.call('/held', { as: null })).status, 503);
});

test('a probe that is not read, once it is answered, keeps no place from the next', async (t) => {
  const health = async () => ({
    status: 'ok' as const,
    parts: { ['x'.repeat(LARGE_BYTES)]: 'ok' as const },
  });
  const nbi = await startNbi(t, { health, ready: health, limits: { reservedMax: 2 } });
  for (const path of ['/healthz', '/readyz']) {
    for (let n = 0; n < 2; n++) await begun(t, nbi, get(path));
    t.is((await nbi.call(path, { as: null })).status, 200, path);
  }
});

/** More than the system takes of an answer that nobody reads. */
const LARGE_BYTES = 16 * 1024 * 1024;

async function upload(nbi: TestNbi): Promise<void> {
  await nbi.images.upload({
    metadata: { name: 'a.bin', softwareVersion: '2.0', fileType: '1 Firmware Upgrade Image' },
    content: Readable.from([Buffer.alloc(LARGE_BYTES)]),
    by: BY,
    uploadedBy: 'test',
  });
}

/** Somebody who has logged in, and reads nothing of an image once its answer has begun. */
function reader(t: ExecutionContext, nbi: TestNbi, localAddress?: string): Promise<net.Socket> {
  return begun(t, nbi, get('/v1/images/a.bin/content', basic(VIEWER)), localAddress);
}

/** Whoever reads nothing of an answer once it has begun. */
async function begun(
  t: ExecutionContext,
  nbi: TestNbi,
  request: string,
  localAddress = '127.0.0.1',
): Promise<net.Socket> {
  const port = Number(new URL(nbi.url).port);
  const socket = net.connect({ port, host: '127.0.0.1', localAddress }).on('error', () => {});
  t.teardown(() => socket.destroy());
  socket.write(request);
  await once(socket, 'readable');
  return socket;
}

test('one address has no more than its share of connections, and another still gets in', async (t) => {
  const nbi = await startNbi(t, { connections: { inAllMax: 10, perAddressMax: 2 } });
  const other = await client(t, nbi, '127.0.0.3');
  const many: Client[] = [];
  for (let n = 0; n < 8; n++) many.push(await client(t, nbi, '127.0.0.2'));
  await until('it is so', () => many.filter((each) => each.isClosed()).length === 6);
  t.deepEqual(await ask(other, get('/healthz')), [200]);
});

test('an address that keeps pipelining without logging in is kept out for ten seconds; nobody else is, and nobody where somebody has logged in', async (t) => {
  let nowMs = 0;
  const nbi = await startNbi(t, { monotonic: () => nowMs });
  const pipeline = async (address: string) => {
    const each = await client(t, nbi, address);
    each.socket.write(get('/v1/openapi.json').repeat(3));
    await until('it is cut off', () => each.isClosed());
  };
  const isLetIn = async (address: string, more = '') =>
    (await ask(await client(t, nbi, address), get('/v1/images', more))).length > 0;
  t.true(await isLetIn('127.0.0.3', basic(VIEWER)));
  for (const address of ['127.0.0.2', '127.0.0.3']) {
    for (let n = 0; n < 2; n++) await pipeline(address);
    t.true(await isLetIn(address), 'it may have been a mistake');
    const other = await client(t, nbi, address);
    await pipeline(address);
    if (address === '127.0.0.2') await until('all of it are closed', () => other.isClosed());
    else t.deepEqual(await ask(other, get('/healthz')), [200]);
  }
  t.false(await isLetIn('127.0.0.2'));
  t.true(await isLetIn('127.0.0.3'));
  t.true(await isLetIn('127.0.0.4'));
  t.is(reasonsOf(nbi).at(-1), 'kept-out');
  nowMs += 10_000;
  t.true(await isLetIn('127.0.0.2'));
});

test('strangers who have all that one address may are closed at once, and what they have stays; where somebody has logged in the newest goes on', async (t) => {
  const nbi = await startNbi(t, { connections: { inAllMax: 10, perAddressMax: 2 } });
  const first = await client(t, nbi, '127.0.0.2');
  const second = await client(t, nbi, '127.0.0.2');
  const further = await client(t, nbi, '127.0.0.2');
  await until('it is closed', () => further.isClosed());
  t.deepEqual(reasonsOf(nbi), ['too-many-connections']);
  t.deepEqual(await ask(second, get('/v1/images', basic(VIEWER))), [200]);
  const newest = await client(t, nbi, '127.0.0.2');
  t.deepEqual(await ask(newest, get('/v1/images', basic(VIEWER))), [200]);
  t.true(first.isClosed());
});

test('an address that speaks for many has no share of its own', async (t) => {
  const nbi = await startNbi(t, {
    connections: { inAllMax: 10, perAddressMax: 2, isShared: (address) => address === '127.0.0.2' },
  });
  const many: Client[] = [];
  for (let n = 0; n < 8; n++) many.push(await client(t, nbi, '127.0.0.2'));
  for (const each of many) t.deepEqual(await ask(each, get('/healthz')), [200]);
});

test('an address that has logged in before goes last, and gets in where only its like are left', async (t) => {
  const nbi = await startNbi(t, { connections: { inAllMax: 2, perAddressMax: 2 } });
  const known = await client(t, nbi, '127.0.0.2');
  t.deepEqual(await ask(known, get('/v1/images', basic(VIEWER))), [200]);
  const stranger = await client(t, nbi, '127.0.0.3');
  const next = await client(t, nbi, '127.0.0.4');
  // The stranger is not the oldest.
  await until('it is so', () => stranger.isClosed());
  t.deepEqual(await ask(next, get('/healthz')), [200]);
  t.false(known.isClosed());
});

test('a body that goes on after its answer ends its connection soon, whoever sends it', async (t) => {
  const nbi = await startNbi(t, { times: { lingerMsMax: 20 } });
  const head = 'Content-Type: application/json\r\nContent-Length: 1000\r\n';
  for (const [path, status] of [
    ['/v1/method/FreezeUpgrades', 401],
    ['/nowhere', 404],
    ['/healthz', 405],
  ] as const) {
    const each = await client(t, nbi);
    each.socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\n${head}\r\n{`);
    await until('it is so', () => each.isClosed());
    t.deepEqual(statusesOf(each.received()), [status], path);
  }
  const open = await client(t, nbi);
  open.socket.write(`GET /healthz HTTP/1.1\r\nHost: x\r\n${head}\r\n{`);
  await until('it is so', () => open.isClosed());
  t.deepEqual(statusesOf(open.received()), [200]);
});

test('a body that ends soon after its early answer leaves the connection as it was', async (t) => {
  const nbi = await startNbi(t, { times: { lingerMsMax: HOUR_MS } });
  const each = await client(t, nbi);
  t.deepEqual(await ask(each, 'POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nabc'), [404]);
  t.deepEqual(await ask(each, `def${get('/healthz')}`), [200]);
});

test('a body of which next to nothing comes ends its connection, also of somebody who has logged in', async (t) => {
  const nbi = await startNbi(t, { times: { bodyPaceMs: 50 } });
  const each = await client(t, nbi);
  each.socket.write(
    `PUT /v1/images/a.bin HTTP/1.1\r\nHost: x\r\n${basic(OPERATOR)}Content-Length: 1000000\r\n\r\n`,
  );
  const trickle = setInterval(() => each.socket.write('x'), 5);
  t.teardown(() => clearInterval(trickle));
  await until('it is so', () => each.isClosed());
  t.deepEqual(reasonsOf(nbi), ['body-too-slow']);
});

test('whoever takes nothing of an answer is cut off, and its place is free', async (t) => {
  const nbi = await startNbi(t, {
    limits: { requestsMax: 1 },
    imageBytesMax: LARGE_BYTES,
  });
  await upload(nbi);
  t.is(nbi.server.timeout, 60_000);
  // Not before the request has come: of a connection without any the time may be over by then.
  nbi.server.once('request', ({ socket }: IncomingMessage) => socket.setTimeout(200));
  await reader(t, nbi);
  await until('it is cut off', () => reasonsOf(nbi).includes('not-taken'));
  await until('it has ended', () => nbi.log.some(({ fields }) => fields['status'] === 'aborted'));
  t.is((await nbi.call('/v1/images')).status, 200);
});

test('requests pipelined, left in the middle or half sent give back their places', async (t) => {
  const nbi = await startNbi(t, { limits: { requestsMax: 2 }, imageBytesMax: LARGE_BYTES });
  await upload(nbi);
  const content = get('/v1/images/a.bin/content', basic(VIEWER));
  const half = (head: string) => `${head} HTTP/1.1\r\nHost: x\r\n${basic(OPERATOR)}Content-Length: 100\r\n`;
  // Else the address would be kept out for what comes.
  t.is((await nbi.call('/v1/images')).status, 200);
  for (const bytes of [
    content.repeat(600),
    content,
    get('/v1/images', basic(VIEWER)).repeat(600),
    `${half('PUT /v1/images/b.bin')}\r\nx`,
    `${half('POST /v1/method/FreezeUpgrades')}Content-Type: application/json\r\n\r\n{`,
  ]) {
    for (let n = 0; n < 3; n++) {
      const { socket } = await client(t, nbi);
      socket.pause();
      await new Promise((resolve) => socket.write(bytes, resolve));
      socket.destroy();
    }
  }
  await until('there is a place', async () => (await nbi.call('/v1/images')).status === 200);
  // Two at a time, as before.
  const both = await Promise.all([nbi.call('/v1/images/a.bin/content'), nbi.call('/v1/images')]);
  t.deepEqual(
    both.map(({ status }) => status),
    [200, 200],
  );
});
