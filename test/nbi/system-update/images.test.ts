import { once } from 'node:events';
import http from 'node:http';
import test from 'ava';
import { comingView } from '../../../nbi/system-update/image-view.js';
import { Barrier, startHttpServer } from '../../e2e/simulated.js';
import { sha256Of } from '../../firmware/support.js';
import { BY } from '../../support/actor.js';
import { until } from '../../support/ferry.js';
import { type Box, errorOf, SERVICE, startSystemUpdate, type TestSystemUpdate, told } from './support.js';

const IMAGES = `${SERVICE}/images`;
const CONTENT = Buffer.from('a firmware of no format that is known');
const NO_IMAGE = errorOf(
  404,
  'RESOURCE_NOT_FOUND',
  'id: the number of an image that there is for the device',
);

interface View {
  readonly id: number;
  readonly state: string;
  readonly progress: number;
  readonly state_description: string;
}

const upload = (nbi: TestSystemUpdate, box: Box, body: Uint8Array | string = CONTENT, query = '') =>
  nbi.api(box, 'POST', `${IMAGES}/upload${query}`, { body });
const item = (nbi: TestSystemUpdate, box: Box, id: number | string) =>
  nbi.api(box, 'GET', `${IMAGES}/items/${id}`);

async function items(nbi: TestSystemUpdate, box: Box): Promise<readonly View[]> {
  const { status, body } = await nbi.api(box, 'GET', IMAGES);
  if (status !== 200) throw new Error(JSON.stringify(body));
  return (body as { readonly items: readonly View[] }).items;
}

test('what is uploaded as it is, without a type, is an image with a number, for boxes like this one', async (t) => {
  const nbi = await startSystemUpdate(t);
  const box = await nbi.box('I1');
  const { status, body } = await upload(nbi, box, CONTENT, '?version=2.0');
  t.is(status, 200);
  const { id, state_description } = body as View;
  t.regex(state_description, /^The image update_\w{7}\.bin$/);
  const shown = {
    id,
    state: 'VALID',
    state_description,
    progress: 100,
    checksum: sha256Of(CONTENT),
    version: '2.0',
  };
  t.deepEqual(body, shown);
  t.deepEqual(await items(nbi, box), [shown]);
  t.deepEqual(told(await item(nbi, box, id)), { status: 200, body: shown });
  const image = await nbi.images.withNumber(id);
  t.like(image, {
    organization: nbi.north.id,
    productClass: 'HGW',
    uploadedBy: nbi.as.north.operator.split(':')[0],
  });
  t.is((await upload(nbi, box)).status, 200);
  t.is((await items(nbi, box)).length, 2);
});

test('images that fit the device are listed, of its organization and shared, the newest first', async (t) => {
  const nbi = await startSystemUpdate(t);
  const box = await nbi.box('I2');
  t.deepEqual(await items(nbi, box), []);
  const own = await nbi.image('own.bin');
  const shared = await nbi.image('shared.bin', { organization: null });
  const others = [
    await nbi.image('south.bin', { organization: nbi.south.id }),
    await nbi.image('other.bin', { metadata: { productClass: 'OTHER' } }),
    await nbi.image('settings.bin', { metadata: { fileType: 'X 00A1B2 Settings' } }),
  ];
  t.deepEqual(
    (await items(nbi, box)).map(({ id }) => id),
    [shared, own],
  );
  t.is((await item(nbi, box, shared)).status, 200);
  for (const id of [...others.slice(0, 2), 999_999_999, 0, '01', 'x'])
    t.deepEqual(told(await item(nbi, box, id)), NO_IMAGE, String(id));
  const inSouth = await nbi.box('I2S', nbi.south);
  const { body } = await nbi.api(inSouth, 'GET', IMAGES, { as: nbi.as.installation.viewer });
  t.deepEqual(
    (body as { readonly items: readonly View[] }).items.map(({ id }) => id),
    [others[0], shared],
  );
});

test('what has come as a whole is VALIDATING, at 100', (t) => {
  const metadata = { name: 'hgw-2.bin', softwareVersion: '2.0' };
  const progress = { state: 'validating', receivedBytes: 100, sizeBytes: 100 } as const;
  const times = { uploadedBy: 'admin', beganAtMs: 0, changedAtMs: 0 };
  t.deepEqual(comingView({ id: '1', kind: 'whole', number: 123_456_789, metadata, ...progress, ...times }), {
    id: 123_456_789,
    state: 'VALIDATING',
    state_description: 'All of it has come, and is looked at',
    progress: 100,
    version: '2.0',
  });
});

