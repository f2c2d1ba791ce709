import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { DEVICES, type Device } from '../../../acs/index.js';
import { DEVICE_SLOTS, FETCHES_MAX, openDeviceSlots } from '../../../rollout/index.js';
import type { SlotRecord } from '../../../rollout/slots/slot-record.js';
import { BY } from '../../support/actor.js';
import { until } from '../../support/ferry.js';
import { BOX, errorOf, standing, startSlots, type TestSlots } from './support.js';

const FETCH = '/api/firmware/fetch';
const CONTENT = 'firmware from elsewhere';
/** How far an upload has come is told once a second, as bytes come. */
const DRIP_MS = 50;
const DRIPPED_BYTES = 100_000;
const SHA256 = createHash('sha256').update(CONTENT).digest('hex');

/** A server of files; what is asked for as `/held…` begins and goes on once it is let go, `/dripping.iso` never ends. */
async function startSource(t: ExecutionContext) {
  let letGo: () => void = () => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const server = http
    .createServer((request, response) => {
      if (request.url === '/gone.iso') {
        response.writeHead(404).end();
        return;
      }
      if (request.url === '/dripping.iso') {
        response.writeHead(200, { 'Content-Length': DRIPPED_BYTES });
        const dripping = setInterval(() => response.write('x'), DRIP_MS);
        response.on('close', () => clearInterval(dripping));
        return;
      }
      response.writeHead(200, { 'Content-Length': CONTENT.length });
      if (request.url?.startsWith('/held') !== true) {
        response.end(CONTENT);
        return;
      }
      response.write(CONTENT.slice(0, 5));
      void held.then(() => response.end(CONTENT.slice(5)));
    })
    .listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    letGo();
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, letGo };
}

async function stateOf({ ask }: TestSlots, key: string): Promise<string> {
  const { body } = await ask('GET', `${FETCH}/${key}`);
  return (body as { body: { state: string } }).body.state;
}

const begin = (at: TestSlots, json: object) => at.ask('POST', FETCH, { json });
const ANYWHERE = { imageSources: ['127.0.0.0/8'] };

test('a file is fetched in the background, reserves its slot, and stands there once it is whole', async (t) => {
  const at = await startSlots(t, ANYWHERE);
  const source = await startSource(t);
  const url = `${source.url}/held.iso?x=1`;
  const answer = await begin(at, { url, checksum: { sha256: SHA256.toUpperCase() } });
  t.is(answer.status, 202);
  const entry = (state: string) => ({
    body: { checksum: { sha256: SHA256 }, error: null, slot_id: '2', state, url },
    key: '1',
    meta: {
      href: `${BOX}${FETCH}/1`,
      parent: `${BOX}${FETCH}`,
      slot: `${BOX}/api/firmware/slots/2`,
    },
  });
  t.deepEqual(answer.body, entry('queued'));
  t.is(answer.headers.get('Allow'), 'GET, POST');
  t.deepEqual(await standing(at), ['1 1.0.0 *']);
  const image = await at.image('hgw-2.bin', '2.0.0');
  const beside = await at.deviceSlots.put(at.device, image, { name: 'test', how: 'command' });
  t.is(beside.key, '3', 'the slot of the fetch is reserved');
  source.letGo();
  await until('it is whole', async () => (await stateOf(at, '1')) === 'finished');
  t.deepEqual((await at.ask('GET', `${FETCH}/1`)).body, entry('finished'));
  t.deepEqual((await at.ask('GET', FETCH)).body, {
    items: [entry('finished')],
    meta: { href: `${BOX}${FETCH}`, parent: `${BOX}/api/firmware` },
  });
  t.deepEqual(await standing(at), ['1 1.0.0 *', '2 held.iso', '3 2.0.0']);
});

test('what was fetched stands in its slot though nobody looks, whichever node has fetched it', async (t) => {
  const at = await startSlots(t, ANYWHERE);
  const source = await startSource(t);
  await begin(at, { url: `${source.url}/plain.iso` });
  await until('the image is there', async () => (await at.images.get('plain.iso', at.north.id)) !== null);
  await anotherNode(at).settle();
  const kept = await at.store.collection<SlotRecord>(DEVICE_SLOTS).get(at.device.id);
  t.like(kept?.document, { slots: { 2: { kind: 'image', version: '' } } });
});

/** The same over the same store. */
function anotherNode({ store, tick, devices, rules, images, uploads, upgrading }: TestSlots) {
  return openDeviceSlots({
    store,
    clock: () => tick(0),
    devices,
    connectionRequests: { wake: () => Promise.reject(new Error('nobody is called')) },
    rules,
    library: images,
    uploads,
    upgrades: upgrading.cpeUpgrades,
    operations: upgrading.operations,
  });
}

