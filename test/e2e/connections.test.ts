import { subscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import net from 'node:net';
import process from 'node:process';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import test from 'ava';
import { ADMIN, startTestFerry, type TestFerry, until } from '../support/ferry.js';
import { inform, RawCpe } from '../support/raw-cpe.js';

/** Larger than what the system takes of an answer that nobody reads. */
const IMAGE = Buffer.alloc(8 * 1024 * 1024, 'firmware');
const PIPELINED = 50;
/** Of a session all are begun, and answered in turn. */
const PIPELINED_CWMP = 8;
const CONNECTIONS = 3;
const ROUNDS = 4;
/** Fewer than requests of each kind, so that one that keeps its place leaves none. */
const PLACES = 10;
/** More than what caches and code that is made late take. */
const HEAP_NOISE_BYTES_MAX = 512 * 1024;
/** Far less than a piece of a file for each request of one kind. */
const BUFFER_NOISE_BYTES_MAX = 256 * 1024;
const CLOSE = { Connection: 'close' };
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

async function misbehave(listener: Listener, bytes: string, manner: string): Promise<void> {
  const socket = net.connect(Number(new URL(ferry.urls[listener]).port), '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  await MANNERS[manner]?.(socket, bytes, listener);
  socket.destroy();
}

setFlagsFromString('--expose-gc');
const collectGarbage: unknown = runInNewContext('gc');

/** Every request that a server of this process was given, with its answer and its connection, as long as somebody has it. */
const begun: WeakRef<object>[] = [];
subscribe('http.server.request.start', (message) => {
  const { request, response, socket } = message as Record<'request' | 'response' | 'socket', object>;
  for (const each of [request, response, socket]) begun.push(new WeakRef(each));
});

/** What of that somebody still has, exactly, and what everything takes. */
function held() {
  // What was told so far is the test's own.
  ferry.events.length = 0;
  ferry.envelopes.length = 0;
  if (typeof collectGarbage !== 'function') throw new Error('nobody collects garbage here');
  collectGarbage();
  const left = begun.filter((each) => each.deref() !== undefined);
  begun.splice(0, begun.length, ...left);
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return { objects: left.length, heap: heapUsed, buffers: arrayBuffers };
}

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

/** The least over a while: connections are closed after their answers. */
async function fewestDescriptors(): Promise<number> {
  let least = openDescriptors();
  for (let same = 0; same < 25; same++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    const now = openDescriptors();
    if (now < least) same = 0;
    least = Math.min(least, now);
  }
  return least;
}

/** One Ferry for all, as they are tried one after the other: descriptors and memory are the process's. */
let ferry: TestFerry;
const endings: (() => unknown)[] = [];

test.before(async () => {
  ferry = await startTestFerry(
    { teardown: (end) => endings.unshift(end) },
    {
      checksSchema: false,
      isCrowd: true,
      config: { fileAuth: 'cpe:a file password', nbiUserRequestsMax: PLACES },
      acsOptions: { requestsMax: 20 },
    },
  );
  await ferry.nbi('PUT', '/v1/images/hgw.bin?softwareVersion=2.0', IMAGE, CLOSE);
  // What is opened and made once, at first use.
  for (const manner of Object.keys(MANNERS)) await misbehaveInTurns(manner, 1);
});

test.after.always(async () => {
  for (const end of endings) await end();
});

async function misbehaveInTurns(
  manner: string,
  rounds: number,
  descriptorsMax = Number.POSITIVE_INFINITY,
): Promise<void> {
  for (const [what, listener, bytes] of REQUESTS) {
    for (let round = 0; round < rounds; round++) {
      await Promise.all(Array.from({ length: CONNECTIONS }, () => misbehave(listener, bytes, manner)));
      await until(`${what} has let go of all`, () => openDescriptors() <= descriptorsMax);
    }
  }
}

const onLinux = process.platform === 'linux' ? test.serial : test.skip;

for (const manner of Object.keys(MANNERS)) {
  onLinux(
    `after requests that are ${manner} no descriptor, place or memory is held, of any kind of route`,
    async (t) => {
      t.timeout(300_000);
      const descriptors = await fewestDescriptors();
      const before = held();

      await misbehaveInTurns(manner, ROUNDS, descriptors);
      let now = held();
      const isLetGo = () => {
        now = held();
        return (
          now.objects <= before.objects &&
          now.heap <= before.heap + HEAP_NOISE_BYTES_MAX &&
          now.buffers <= before.buffers + BUFFER_NOISE_BYTES_MAX
        );
      };
      await until('all is let go of', isLetGo).catch((error: unknown) =>
        t.fail(`${error}: ${JSON.stringify({ before, now })}`),
      );
      for (let place = 0; place < PLACES; place++) {
        t.is((await ferry.nbi('GET', '/v1/images', undefined, CLOSE)).status, 200);
      }
      t.is((await ferry.nbi('GET', '/v1/images/hgw.bin/content', undefined, CLOSE)).status, 200);
      const cpe = new RawCpe(ferry.urls.cwmp);
      t.is((await cpe.post(inform({ serial: 'after' }))).status, 200);
      cpe.close();
    },
  );
}

test.serial(
  'of a packet full of requests one is answered, on each kind of northbound and file route',
  async (t) => {
    for (const [what, listener, bytes] of REQUESTS) {
      if (listener === 'cwmp') continue;
      const sample = `ferry_http_refused_total{listener="${listener}",reason="pipelined"}`;
      const before = await figure(sample);
      const served = ferry.events.length;
      const socket = net.connect(Number(new URL(ferry.urls[listener]).port), '127.0.0.1');
      socket.on('error', () => {}).resume();
      socket.write(bytes.repeat(PIPELINED));
      await closedOr(socket);
      t.is(await figure(sample), before + 1, what);
      const answers = ferry.events
        .slice(served)
        .filter(({ event, fields }) => event === 'nbi.request' && fields['path'] !== '/metrics');
      t.true(answers.length <= 1, what);
    }
  },
);

async function figure(sample: string): Promise<number> {
  const { body } = await ferry.nbi('GET', '/metrics');
  const line = String(body)
    .split('\n')
    .find((text) => text.startsWith(`${sample} `));
  return Number(line?.split(' ')[1] ?? 0);
}

test.serial('pipelined Informs that nobody waits for give back their places', async (t) => {
  const bytes = send('POST', '/', 'text/xml', inform({ serial: 'crowd' }));
  for (let n = 0; n < CONNECTIONS; n++) await misbehave('cwmp', bytes, 'pipelined');
  const cpe = new RawCpe(ferry.urls.cwmp);
  await until(
    'an Inform is answered',
    async () => (await cpe.post(inform({ serial: 'next' }))).status === 200,
  );
  cpe.close();
  t.pass();
});
