import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import test, { type ExecutionContext } from 'ava';
import { DEVICES } from '../../acs/device/device.js';
import type { Device } from '../../acs/index.js';
import type { CpeId } from '../../common/index.js';
import { until } from '../support/ferry.js';
import { deviceOf, ruleBody, startNbi, type TestNbi, VIEWER } from './support.js';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

const DEVICES_STORED = 300;
const LONG = 'x'.repeat(100_000);
const SERIALS = Array.from({ length: DEVICES_STORED }, (_, index) => `S${index}`);
const IDS = SERIALS.map((serial) => `00A1B2-HGW-${serial}`);

/** A page of them is more than what the sockets in between hold. */
async function putDevices({ store }: TestNbi): Promise<void> {
  const devices = store.collection<Device>(DEVICES);
  await store.commit(
    SERIALS.map((serialNumber) => devices.putting(deviceOf({ serialNumber, manufacturer: LONG }))),
  );
}

/** Sends a request and takes nothing of the answer but its status. */
async function statusUnread(
  t: ExecutionContext,
  { server }: TestNbi,
  path: string,
): Promise<readonly [Socket, number]> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => {});
  t.teardown(() => socket.destroy());
  const authorization = `Basic ${Buffer.from(VIEWER).toString('base64')}`;
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\n\r\n`);
  await once(socket, 'readable');
  return [socket, Number(String(socket.read(12)).slice(9))];
}

const LIST = '/v1/dyn/DeviceStorage/';
const byIds = IDS.map((id) => `id=${id}`).join('&');

test('of what one user leaves unread no more is held than the bound and the places of lists allow', async (t) => {
  t.timeout(300_000);
  const limits = { listsPerUserMax: 1, waitSecondsMax: 0, unreadBytesPerClientMax: 1024 * 1024 };
  const nbi = await startNbi(t, { limits });
  await putDevices(nbi);
  t.is((await nbi.call(`${LIST}none`, { as: VIEWER })).status, 404);
  const requests = 10;
  for (const path of [`.*?limit=${DEVICES_STORED}`, `.*?${byIds.slice(0, 8_000).replace(/&[^&]*$/, '')}`]) {
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    const all = await Promise.all(
      Array.from({ length: requests }, () => statusUnread(t, nbi, `${LIST}${path}`)),
    );
    const statuses = all.map(([, status]) => status).toSorted();
    t.deepEqual(statuses, [200, ...Array.from({ length: requests - 1 }, () => 429)], path);
    collectGarbage();
    const held = process.memoryUsage().heapUsed - before;
    t.true(held < (requests * DEVICES_STORED * LONG.length) / 5, `${path}: ${held} bytes`);
    // Whatever is short can be had all the same.
    t.is((await nbi.call(`${LIST}${IDS[0]}`, { as: VIEWER })).status, 200);
    for (const [socket] of all) socket.destroy();
    await until(
      'the place is back',
      async () => (await nbi.call(`${LIST}.*?manufacturer=none`, { as: VIEWER })).status === 404,
    );
  }
});

test('the data models of CPEs that nobody takes are counted as pages are', async (t) => {
  const limits = { listsPerUserMax: 1, waitSecondsMax: 0, unreadBytesPerClientMax: 1024 * 1024 };
  const nbi = await startNbi(t, { limits });
  await nbi.putDevice({ serialNumber: 'S0', manufacturer: 'x'.repeat(8_000_000) });
  t.is((await nbi.call(`${LIST}none`, { as: VIEWER })).status, 404);
  const path = `${LIST}${IDS[0]}?parameters=true`;
  const all = await Promise.all(Array.from({ length: 5 }, () => statusUnread(t, nbi, path)));
  t.deepEqual(all.map(([, status]) => status).toSorted(), [200, 429, 429, 429, 429]);
  for (const [socket] of all) socket.destroy();
  await until('it can be had', async () => (await nbi.call(path, { as: VIEWER })).status === 200);
  const { body } = await nbi.call(path, { as: VIEWER });
  t.like(body, { code: 200, details: [{ id: IDS[0] as CpeId, parameters: {} }] });
});

test('an answer is the same whether it is held or read once more while it is sent', async (t) => {
  t.timeout(300_000);
  const clock = () => 1_743_400_000_000;
  const nbi = await startNbi(t, { clock });
  const strict = await startNbi(t, { clock, limits: { unreadBytesPerClientMax: 0, unreadBytesMax: 0 } });
  const ids = Array.from({ length: 70 }, (_, index) => `R${(index * 37) % 70}`);
  const names = ids.map((id) => `id=${id}`).join('&');
  const paths = [
    '.*?limit=50',
    '.*',
    `.*?${names}`,
    `.*?${names}&limit=50`,
    `.*?${names}&sort=priority`,
    '.*?sort=priority',
    '.*?sort=-priority&limit=50',
    `${ids.join('|')}?limit=69`,
    'R.*?limit=50&enabled=true',
  ];
  const rules = ids.map((id, index) =>
    ruleBody(id, { priority: index % 3, description: `${id} ${'é'.repeat(900)}` }),
  );
  for (const each of [nbi, strict]) {
    for (const portion of [rules.slice(0, 30), rules.slice(30)]) {
      t.is((await each.call('/v1/dyn/FirmwareStorage/.*', { method: 'POST', json: portion })).status, 200);
    }
  }
  for (const path of paths) {
    let [pages, after] = [0, ''];
    do {
      const url = `/v1/dyn/FirmwareStorage/${path}${after === '' ? '' : `&after=${after}`}`;
      const [held, read] = [await nbi.call(url, { as: VIEWER }), await strict.call(url, { as: VIEWER })];
      t.is(held.status, 200, url);
      t.deepEqual(read.body, held.body, url);
      const next = [held, read].map(({ headers }) => headers.get('X-Next-After'));
      t.is(next[1], next[0], url);
      after = next[0] ?? '';
      pages++;
    } while (after !== '' && pages < 2);
  }
});