/** An upload whose bytes the test sends as it likes. */
function openUpload(nbi: TestSystemUpdate, box: Box, bytes: number) {
  const { hostname, port } = new URL(nbi.url);
  const request = http.request({
    hostname,
    port,
    method: 'POST',
    path: `/devices/${box.cpeid}${IMAGES}/upload`,
    headers: {
      Authorization: `Basic ${Buffer.from(nbi.as.north.operator).toString('base64')}`,
      'Content-Length': String(bytes),
    },
  });
  request.on('error', () => {});
  return request;
}

test('an upload on its way is UPLOADING with its progress, has the number of its image, and is cancelled by DELETE', async (t) => {
  const nbi = await startSystemUpdate(t);
  const box = await nbi.box('I3');
  const request = openUpload(nbi, box, 100);
  request.write(Buffer.alloc(50));
  await until('it is listed', async () => (await items(nbi, box)).length === 1);
  const [coming] = await items(nbi, box);
  if (coming === undefined) throw new Error('Nothing comes');
  t.like(coming, { state: 'UPLOADING', state_description: 'Its bytes come' });
  t.true(Number.isInteger(coming.progress) && coming.progress >= 0 && coming.progress < 100);
  t.deepEqual(Object.keys(coming), ['id', 'state', 'state_description', 'progress']);
  request.end(Buffer.alloc(50));
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  response.resume();
  t.is(response.statusCode, 200);
  t.like((await item(nbi, box, coming.id)).body, { id: coming.id, state: 'VALID', progress: 100 });

  const cut = openUpload(nbi, box, 100);
  cut.write(Buffer.alloc(50));
  await until('it is listed', async () => (await items(nbi, box)).length === 2);
  const [second] = await items(nbi, box);
  t.is((await nbi.api(box, 'DELETE', `${IMAGES}/items/${second?.id}`)).status, 204);
  t.deepEqual(told(await item(nbi, box, second?.id ?? 0)), NO_IMAGE);
  cut.destroy();
});

test('an upload that breaks off is UPLOAD_ERROR at 100, so that nobody waits for more, until it is deleted', async (t) => {
  const nbi = await startSystemUpdate(t);
  const box = await nbi.box('I4');
  const request = openUpload(nbi, box, 100);
  request.write(Buffer.alloc(50));
  await until('it is listed', async () => (await items(nbi, box)).length === 1);
  const [{ id } = { id: 0 }] = await items(nbi, box);
  request.destroy();
  await until('it has failed', async () => (await items(nbi, box))[0]?.state === 'UPLOAD_ERROR');
  const { body } = await item(nbi, box, id);
  t.like(body, { id, state: 'UPLOAD_ERROR', progress: 100 });
  t.true((body as View).state_description.startsWith('It has not come: '));
  t.is((await nbi.api(box, 'DELETE', `${IMAGES}/items/${id}`)).status, 204);
  t.deepEqual(await items(nbi, box), []);
  t.deepEqual(told(await nbi.api(box, 'DELETE', `${IMAGES}/items/${id}`)), NO_IMAGE);
});

test('a file that is no image is answered as INVALID, and told of as such', async (t) => {
  const nbi = await startSystemUpdate(t, { strictImages: true });
  const box = await nbi.box('I5');
  const { status, body } = await upload(nbi, box, damagedUimage());
  t.is(status, 200, JSON.stringify(body));
  const { id, state_description } = body as View;
  t.deepEqual(body, { id, state: 'INVALID', state_description, progress: 100 });
  t.true(state_description.startsWith('It cannot be used: '), state_description);
  t.deepEqual(told(await item(nbi, box, id)), { status: 200, body });
  t.is((await nbi.api(box, 'POST', `${SERVICE}/update/init`)).status, 409);
});

