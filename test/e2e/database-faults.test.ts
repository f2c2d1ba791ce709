import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { startTestFerry, type TestFerry, until } from '../support/ferry.js';
import { mongodbUrl, portOf, proxiedUrl, testDatabase, urlOfDatabase } from '../support/mongodb.js';
import { inform, RawCpe } from '../support/raw-cpe.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
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
} from './simulated.js';

// A whole Ferry on MongoDB, and what its peers see of a bad network between the two.
const CPES = 30;
const CUT_MS = 5_000;

async function start(
  t: ExecutionContext,
  url: string,
): Promise<{ readonly ferry: TestFerry; readonly proxy: TcpProxy }> {
  const database = testDatabase(t, url);
  const proxy = await startTcpProxy(t, portOf(url));
  const store = proxiedUrl(urlOfDatabase(url, database), proxy.port);
  const ferry = await startTestFerry(t, { config: { store } });
  t.teardown(() => proxy.heal());
  return { ferry, proxy };
}

/** Ends every connection to the database, and refuses new ones for a while. */
async function cutFor(proxy: TcpProxy, cutMs: number): Promise<void> {
  proxy.cut();
  await delay(cutMs);
  proxy.heal();
}

function define(url: string): void {
  test('a database that is cut off twice while a fleet is upgraded loses nothing and does nothing twice', async (t) => {
    const { ferry, proxy } = await start(t, url);
    await uploadImage(t, ferry.nbi);
    const listener = await startListener(t);
    const serials = Array.from({ length: CPES }, (_, index) => `${index}`);
    const cpes = serials.map((serial) =>
      createCpe(t, ferry.urls.cwmp, serial, { listener, periodicIntervalMs: 1_000, rebootMs: 200 }),
    );
    await postRule(t, ferry.nbi, {
      id: 'R',
      file: IMAGE_NAME,
      condition: { productClass: 'HGW' },
      executions: 1,
    });
    const upgraded = () => cpes.filter(({ softwareVersion }) => softwareVersion === NEW_VERSION).length;
    for (const cpe of cpes) cpe.start();
    await until('the first Download is read', () => cpes.some(({ downloads }) => downloads.length > 0));
    await cutFor(proxy, CUT_MS);
    await until('the first CPE is upgraded', () => upgraded() > 0, 60_000);
    await cutFor(proxy, CUT_MS);
    await until('every CPE is upgraded', () => upgraded() === CPES, 120_000);
    for (const serial of serials) {
      const ended = async () => {
        const found = await outcomes(ferry.nbi, cpeidOf(serial));
        // None are told while the database is still taken for gone.
        return found.length > 0 && !found.includes('running') && found;
      };
      // A cut between the reservation and the answer to the Download leaves a doubt, which may end in a repeat.
      const [outcome = '', ...others] = await until(`the result of ${serial} is final`, ended, 60_000);
      t.true(
        outcome === `200 ${SUCCESS}` || outcome.startsWith(`200 ${SUCCESS}; the Download was sent again`),
        outcome,
      );
      t.deepEqual(others, []);
    }
    for (const cpe of cpes) t.is(commandKeys(cpe).length, 1);
  });

  test('while the database cannot be reached everyone is told to come again, and everything resumes by itself', async (t) => {
    const { ferry, proxy } = await start(t, url);
    await uploadImage(t, ferry.nbi);
    const path = '/v1/dyn/FirmwareStorage/.*';
    const health = () => ferry.nbi('GET', '/healthz');
    t.like(await health(), { status: 200, body: { parts: { store: 'ok', clock: 'ok' } } });
    proxy.cut();
    const cpe = new RawCpe(ferry.urls.cwmp);
    t.teardown(() => cpe.close());
    const [session, list, post, image, unhealthy] = await Promise.all([
      cpe.post(inform({ serial: '1' })),
      ferry.nbi('GET', path),
      ferry.nbi('POST', path, { id: 'R', file: IMAGE_NAME, condition: { productClass: 'HGW' } }),
      ferry.nbi('GET', `/v1/images/${IMAGE_NAME}/content`),
      health(),
    ]);
    t.is(session.status, 503);
    t.regex(String(session.headers['retry-after']), /^\d+$/);
    for (const answer of [list, post, image]) {
      t.is(answer.status, 503, JSON.stringify(answer.body));
      t.regex(answer.headers.get('retry-after') ?? '', /^\d+$/);
    }
    t.like(list.body, { code: 503 });
    t.like(unhealthy, { status: 503, body: { status: 'failing', parts: { store: 'failing', rules: 'ok' } } });
    proxy.heal();
    await until('it is healthy again', async () => (await health()).status === 200, 60_000);
    const again = new RawCpe(ferry.urls.cwmp);
    t.teardown(() => again.close());
    t.is((await again.post(inform({ serial: '1' }))).status, 200);
    t.is((await ferry.nbi('GET', `/v1/images/${IMAGE_NAME}/content`)).status, 200);
    t.is((await ferry.nbi('GET', path)).status, 404);
  });
}

const url = mongodbUrl();
if (url !== null) define(url);
