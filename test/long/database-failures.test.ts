import { spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import {
  commandKeys,
  cpeidOf,
  createCpe,
  IMAGE_NAME,
  NEW_VERSION,
  outcomes,
  postRule,
  SUCCESS,
  startListener,
  uploadImage,
} from '../e2e/simulated.js';
import { DatabaseServer, secantusd } from '../support/database-server.js';
import { ADMIN, startTestFerry, type TestFerry, until } from '../support/ferry.js';
import { inform, RawCpe } from '../support/raw-cpe.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';

// A whole Ferry on a database server of its own, which is killed, fails on purpose or does not come up.
const CPES = 8;
const WRITES = ['insert', 'update', 'delete', 'findAndModify', 'commitTransaction'];
const READS = ['find', 'aggregate'];
/** One after the other while a fleet is upgraded; each hits one command somewhere on its way. */
const FAILOVERS = [
  { failCommands: ['find'], errorCode: 189 },
  { failCommands: ['update', 'insert'], errorCode: 10107 },
  { failCommands: ['commitTransaction'], errorCode: 91 },
  { failCommands: ['commitTransaction'], closeConnection: true },
  { failCommands: ['commitTransaction'], writeConcernError: { code: 64, errmsg: 'timed out' } },
  { failCommands: ['update', 'insert'], closeConnection: true },
] as const;
const MAIN = fileURLToPath(new URL('../../cli/main.js', import.meta.url));

interface Setting {
  readonly proxy: TcpProxy;
  readonly ferry: TestFerry;
}

/** Of all tests here, each of which has a database of its own there. */
let server: DatabaseServer;

async function start(
  t: ExecutionContext,
  options: Parameters<typeof startTestFerry>[1] = {},
): Promise<Setting> {
  const proxy = await startTcpProxy(t, server.port);
  const database = `test-${randomUUID()}`;
  const store = server.url(database).replace(`:${server.port}/`, `:${proxy.port}/`);
  t.teardown(() => proxy.heal());
  const ferry = await startTestFerry(t, { ...options, config: { store } });
  await uploadImage(t, ferry.nbi);
  return { proxy, ferry };
}

/** Upgrades a fleet while `shake` does something to the database; nothing may be lost or done twice. */
async function upgraded(t: ExecutionContext, ferry: TestFerry, shake: () => Promise<void>): Promise<void> {
  const listener = await startListener(t);
  const serials = Array.from({ length: CPES }, (_, index) => `${index}`);
  const cpes = serials.map((serial) =>
    createCpe(t, ferry.urls.cwmp, serial, { listener, periodicIntervalMs: 500, rebootMs: 100 }),
  );
  const condition = { productClass: 'HGW' };
  await postRule(t, ferry.nbi, { id: 'R', file: IMAGE_NAME, condition, executions: 1 });
  for (const cpe of cpes) cpe.start();
  await until('the first Download is read', () => cpes.some(({ downloads }) => downloads.length > 0));
  await shake();
  await until('every CPE is upgraded', () =>
    cpes.every(({ softwareVersion }) => softwareVersion === NEW_VERSION),
  );
  for (const serial of serials) {
    await until(`the result of ${serial} is final`, async () => {
      const found = await outcomes(ferry.nbi, cpeidOf(serial));
      return found.length > 0 && !found.includes('running');
    });
    const found = await outcomes(ferry.nbi, cpeidOf(serial));
    t.is(found.length, 1);
    t.true(found[0]?.startsWith(`200 ${SUCCESS}`), found[0]);
  }
  for (const cpe of cpes) t.is(commandKeys(cpe).length, 1);
}

/** What a CPE and users are told. */
async function told(t: ExecutionContext, ferry: TestFerry, serial: string) {
  const cpe = new RawCpe(ferry.urls.cwmp);
  t.teardown(() => cpe.close());
  const rule = { id: `R${serial}`, file: IMAGE_NAME, condition: { serialNumber: 'none' } };
  const [session, post, image] = await Promise.all([
    cpe.post(inform({ serial })),
    ferry.nbi('POST', '/v1/dyn/FirmwareStorage/.*', rule),
    ferry.nbi('PUT', `/v1/images/i${serial}.bin`, new Uint8Array(1_000)),
  ]);
  return { session, post, image };
}

/** More than the sockets between would take by themselves. */
const IMAGE_BYTES = 16 * 1024 * 1024;

/** By the way that users take, which ends where that of CPEs does. */
async function download(ferry: TestFerry, headers = {}): Promise<http.IncomingMessage> {
  const auth = `${ADMIN.name}:${ADMIN.password}`;
  const request = http.get(`${ferry.urls.nbi}/v1/images/large.bin/content`, { auth, headers, agent: false });
  const [response] = await once(request, 'response');
  return response as http.IncomingMessage;
}

async function takeSome(response: http.IncomingMessage): Promise<Buffer> {
  await once(response, 'readable');
  return response.read() as Buffer;
}

async function rest(response: http.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function define(program: string): void {
  test.before(async () => {
    server = await DatabaseServer.launch(program);
  });
  test.after.always(() => server?.dispose());

  test.serial(
    'a fleet is upgraded through one fail-over after the other, and the death of the database',
    async (t) => {
      const { ferry } = await start(t);
      await upgraded(t, ferry, async () => {
        for (const failure of FAILOVERS) {
          await server.fail(failure, { times: 1 });
          await delay(200);
        }
        await server.heal();
        await server.kill();
        await server.start();
      });
    },
  );

  test.serial(
    'a database that is full, or refuses its user: everybody is told, and it ends by itself',
    async (t) => {
      const { ferry } = await start(t);
      for (const [serial, failure, status] of [
        ['1', { failCommands: WRITES, errorCode: 14031 }, 507],
        ['2', { failCommands: [...WRITES, ...READS], errorCode: 13 }, 503],
      ] as const) {
        await server.fail(failure, 'alwaysOn');
        const { session, post, image } = await told(t, ferry, serial);
        t.is(session.status, 503);
        t.regex(String(session.headers['retry-after']), /^\d+$/);
        t.is(post.status, status, JSON.stringify(post.body));
        t.is((post.body as { code: number }).code, status);
        t.is(image.status, status, JSON.stringify(image.body));
        await server.heal();
        const after = await told(t, ferry, `${serial}0`);
        t.deepEqual([after.session.status, after.post.status, after.image.status], [200, 200, 201]);
      }
      const said = ferry.events.filter(({ event }) => event === 'cwmp.unavailable');
      t.regex(String(said[0]?.fields['reason']), /no space left/);
      t.regex(String(said[1]?.fields['reason']), /refuses the credentials/);
    },
  );

  test.serial(
    'a database that takes a tenth of a second for each answer only makes everything slow',
    async (t) => {
      const { proxy, ferry } = await start(t);
      const cpe = createCpe(t, ferry.urls.cwmp, '1', { periodicIntervalMs: 500 });
      await postRule(t, ferry.nbi, { id: 'R', file: IMAGE_NAME, condition: { productClass: 'HGW' } });
      proxy.delayMs = 50;
      cpe.start();
      await until('it is upgraded', () => cpe.softwareVersion === NEW_VERSION);
      await until('its result is there', async () =>
        (await outcomes(ferry.nbi, cpeidOf('1'))).includes(`200 ${SUCCESS}`),
      );
      t.is(commandKeys(cpe).length, 1);
      t.false(ferry.events.some(({ event }) => event === 'cwmp.unavailable'));
    },
  );

  test.serial('more requests of CPEs than are let wait are told at once to come again', async (t) => {
    const { proxy, ferry } = await start(t, { acsOptions: { requestsMax: 3 } });
    proxy.stall();
    const cpes = Array.from({ length: 8 }, () => new RawCpe(ferry.urls.cwmp));
    t.teardown(() => {
      for (const cpe of cpes) cpe.close();
    });
    const answers = cpes.map((cpe, at) => cpe.post(inform({ serial: `${at}` })));
    const [first] = await Promise.all([
      Promise.race(answers),
      until('some are turned away', () =>
        ferry.events.some(({ fields }) => /too many requests/.test(String(fields['reason']))),
      ),
    ]);
    t.is(first.status, 503);
    t.true(ferry.installation.shared?.isAnswering, 'the others still wait');
    proxy.heal();
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    t.is(statuses.filter((status) => status === 503).length >= 5, true, `${statuses}`);
  });

  test.serial(
    'a download goes on where the database is cut off in the middle, and one that breaks off can be resumed',
    async (t) => {
      const { proxy, ferry } = await start(t);
      const image = randomBytes(IMAGE_BYTES);
      t.is((await ferry.nbi('PUT', '/v1/images/large.bin', new Uint8Array(image))).status, 201);
      const whole = await download(ferry);
      const first = await takeSome(whole);
      proxy.cut();
      await until('nobody is connected', () => proxy.connections === 0);
      proxy.heal();
      t.true(Buffer.concat([first, await rest(whole)]).equals(image));

      const broken = await download(ferry);
      const some = await takeSome(broken);
      proxy.stall();
      broken.destroy();
      await until('it is known to have broken off', () =>
        ferry.events.some(({ event, fields }) => event === 'nbi.request' && fields['status'] === 'aborted'),
      );
      proxy.heal();
      const resumed = await until('it can be resumed', async () => {
        const answer = await download(ferry, { Range: `bytes=${some.length}-` });
        if (answer.statusCode === 206) return answer;
        answer.resume();
        return null;
      });
      t.true(Buffer.concat([some, await rest(resumed)]).equals(image));
    },
  );

  test('a server whose database cannot be reached says so, without its password, and ends', async (t) => {
    const dataDir = await mkdtemp(join(tmpdir(), 'ferry-no-database-'));
    t.teardown(() => rm(dataDir, { recursive: true, force: true }));
    const child = spawn(
      process.execPath,
      [MAIN, 'serve', `--data-dir=${dataDir}`, '--store=mongodb://ferry:secret@127.0.0.1:9/ferry'],
      { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, FERRY_TEST_LOG: undefined } },
    );
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    const [code] = await once(child, 'close');
    t.is(code, 1);
    t.regex(said, /^ferry: The database at 127\.0\.0\.1:9 cannot be used: /m);
    t.notRegex(said, /secret/);
  });
}

const program = secantusd();
if (program !== null) define(program);
