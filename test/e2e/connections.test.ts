import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import net from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { ADMIN, startTestFerry, type TestFerry, until } from '../support/ferry.js';
import { inform, RawCpe } from '../support/raw-cpe.js';

/** Larger than what the system takes of an answer that nobody reads. */
const IMAGE = Buffer.alloc(8 * 1024 * 1024, 'firmware');
const PIPELINED = 200;
/** Of a session all are begun, and answered in turn. */
const PIPELINED_CWMP = 8;
const CONNECTIONS = 3;
const basic = (credentials: string) =>
  `Authorization: Basic ${Buffer.from(credentials).toString('base64')}\r\n`;
const AS_ADMIN = basic(`${ADMIN.name}:${ADMIN.password}`);

type Listener = 'cwmp' | 'nbi' | 'files';

const get = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;
const send = (method: string, path: string, type: string, body: string, more = '') =>
  `${method} ${path} HTTP/1.1\r\nHost: x\r\n${more}Content-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

/** A request of each kind of route. */
const REQUESTS: readonly (readonly [what: string, listener: Listener, bytes: string])[] = [
  ['an image', 'nbi', get('/v1/images/hgw.bin/content', AS_ADMIN)],
  ['a list', 'nbi', get('/v1/images', AS_ADMIN)],
  ['the document', 'nbi', get('/v1/openapi.json')],
  ['a schema', 'nbi', get('/v1/schemas/rule-file.json')],
  ['healthz', 'nbi', get('/healthz')],
  ['metrics', 'nbi', get('/metrics', AS_ADMIN)],
  ['an unknown path', 'nbi', get('/nowhere')],
  ['no credentials', 'nbi', get('/v1/images')],
  [
    'a method',
    'nbi',
    send('POST', '/v1/method/FreezeUpgrades', 'application/json', '{"frozen":false}', AS_ADMIN),
  ],
  [
    'an upload',
    'nbi',
    send('PUT', '/v1/images/other.bin', 'application/octet-stream', 'x'.repeat(1_000), AS_ADMIN),
  ],
  ['a download', 'files', get('/files/hgw.bin', basic('cpe:a file password'))],
  ['a download of none', 'files', get('/files/none.bin', basic('cpe:a file password'))],
  ['a download without credentials', 'files', get('/files/hgw.bin')],
  ['a session', 'cwmp', send('POST', '/', 'text/xml', inform({ serial: 'crowd' }))],
  ['an empty POST', 'cwmp', send('POST', '/', 'text/xml', '')],
];

/** What a client may do with a request. Each ends with the connection closed by one side. */
const MANNERS: Readonly<
  Record<string, (socket: net.Socket, bytes: string, listener: Listener) => Promise<void>>
> = {
  async pipelined(socket, bytes, listener) {
    socket.write(bytes.repeat(listener === 'cwmp' ? PIPELINED_CWMP : PIPELINED));
    await closedOr(socket, 'readable');
  },
  async dropped(socket, bytes) {
    await new Promise((resolve) => socket.write(bytes, resolve));
  },
  async 'half-read'(socket, bytes) {
    socket.write(bytes);
    await closedOr(socket, 'readable');
  },
  async 'half-sent'(socket, bytes) {
    await new Promise((resolve) => socket.write(bytes.slice(0, -10), resolve));
  },
};

/** Whether it was reset or ended makes no difference. */
function closedOr(socket: net.Socket, event = 'close'): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', () => resolve());
    socket.once(event, () => resolve());
  });
}

async function misbehave(ferry: TestFerry, listener: Listener, bytes: string, manner: string): Promise<void> {
  const socket = net.connect(Number(new URL(ferry.urls[listener]).port), '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  await MANNERS[manner]?.(socket, bytes, listener);
  socket.destroy();
}

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

async function startWithImage(t: ExecutionContext): Promise<TestFerry> {
  const ferry = await startTestFerry(t, {
    checksSchema: false,
    config: { fileAuth: 'cpe:a file password' },
    acsOptions: { requestsMax: 20 },
  });
  await ferry.nbi('PUT', '/v1/images/hgw.bin?softwareVersion=2.0', IMAGE);
  return ferry;
}

const onLinux = process.platform === 'linux' ? test : test.skip;

for (const manner of Object.keys(MANNERS)) {
  onLinux(`after requests that are ${manner} no descriptor stays open, of any kind of route`, async (t) => {
    t.timeout(120_000);
    const ferry = await startWithImage(t);
    // What is opened once, at first use, and the connections of our own client.
    for (const [, listener, bytes] of REQUESTS) await misbehave(ferry, listener, bytes, 'half-read');
    const close = { Connection: 'close' };
    t.is((await ferry.nbi('GET', '/v1/images', undefined, close)).status, 200);
    const before = await steady();
    for (const [what, listener, bytes] of REQUESTS) {
      await Promise.all(Array.from({ length: CONNECTIONS }, () => misbehave(ferry, listener, bytes, manner)));
      await until(`${what} has let go of all`, () => openDescriptors() <= before);
    }
    t.is((await ferry.nbi('GET', '/v1/images/hgw.bin/content')).status, 200);
    const cpe = new RawCpe(ferry.urls.cwmp);
    t.is((await cpe.post(inform({ serial: 'after' }))).status, 200);
    cpe.close();
  });
}

/** The least of descriptors that are open over a while: connections are closed after their answers. */
async function steady(): Promise<number> {
  let least = openDescriptors();
  for (let same = 0; same < 25; same++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    const now = openDescriptors();
    if (now < least) same = 0;
    least = Math.min(least, now);
  }
  return least;
}

test('of a packet full of requests one is answered, on each kind of northbound and file route', async (t) => {
  const ferry = await startWithImage(t);
  for (const [what, listener, bytes] of REQUESTS) {
    if (listener === 'cwmp') continue;
    const sample = `ferry_http_refused_total{listener="${listener}",reason="pipelined"}`;
    const before = await figure(ferry, sample);
    const served = ferry.events.length;
    const socket = net.connect(Number(new URL(ferry.urls[listener]).port), '127.0.0.1');
    socket.on('error', () => {}).resume();
    socket.write(bytes.repeat(PIPELINED));
    await closedOr(socket);
    t.is(await figure(ferry, sample), before + 1, what);
    const answers = ferry.events
      .slice(served)
      .filter(({ event, fields }) => event === 'nbi.request' && fields['path'] !== '/metrics');
    t.true(answers.length <= 1, what);
  }
});

async function figure(ferry: TestFerry, sample: string): Promise<number> {
  const { body } = await ferry.nbi('GET', '/metrics');
  const line = String(body)
    .split('\n')
    .find((text) => text.startsWith(`${sample} `));
  return Number(line?.split(' ')[1] ?? 0);
}

test('pipelined Informs that nobody waits for give back their places', async (t) => {
  const ferry = await startWithImage(t);
  const bytes = send('POST', '/', 'text/xml', inform({ serial: 'crowd' }));
  for (let n = 0; n < CONNECTIONS; n++) await misbehave(ferry, 'cwmp', bytes, 'pipelined');
  const cpe = new RawCpe(ferry.urls.cwmp);
  await until(
    'an Inform is answered',
    async () => (await cpe.post(inform({ serial: 'next' }))).status === 200,
  );
  cpe.close();
  t.pass();
});