test('the same bytes are one image, however many devices they are fetched for at once', async (t) => {
  const at = await startSlots(t, ANYWHERE);
  const source = await startSource(t);
  const boxes = [BOX];
  for (const serialNumber of ['B1', 'B2']) {
    await at.putDeviceOf(at.north, { serialNumber, serialLabel: serialNumber.toLowerCase() });
    boxes.push(`/devices/00A1B2-HGW-${serialNumber}`);
  }
  for (const box of boxes)
    await at.ask('POST', `${box}${FETCH}`, { json: { url: `${source.url}/held.iso` } });
  source.letGo();
  for (const box of boxes)
    await until('it is whole', async () => {
      const { body } = await at.ask('GET', `${box}${FETCH}/1`);
      return (body as { body: { state: string } }).body.state === 'finished';
    });
  const names = async () => (await at.images.list({ limit: 10, organization: at.north.id })).items.length;
  t.is(await names(), 1);
  for (const box of boxes)
    t.like((await at.ask('GET', `${box}/api/firmware/slots/2`)).body, { body: { version: 'held.iso' } });
});

test('what is kept of the slots of a device that is gone, or came anew, is deleted', async (t) => {
  const at = await startSlots(t);
  const by = { name: 'test', how: 'command' } as const;
  const image = await at.image('hgw-2.bin', '2.0.0');
  await at.deviceSlots.put(at.device, image, by);
  const devices = at.store.collection<Device>(DEVICES);
  for (const serialNumber of ['G1', 'G2'])
    await at.deviceSlots.put(await at.putDeviceOf(at.north, { serialNumber }), image, by);
  const [gone, anew] = ['00A1B2-HGW-G1', '00A1B2-HGW-G2'] as const;
  await devices.delete(gone as Device['id']);
  const stored = await devices.get(anew as Device['id']);
  if (stored === null) throw new Error('It is not there');
  await devices.put({ ...stored.document, registeredMs: stored.document.registeredMs + 1 });
  await anotherNode(at).settle();
  const kept: string[] = [];
  for await (const { document } of at.store.collection(DEVICE_SLOTS).scan({})) kept.push(document.id);
  t.deepEqual(kept, [at.device.id]);
});

test('deleted while it runs a fetch is cancelled and stays in the list; deleted again it is gone', async (t) => {
  const at = await startSlots(t, { ...ANYWHERE, clock: Date.now, monotonic: () => performance.now() });
  const source = await startSource(t);
  await begin(at, { url: `${source.url}/dripping.iso` });
  await until('bytes came', async () => (await stateOf(at, '1')) === 'in-progress');
  const cancelled = await at.ask('DELETE', `${FETCH}/1`);
  t.is(cancelled.status, 200);
  const entry = {
    body: {
      checksum: null,
      error: null,
      slot_id: null,
      state: 'cancelled',
      url: `${source.url}/dripping.iso`,
    },
    key: '1',
    meta: { href: `${BOX}${FETCH}/1`, parent: `${BOX}${FETCH}` },
  };
  t.deepEqual(cancelled.body, entry);
  t.deepEqual((await at.ask('GET', `${FETCH}/1`)).body, entry);
  const gone = await at.ask('DELETE', `${FETCH}/1`);
  t.is(gone.status, 200);
  t.deepEqual(gone.body, { meta: { href: `${BOX}${FETCH}/1`, parent: `${BOX}${FETCH}` } });
  for (const method of ['GET', 'DELETE'])
    t.deepEqual(errorOf(await at.ask(method, `${FETCH}/1`)), [
      404,
      'ResourceNotFound',
      { mount_point: '/firmware/fetch', resource: '1' },
    ]);
  t.like((await begin(at, { url: `${source.url}/plain.iso` })).body, { key: '2' });
});

test('a fetch of what is not there, or is something else than it should be, fails and says why', async (t) => {
  const at = await startSlots(t, ANYWHERE);
  const source = await startSource(t);
  await begin(at, { url: `${source.url}/gone.iso` });
  await begin(at, { url: `${source.url}/plain.iso`, checksum: { sha256: '0'.repeat(64) } });
  for (const key of ['1', '2']) {
    await until('it has failed', async () => (await stateOf(at, key)) === 'failed');
    const { body } = await at.ask('GET', `${FETCH}/${key}`);
    const { error, slot_id } = (body as { body: { error: unknown; slot_id: unknown } }).body;
    t.true(typeof error === 'string' && error.length > 10);
    t.is(slot_id, null);
    t.is((await at.ask('DELETE', `${FETCH}/${key}`)).status, 200);
  }
  t.deepEqual((await at.ask('GET', FETCH)).body, {
    items: [],
    meta: { href: `${BOX}${FETCH}`, parent: `${BOX}/api/firmware` },
  });
});