test('fetch has an image come from a URL: UPLOADING, then VALID under the same number', async (t) => {
  const barrier = new Barrier();
  const files = await startHttpServer(t, async (request, response) => {
    if (request.url === '/gone.bin') {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'Content-Length': String(CONTENT.length) });
    response.write(CONTENT.subarray(0, 10));
    await barrier.pass();
    response.end(CONTENT.subarray(10));
  });
  const nbi = await startSystemUpdate(t, { imageSources: ['127.0.0.0/8'] });
  const box = await nbi.box('I6');
  const fetch = (json: object) => nbi.api(box, 'POST', `${IMAGES}/fetch`, { json });
  const { status, body } = await fetch({ url: `${files}/hgw-2.0.bin`, version: '2.0' });
  t.is(status, 200);
  const { id } = body as View;
  t.deepEqual(body, {
    id,
    state: 'UPLOADING',
    state_description: 'Its bytes come',
    progress: 0,
    version: '2.0',
  });
  t.like((await item(nbi, box, id)).body, { id, state: 'UPLOADING' });
  barrier.open();
  await settled(nbi, box, id);
  t.like((await item(nbi, box, id)).body, { id, state: 'VALID', progress: 100, checksum: sha256Of(CONTENT) });
  t.regex((await nbi.images.withNumber(id))?.name ?? '', /^hgw-2\.0_\w{7}\.bin$/);
  const gone = (await fetch({ url: `${files}/gone.bin` })).body as View;
  await settled(nbi, box, gone.id);
  t.like((await item(nbi, box, gone.id)).body, { id: gone.id, state: 'UPLOAD_ERROR', progress: 100 });
});

async function settled(nbi: TestSystemUpdate, box: Box, id: number): Promise<void> {
  await until('it has come, or not', async () => {
    const { body } = await item(nbi, box, id);
    return !['UPLOADING', 'VALIDATING'].includes((body as View).state);
  });
}

test('fetch is refused without a url, and from where images may not be fetched', async (t) => {
  const nbi = await startSystemUpdate(t, { imageSources: ['192.0.2.0/24'] });
  const box = await nbi.box('I7');
  const fetch = async (json: unknown) => told(await nbi.api(box, 'POST', `${IMAGES}/fetch`, { json }));
  const expected = 'url: a URL of http or https, of at most 2048 characters';
  t.deepEqual(await fetch({}), errorOf(400, 'REQUEST_INVALID_INPUT', expected));
  t.deepEqual(await fetch({ url: 7 }), errorOf(400, 'REQUEST_INVALID_INPUT', `${expected}, found 7`));
  const elsewhere = await fetch({ url: 'ftp://files.example.net/x.bin' });
  t.is(elsewhere.status, 400);
  t.like(elsewhere.body, { error_id: 'REQUEST_INVALID_INPUT' });
});

test('DELETE removes an image, but not one that a rule names, nor one that is shared or gone', async (t) => {
  const nbi = await startSystemUpdate(t);
  const box = await nbi.box('I8');
  const remove = async (id: number, as = nbi.as.north.operator) =>
    told(await nbi.api(box, 'DELETE', `${IMAGES}/items/${id}`, { as }));
  const own = await nbi.image('own.bin');
  const named = await nbi.image('named.bin');
  const shared = await nbi.image('shared.bin', { organization: null });
  t.deepEqual(await remove(own), { status: 204, body: '' });
  t.deepEqual(await remove(own), NO_IMAGE);
  const rule = { id: 'all', file: 'named.bin', condition: { cpeid: box.cpeid } };
  await nbi.rules.put([rule], { by: BY, onlyNew: false, organization: nbi.north.id });
  t.deepEqual(
    await remove(named),
    errorOf(409, 'IMAGE_IN_USE', 'name: an image that no enabled rule names: disable these rules (all)'),
  );
  t.deepEqual(
    await remove(shared),
    errorOf(
      409,
      'IMAGE_NOT_OWN',
      "id: an image of the organization itself: this one is the installation's, shared by all",
    ),
  );
  t.deepEqual(
    await remove(shared, nbi.as.north.viewer),
    errorOf(403, 'AUTH_FORBIDDEN', 'role: operator: ask an admin for it, found viewer'),
  );
  t.deepEqual(await remove(shared, nbi.as.installation.operator), { status: 204, body: '' });
});

/** The head of a U-Boot image whose checksum is another. */
function damagedUimage(): Buffer {
  const head = Buffer.alloc(128);
  head.writeUInt32BE(0x27051956, 0);
  head.writeUInt32BE(64, 12);
  return head;
}

test('a file that is too large is refused before it comes, and an empty one is', async (t) => {
  const nbi = await startSystemUpdate(t, { imageBytesMax: 1_000 });
  const box = await nbi.box('I9');
  const request = openUpload(nbi, box, 1_001);
  request.flushHeaders();
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  t.is(response.statusCode, 413);
  t.like(JSON.parse(Buffer.concat(chunks).toString()), { error_id: 'REQUEST_TOO_LARGE' });
  request.destroy();
  t.is((await upload(nbi, box, '')).status, 400);
});
