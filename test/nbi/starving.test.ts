import { randomBytes, scryptSync } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import test, { type ExecutionContext } from 'ava';
import { DEVICES } from '../../acs/device/device.js';
import type { Device } from '../../acs/index.js';
import type { Api } from '../../nbi/http/index.js';
import { basicAuthentication, dynDialect, route } from '../../nbi/http/index.js';
import type { Users } from '../../nbi/index.js';
import { USERS, type UserDocument } from '../../nbi/users/user.js';
import { BY } from '../support/actor.js';
import { until } from '../support/ferry.js';
import { deviceOf, OPERATOR, startNbi, type TestNbi, VIEWER } from './support.js';

const MIB = 1024 * 1024;

/** Users whose passwords cost nothing to check. */
async function putUsers({ store }: TestNbi, names: readonly string[]): Promise<void> {
  const salt = randomBytes(16);
  const costs = { cost: 2, blockSize: 8, parallelization: 1 } as const;
  for (const id of names) {
    const key = scryptSync(`password of ${id}`, salt, 32, { N: 2, r: 8, p: 1 }).toString('base64');
    const password = { algorithm: 'scrypt', ...costs, salt: salt.toString('base64'), key } as const;
    await store.collection<UserDocument>(USERS).put({ id, role: 'viewer', password, createdAtMs: 0 });
  }
}

