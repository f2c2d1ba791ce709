import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { nbiClient, until } from '../support/ferry.js';
import { FerryProcess, freePorts, type Ports } from '../support/ferry-process.js';
import { portOf, proxiedUrl, testDatabase, urlOfDatabase } from '../support/mongodb.js';
import { inform } from '../support/raw-cpe.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';

// A whole `ferry serve` whose database takes what it is sent and says nothing, and the crowd that comes meanwhile.
const LARGE_VALUE = 'x'.repeat(250_000);
const RULE_BYTES = 200_000;
/** However slow the machine that plays the crowd. */
const ANSWERED_MS_MAX = 300_000;
/**
 * What the crowd may cost: 64 MiB of CPEs' bodies and as many of users', each of which becomes text and then values, and 4,000 requests
 * of CPEs and 1,000 of users with some 20 kB each; and what the heap holds on to before it is collected.
 */
const GROWTH_BYTES_MAX = 500 * 1024 * 1024;
const FILES: readonly string[] = ['/v1/dyn/FirmwareStorage/.*', '/v1/images', '/v1/dyn/DeviceStorage/.*'];

/** Who comes at once. */
export interface Crowd {
  readonly cpes: number;
  /** CPEs with much to say. */
  readonly largeInforms: number;
  /** Users who post a rule. */
  readonly rules: number;
  readonly readers: number;
}

interface Told {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly body: string;
}

function ask(port: number, options: http.RequestOptions, body: string, agent: http.Agent): Promise<Told> {
  return new Promise((resolve, reject) => {
    const request = http.request(
      { port, host: '127.0.0.1', method: 'POST', agent, ...options },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            retryAfter: response.headers['retry-after'],
            body: Buffer.concat(chunks).toString(),
          }),
        );
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

interface Setting {
  readonly ferry: FerryProcess;
  readonly ports: Ports;
  readonly proxy: TcpProxy;
  readonly nbi: ReturnType<typeof nbiClient>;
}

async function start(t: ExecutionContext, url: string): Promise<Setting> {
  const database = testDatabase(t, url);
  const proxy = await startTcpProxy(t, portOf(url));
  const dataDir = await mkdtemp(join(tmpdir(), 'ferry-silent-'));
  const ports = await freePorts();
  const store = proxiedUrl(urlOfDatabase(url, database), proxy.port);
  const ferry = await FerryProcess.start(dataDir, ports, [`--store=${store}`]);
  t.teardown(async () => {
    proxy.heal();
    await ferry.stop();
    await rm(dataDir, { recursive: true, force: true });
  });
  return { ferry, ports, proxy, nbi: nbiClient(`http://127.0.0.1:${ports.nbi}`) };
}

/** @returns what each of them is told */
async function send(
  t: ExecutionContext,
  { ports }: Setting,
  name: string,
  { cpes, largeInforms, rules, readers }: Crowd,
): Promise<Told[]> {
  const agent = new http.Agent({ maxSockets: Number.POSITIVE_INFINITY });
  t.teardown(() => agent.destroy());
  const authorization = `Basic ${Buffer.from('admin:a test password').toString('base64')}`;
  const xml = { headers: { 'Content-Type': 'text/xml' }, path: '/' };
  const cpe = (serial: string, parameters = {}) =>
    ask(ports.cwmp, xml, inform({ serial, parameters }), agent);
  const json = { 'Content-Type': 'application/json', Authorization: authorization };
  const rule = (id: string) => ({ id, file: 'f.bin', condition: {}, description: 'x'.repeat(RULE_BYTES) });
  // One address has half of the connections.
  const user = (method: string, path: string, at: number, body = '') =>
    ask(ports.nbi, { method, path, headers: json, localAddress: `127.0.0.${2 + (at % 4)}` }, body, agent);
  return Promise.all([
    ...Array.from({ length: largeInforms }, (_, at) =>
      cpe(`${name}-large-${at}`, { 'Device.DeviceInfo.X_VendorConfig': LARGE_VALUE }),
    ),
    ...Array.from({ length: rules }, (_, at) =>
      user('POST', '/v1/dyn/FirmwareStorage/.*', at, JSON.stringify(rule(`${name}-${at}`))),
    ),
    ...Array.from({ length: readers }, (_, at) => user('GET', FILES[at % FILES.length] ?? '', at)),
    ...Array.from({ length: cpes }, (_, at) => cpe(`${name}-${at}`)),
  ]);
}

/** The highest that the memory of `ferry` gets until `ended`. */
async function peakBytes(ferry: FerryProcess, ended: Promise<unknown>): Promise<number> {
  let peak = 0;
  let isOver = false;
  const over = () => {
    isOver = true;
  };
  ended.then(over, over);
  const look = async () => {
    peak = Math.max(peak, await ferry.anonymousBytes());
    return isOver;
  };
  await until('the crowd is answered', look, ANSWERED_MS_MAX);
  return peak;
}

/**
 * A database that falls silent while a crowd comes: each is told to come again, those who come later at once, memory stays
 * bounded, the log short, and everything resumes by itself.
 */
export async function silentRound(t: ExecutionContext, url: string, crowd: Crowd): Promise<void> {
  const setting = await start(t, url);
  const { ferry, proxy, nbi, ports } = setting;
  t.is((await nbi('PUT', '/v1/images/f.bin?softwareVersion=2', new Uint8Array(1_000))).status, 201);
  t.is((await nbi('GET', '/healthz')).status, 200);
  const metrics = async () => String((await nbi('GET', '/metrics')).body);
  t.regex(await metrics(), /^ferry_store_answering 1$/m);
  const before = await ferry.anonymousBytes();

  proxy.stall();
  const asked = send(t, setting, 'first', crowd);
  const peak = await peakBytes(ferry, asked);
  for (const { status, retryAfter, body } of await asked) {
    if (!/^\d+$/.test(retryAfter ?? '')) t.fail(`${status} ${retryAfter} ${body}`);
    // CPEs are told without words, users in their API's; who has all that one user may is told that.
    if (body === '') t.is(status, 503);
    else t.is((JSON.parse(body) as { code: number }).code, status === 429 ? 429 : 503);
  }
  t.log(`the memory grew by ${((peak - before) / 2 ** 20).toFixed(0)} MiB`);
  t.true(peak - before < GROWTH_BYTES_MAX);
  t.true(proxy.connections < 120, `${proxy.connections} connections to the database`);

  await until('the database is taken for gone', async () =>
    /^ferry_store_answering 0$/m.test(await metrics()),
  );
  t.like(await nbi('GET', '/healthz'), {
    status: 503,
    body: { status: 'failing', parts: { store: 'failing' } },
  });
  const again = await send(t, setting, 'second', { ...crowd, cpes: 200, largeInforms: 20 });
  t.deepEqual(
    again.filter(({ status, body }) => status !== 503 && (status !== 429 || body === '')),
    [],
  );
  for (const event of ['cwmp.unavailable', 'store.commit-failed', 'store.silent', 'store.commit-repeated']) {
    t.true((ferry.logged.get(event) ?? 0) <= 20, `${event}: ${ferry.logged.get(event)} lines`);
  }

  proxy.heal();
  await until('it is healthy again', async () => (await nbi('GET', '/healthz')).status === 200);
  t.regex(await metrics(), /^ferry_store_answering 1$/m);
  const agent = new http.Agent();
  t.is((await ask(ports.cwmp, { path: '/' }, inform({ serial: 'after' }), agent)).status, 200);
  t.log([...ferry.logged].map(([event, count]) => `${event} ${count}`).join(', '));
}