test('what is asked for wrongly, or from where it may not come, begins nothing', async (t) => {
  const at = await startSlots(t);
  t.deepEqual(errorOf(await begin(at, {})), [400, 'IncompleteRequestBodyError', { missing_paths: ['url'] }]);
  const url = 'http://127.0.0.1:9/x.iso';
  t.deepEqual(errorOf(await begin(at, { url, checksum: { md5: '0' } })), [
    400,
    'IncompleteRequestBodyError',
    { missing_paths: ['checksum.sha256'] },
  ]);
  t.deepEqual(errorOf(await begin(at, { url, checksum: { sha256: 'x' } })), [
    400,
    'InvalidRequestBodyError',
    { path: 'checksum.sha256', expected: '64 hexadecimal digits' },
  ]);
  for (const wrong of [url, 'ftp://x/y', 'x', 7]) {
    const [status, type, details] = errorOf(await begin(at, { url: wrong }));
    t.deepEqual([status, type], [400, 'InvalidRequestBodyError']);
    t.like(details, { path: 'url' });
  }
  t.deepEqual(await standing(at), ['1 1.0.0 *']);
});

test('fetches of many devices wait for their turn, 100 of one user', async (t) => {
  const at = await startSlots(t, ANYWHERE);
  const source = await startSource(t);
  const states: string[] = [];
  for (let count = 1; count <= 5; count++) {
    const serialNumber = `Q${count}`;
    await at.putDeviceOf(at.north, { serialNumber, serialLabel: serialNumber.toLowerCase() });
    const path = `/devices/00A1B2-HGW-${serialNumber}${FETCH}`;
    const answer = await at.ask('POST', path, { json: { url: `${source.url}/held-${count}.iso` } });
    states.push(`${answer.status} ${(answer.body as { body: { state: string } }).body.state}`);
  }
  t.deepEqual(states, Array(5).fill('202 queued'));
  const fifth = `/devices/00A1B2-HGW-Q5${FETCH}/1`;
  t.like((await at.ask('DELETE', fifth)).body, { body: { state: 'cancelled' } });
  t.is((await at.ask('DELETE', fifth)).status, 200);
  t.is((await at.ask('GET', fifth)).status, 404);
  for (let count = 5; count <= 100; count++) {
    const metadata = { name: `more-${count}.bin` };
    const uploadedBy = 'operator@north';
    await at.uploads.begin({ metadata, by: BY, uploadedBy }, `${source.url}/held.iso`);
  }
  const refused = await begin(at, { url: `${source.url}/held.iso` });
  t.deepEqual(errorOf(refused).slice(0, 2), [429, 'TooManyRequests']);
  t.deepEqual(await standing(at), ['1 1.0.0 *']);
});

test('each fetch needs an empty slot', async (t) => {
  const at = await startSlots(t, ANYWHERE);
  const source = await startSource(t);
  for (let count = 0; count < 4; count++) {
    t.is((await begin(at, { url: `${source.url}/held-${count}.iso` })).status, 202);
  }
  t.deepEqual(errorOf(await begin(at, { url: `${source.url}/more.iso` })).slice(0, 2), [409, 'NoEmptySlot']);
});

test('32 entries are in the list at most; one that is taken out makes room', async (t) => {
  const at = await startSlots(t, ANYWHERE);
  const source = await startSource(t);
  const records = at.store.collection<SlotRecord>(DEVICE_SLOTS);
  await begin(at, { url: `${source.url}/gone.iso` });
  await until('it has failed', async () => (await stateOf(at, '1')) === 'failed');
  const stored = await records.get(at.device.id);
  const [fetch] = stored?.document.fetches ?? [];
  if (stored === null || fetch === undefined) throw new Error('nothing is kept');
  const fetches = Array.from({ length: FETCHES_MAX }, (_, index) => ({ ...fetch, key: String(index + 1) }));
  await records.put({ ...stored.document, fetches, fetchKey: FETCHES_MAX + 1 });
  const url = `${source.url}/plain.iso`;
  t.deepEqual(errorOf(await begin(at, { url })).slice(0, 2), [409, 'TooManyFetches']);
  t.is((await at.ask('DELETE', `${FETCH}/7`)).status, 200);
  t.like((await begin(at, { url })).body, { key: '33' });
});

test('what comes from an address that may not be fetched from fails', async (t) => {
  const at = await startSlots(t, { imageSources: ['10.0.0.0/8'] });
  t.is((await begin(at, { url: 'http://127.0.0.1:9/x.iso' })).status, 202);
  await until('it has failed', async () => (await stateOf(at, '1')) === 'failed');
  t.deepEqual(await standing(at), ['1 1.0.0 *']);
});