/** `GET /held`: an answer that begins and does not end before its client has gone. */
function heldApi(users: () => Users): Api {
  const verify: Users['verify'] = (credentials) => users().verify(credentials);
  return {
    name: 'held',
    description: 'For tests.',
    prefixes: ['/held'],
    slashes: 'either',
    authentication: basicAuthentication({ verify } as Users),
    dialect: dynDialect('held'),
    routes: [
      route({
        method: 'GET',
        path: '/held',
        role: 'viewer',
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

async function startHolding(t: ExecutionContext, options: Parameters<typeof startNbi>[1] = {}) {
  let users: Users | null = null;
  const api = heldApi(() => users ?? t.fail('not yet'));
  const nbi = await startNbi(t, { ...options, beside: [api] });
  users = nbi.users;
  return nbi;
}

const head = (path: string, as: string, method = 'GET') =>
  `${method} ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic ${Buffer.from(as).toString('base64')}\r\n\r\n`;

/** Sends requests over one connection and reads nothing of the answers but their first bytes. */
async function send(t: ExecutionContext, { server }: TestNbi, text: string): Promise<Socket> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => {});
  t.teardown(() => socket.destroy());
  socket.write(text);
  await once(socket, 'readable');
  return socket;
}

test('whoever takes all places that one may leaves the others theirs, and all of them the brake, metrics and health', async (t) => {
  const nbi = await startHolding(t, { limits: { requestsMax: 5, requestsPerClientMax: 3 } });
  for (let taken = 0; taken < 3; taken++) await send(t, nbi, head('/held', VIEWER));
  const own = await nbi.call('/v1/images', { as: VIEWER });
  t.is(own.status, 429);
  t.is(own.headers.get('Retry-After'), '5');
  t.deepEqual(own.body, {
    code: 429,
    message: 'response from images',
    details: [
      { field: '', code: 'busy', expected: 'fewer than 3 requests of yours under way: try again later' },
    ],
  });
  t.is((await nbi.call('/v1/images')).status, 200);
  for (let taken = 0; taken < 2; taken++) await send(t, nbi, head('/held', OPERATOR));
  t.is((await nbi.call('/v1/images')).status, 503);
  for (const as of [VIEWER, OPERATOR]) {
    t.is((await nbi.call('/v1/method/FreezeUpgrades', { as })).status, 200);
    t.is((await nbi.call('/metrics', { as })).status, 200);
  }
  t.is((await nbi.call('/healthz', { as: null })).status, 200);
  for (const frozen of [true, false]) {
    const brake = await nbi.call('/v1/method/FreezeUpgrades', { method: 'POST', json: { frozen } });
    t.is(brake.status, 200);
  }
});

test('the brake has places of its own, of which one user has some', async (t) => {
  const nbi = await startHolding(t, { limits: { reservedMax: 3, reservedPerClientMax: 2 } });
  const unfinished =
    head('/v1/method/FreezeUpgrades', OPERATOR, 'POST').trimEnd() +
    '\r\nContent-Type: application/json\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n';
  for (let taken = 0; taken < 2; taken++) await send(t, nbi, unfinished);
  const frozen = (as: string) => nbi.call('/v1/method/FreezeUpgrades', { as });
  t.is((await frozen(OPERATOR)).status, 429);
  t.is((await frozen(VIEWER)).status, 200);
  t.is((await nbi.call('/healthz', { as: null })).status, 200);
  t.is((await nbi.call('/metrics')).status, 200);
});

test('places come back with the connection, also where it is cut off for its next request', async (t) => {
  const nbi = await startHolding(t, { limits: { requestsMax: 12, requestsPerClientMax: 10 } });
  const statusBecomes = (wanted: number) =>
    until(`it is ${wanted}`, async () => (await nbi.call('/v1/images', { as: VIEWER })).status === wanted);
  for (let round = 0; round < 3; round++) {
    const pipelined = await send(t, nbi, head('/held', VIEWER));
    pipelined.resume().write(head('/held', VIEWER).repeat(3));
    await once(pipelined, 'close');
    const sockets: Socket[] = [];
    for (let taken = 0; taken < 10; taken++) sockets.push(await send(t, nbi, head('/held', VIEWER)));
    await statusBecomes(429);
    for (const socket of sockets) socket.destroy();
    await statusBecomes(200);
  }
  // None was given back twice.
  for (let taken = 0; taken < 10; taken++) await send(t, nbi, head('/held', VIEWER));
  t.is((await nbi.call('/v1/images', { as: VIEWER })).status, 429);
  t.is((await nbi.call('/v1/images')).status, 200);
});

test('a hundred users at once are all served, each with lists', async (t) => {
  const nbi = await startNbi(t, { limits: { waitSecondsMax: 600 } });
  const names = Array.from({ length: 100 }, (_, index) => `user${index}`);
  await putUsers(nbi, names);
  for (let serial = 0; serial < 5; serial++) await nbi.putDevice({ serialNumber: `S${serial}` });
  const statuses = await Promise.all(
    names.flatMap((name) => {
      const as = `${name}:password of ${name}`;
      return ['?manufacturer=Example', '?limit=1'].map(
        async (query) => (await nbi.call(`/v1/dyn/DeviceStorage/.*${query}`, { as })).status,
      );
    }),
  );
  t.deepEqual([...new Set(statuses)], [200]);
});

test('one script may ask for a hundred lists at once: they wait for each other', async (t) => {
  const nbi = await startNbi(t, { limits: { waitSecondsMax: 600 } });
  for (let serial = 0; serial < 120; serial++) await nbi.putDevice({ serialNumber: `S${serial}` });
  const lists = Array.from({ length: 100 }, () => nbi.call('/v1/dyn/DeviceStorage/.*?manufacturer=Example'));
  const statuses = (await Promise.all(lists)).map(({ status }) => status);
  t.deepEqual([...new Set(statuses)], [200]);
});

const LONG = 'x'.repeat(200_000);

test('who keeps all lists that one may is told so; entries and SendCNR by id, pages, and the lists of others go on', async (t) => {
  const nbi = await startNbi(t, { limits: { listsPerUserMax: 2, listsAtATime: 3, waitSecondsMax: 0 } });
  // More than what the sockets in between hold.
  await nbi.store.commit(
    Array.from({ length: 60 }, (_, index) =>
      nbi.store
        .collection<Device>(DEVICES)
        .putting(deviceOf({ serialNumber: `S${index}`, manufacturer: LONG })),
    ),
  );
  const list = '/v1/dyn/DeviceStorage/.*';
  const sockets = [await send(t, nbi, head(list, VIEWER)), await send(t, nbi, head(list, VIEWER))];
  const refused = await nbi.call(`${list}?softwareVersion=none`, { as: VIEWER });
  t.is(refused.status, 429);
  t.is(refused.headers.get('Retry-After'), '10');
  t.is((await nbi.call('/v1/dyn/DeviceStorage/00A1B2-HGW-S7', { as: VIEWER })).status, 200);
  t.is((await nbi.call(`${list}?id=00A1B2-HGW-S7`, { as: VIEWER })).status, 200);
  t.is((await nbi.call(`${list}?limit=1`, { as: VIEWER })).status, 200);
  t.is((await nbi.call(`${list}?softwareVersion=none`)).status, 404);
  const other = await send(t, nbi, head(list, OPERATOR));
  t.is((await nbi.call(`${list}?softwareVersion=none`)).status, 503);
  t.is((await nbi.call('/v1/method/FreezeUpgrades', { as: VIEWER })).status, 200);
  const statusOfSendCnr = async (options: object) =>
    (await nbi.call('/v1/method/SendCNR', { method: 'POST', json: { search_options: options } })).status;
  t.is(await statusOfSendCnr({ cpe_id: '00A1B2-HGW-none' }), 404);
  t.is(await statusOfSendCnr({ softwareVersion: 'none' }), 503);
  for (const socket of [...sockets, other]) socket.destroy();
  const afterwards = await until('there is a place again', async () => {
    const { status } = await nbi.call(`${list}?softwareVersion=none`, { as: VIEWER });
    return status !== 429 && status !== 503 && status;
  });
  t.is(afterwards, 404);
});

test('who leaves downloads unread keeps no more of them going than one may, and nothing else from anybody', async (t) => {
  const nbi = await startNbi(t, {
    limits: { downloadsPerUserMax: 2, downloadsAtATime: 3, waitSecondsMax: 0 },
    imageBytesMax: 32 * MIB,
  });
  await nbi.images.upload({
    metadata: { name: 'large.bin', softwareVersion: '2.0', fileType: '1 Firmware Upgrade Image' },
    content: Readable.from([Buffer.alloc(32 * MIB)]),
    by: BY,
    uploadedBy: 'test',
  });
  const path = '/v1/images/large.bin/content';
  const status = async (as: string) => (await nbi.call(path, { as, headers: { Range: 'bytes=0-0' } })).status;
  const unread = [await send(t, nbi, head(path, VIEWER)), await send(t, nbi, head(path, VIEWER))];
  t.is(await status(VIEWER), 429);
  t.is(await status(OPERATOR), 206);
  unread.push(await send(t, nbi, head(path, OPERATOR)));
  t.is(await status(OPERATOR), 503);
  t.is((await nbi.call('/v1/images', { as: VIEWER })).status, 200);
  for (const socket of unread) socket.destroy();
  await t.notThrowsAsync(until('there is a place again', async () => (await status(VIEWER)) === 206));
});

test('while lists look for what is nowhere, everybody else has a turn for every few pages', async (t) => {
  t.timeout(300_000);
  const nbi = await startNbi(t, { limits: { listsPerUserMax: 4, waitSecondsMax: 600 } });
  const devices = nbi.store.collection<Device>(DEVICES);
  const [documents, pageItems, lists] = [500, 100, 4];
  await nbi.store.commit(
    Array.from({ length: documents }, (_, index) => devices.putting(deviceOf({ serialNumber: `S${index}` }))),
  );
  const server = createServer((peer) => peer.on('error', () => {}).pipe(peer)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    .setNoDelay(true)
    .on('error', () => {});
  await once(socket, 'connect');
  t.teardown(() => {
    socket.destroy();
    server.close();
  });
  let answered = 0;
  socket.on('data', () => {
    answered++;
    socket.write('x');
  });
  // Logged in before anything is counted.
  t.is((await nbi.call('/v1/dyn/DeviceStorage/none', { as: VIEWER })).status, 404);
  socket.write('x');
  const found = Array.from({ length: lists }, () =>
    nbi.call('/v1/dyn/DeviceStorage/.*?manufacturer=nobody', { as: VIEWER }),
  );
  const statuses = (await Promise.all(found)).map(({ status }) => status);
  t.deepEqual([...new Set(statuses)], [404]);
  const pages = (lists * documents) / pageItems;
  t.true(answered >= pages / 2, `${answered} round trips beside ${pages} pages`);
});
