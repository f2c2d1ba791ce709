import { PassThrough, Readable } from 'node:stream';
import test from 'ava';
import { DEVICES, type Device } from '../../../acs/index.js';
import type { UploadRecord } from '../../../firmware/index.js';
import { BATCHES } from '../../../rollout/batches/index.js';
import { OPERATIONS, SYSTEM_UPDATES } from '../../../rollout/index.js';
import { newSigner } from '../../firmware/signatures/signer.js';
import { uploadOf } from '../../firmware/support.js';
import { BY } from '../../support/actor.js';
import { type Box, errorOf, SERVICE, startSystemUpdate, told } from './support.js';

const UPDATE = `${SERVICE}/update`;
const DONE = { status: 204, body: '' };
const NO_IMAGE = errorOf(409, 'UPDATE_NO_IMAGE', 'update: a valid image that fits the device: upload one');
const GONE = errorOf(
  409,
  'UPDATE_NO_IMAGE',
  'update: an image that is there for the device: the one that was made ready is not any more; reset the update',
);

test('an image that waits to be listed, and what is no firmware, is neither told of, nor deleted, nor chosen', async (t) => {
  const nbi = await startSystemUpdate(t);
  const box = await nbi.box('S1');
  const { image } = await nbi.uploads.upload({
    ...uploadOf('waits.bin', Buffer.from('a firmware')),
    by: BY,
    unlisted: true,
  });
  const numbers = [
    image.number,
    await nbi.image('settings.bin', { metadata: { fileType: 'X 00A1B2 Settings' } }),
  ];
  t.deepEqual((await nbi.api(box, 'GET', `${SERVICE}/images`)).body, { items: [] });
  for (const number of numbers)
    for (const method of ['GET', 'DELETE'])
      t.deepEqual(
        told(await nbi.api(box, method, `${SERVICE}/images/items/${number}`)),
        errorOf(404, 'RESOURCE_NOT_FOUND', 'id: the number of an image that there is for the device'),
      );
  t.deepEqual(told(await nbi.api(box, 'POST', `${UPDATE}/init`)), NO_IMAGE);
});

test('where nothing is sent that is not signed, no image is made ready that is not', async (t) => {
  const nbi = await startSystemUpdate(t, { requireSignature: true });
  const box = await nbi.box('S9');
  await nbi.image('hgw-2.bin', { version: '2.0' });
  t.deepEqual(told(await nbi.api(box, 'POST', `${UPDATE}/init`)), NO_IMAGE);
  const signer = newSigner();
  await nbi.images.keys.add({ name: 'release', text: signer.pem }, BY);
  const signature = signer.alone(Buffer.from('content of hgw-2.bin'));
  await nbi.images.sign('hgw-2.bin', signature, BY, nbi.north.id);
  t.deepEqual(told(await nbi.api(box, 'POST', `${UPDATE}/init`)), DONE);
  await nbi.ready();
  t.is(await nbi.state(box), 'INITIALIZED');
  await nbi.images.unsign('hgw-2.bin', BY, nbi.north.id);
  t.deepEqual(told(await nbi.api(box, 'POST', `${UPDATE}/start`)), GONE);
});

test('of what is on its way to a CPE it is not told what waits to be listed, or is no firmware', async (t) => {
  const nbi = await startSystemUpdate(t);
  const box = await nbi.box('S10');
  const organization = nbi.north.id;
  const begin = (name: string, said: object = { organization }, fileType?: string) =>
    nbi.uploads.begin({
      metadata: { name, ...(fileType !== undefined && { fileType }) },
      by: BY,
      uploadedBy: name,
      ...said,
    });
  const shared = await begin('shared.bin', {});
  const { number } = await begin('north.bin');
  await begin('settings.bin', { organization }, 'X 00A1B2 Settings');
  const waits = new PassThrough();
  let waiting: Promise<unknown> = Promise.resolve();
  const unlisted = await new Promise<UploadRecord>((onBegun) => {
    const upload = { ...uploadOf('waits.bin', waits), by: BY, organization, onBegun };
    waiting = nbi.uploads.upload({ ...upload, unlisted: true });
  });
  const { body } = await nbi.api(box, 'GET', `${SERVICE}/images`);
  t.deepEqual(
    (body as { readonly items: readonly { readonly id: number }[] }).items.map(({ id }) => id),
    [number],
  );
  t.is((await nbi.api(box, 'GET', `${SERVICE}/images/items/${unlisted.number}`)).status, 404);
  waits.end('a firmware');
  await waiting;
  // As a CPE without an organization is told of.
  t.deepEqual(
    (await nbi.uploads.list('', { limit: 10 })).map(({ id }) => id),
    [shared.id],
  );
});

test('of many CPEs at once a few are made ready at a time, and one image is read once for all of them', async (t) => {
  const nbi = await startSystemUpdate(t);
  const boxes: Box[] = [];
  for (let each = 0; each < 6; each++) boxes.push(await nbi.box(`S2${each}`));
  const others: Box[] = [];
  for (let each = 0; each < 4; each++) {
    const productClass = `OTHER${each}`;
    others.push(await nbi.box(`S2X${each}`, nbi.north, { productClass }));
    await nbi.image(`other-${each}.bin`, { metadata: { productClass } });
  }
  await nbi.image('hgw-2.bin', { metadata: { productClass: 'HGW' } });
  await nbi.upgrading.systemUpdates.close();
  for (const box of [...boxes, ...others])
    t.deepEqual(told(await nbi.api(box, 'POST', `${UPDATE}/init`)), DONE);
  const opened: string[] = [];
  let open = 0;
  let openMax = 0;
  const node = nbi.anotherNode(async (image) => {
    opened.push(image.name);
    const content = await nbi.images.open(image);
    if (content === null) return null;
    return {
      ...content,
      read(range) {
        open += 1;
        openMax = Math.max(openMax, open);
        return content.read(range).once('close', () => {
          open -= 1;
        });
      },
    };
  });
  await Promise.all([...boxes, ...others].map(({ cpeid }) => node.of(cpeid)));
  await node.settled();
  for (const box of [...boxes, ...others]) t.is(await nbi.state(box), 'INITIALIZED', box.cpeid);
  t.deepEqual(opened.sort(), [...others.map((_, each) => `other-${each}.bin`), 'hgw-2.bin'].sort());
  t.true(openMax <= 2, String(openMax));
});

test('where the content of the image cannot be read the update has failed, and is begun again', async (t) => {
  const nbi = await startSystemUpdate(t);
  const box = await nbi.box('S3');
  await nbi.image('hgw-2.bin', { version: '2.0' });
  await nbi.upgrading.systemUpdates.close();
  await nbi.api(box, 'POST', `${UPDATE}/init`);
  const node = nbi.anotherNode(async (image) => {
    const content = await nbi.images.open(image);
    const broken = () => Readable.from(read());
    return content === null ? null : { ...content, read: broken };
  });
  // biome-ignore lint/correctness/useYield: nothing comes of it
  async function* read(): AsyncGenerator<Buffer> {
    throw new Error('The disk is broken');
  }
  await node.of(box.cpeid);
  await node.settled();
  t.like((await nbi.api(box, 'GET', UPDATE)).body, {
    state: 'FAILED_GRACEFUL',
    state_description:
      'Failed, and the device runs what it ran before: the content of the image hgw-2.bin cannot be read now: reset the update, and begin again',
    target_version: '2.0',
  });
  t.deepEqual(told(await nbi.api(box, 'POST', `${UPDATE}/reset`)), DONE);
  await nbi.api(box, 'POST', `${UPDATE}/init`);
  const whole = nbi.anotherNode();
  await whole.of(box.cpeid);
  await whole.settled();
  t.is(await nbi.state(box), 'INITIALIZED');
});

test('only the image that was made ready is sent: where its name means another by now nothing is begun', async (t) => {
  const nbi = await startSystemUpdate(t);
  const box = await nbi.box('S4');
  await nbi.image('hgw.bin', { organization: null, version: '2.0' });
  await nbi.api(box, 'POST', `${UPDATE}/init`);
  await nbi.ready();
  await nbi.image('hgw.bin', { version: '3.0' });
  t.deepEqual(told(await nbi.api(box, 'POST', `${UPDATE}/start`)), GONE);
  t.is(await nbi.state(box), 'INITIALIZED');
  await t.throwsAsync(nbi.operationOf(box));
  t.deepEqual(told(await nbi.api(box, 'POST', `${UPDATE}/reset`)), DONE);
});

test('what was put away and was tried again is told anew, and voids what was made ready meanwhile', async (t) => {
  const nbi = await startSystemUpdate(t);
  const box = await nbi.box('S5');
  await nbi.image('hgw-2.bin', { version: '2.0' });
  const call = (name: string) => nbi.api(box, 'POST', `${UPDATE}/${name}`);
  const order = { cpeids: [box.cpeid], image: 'hgw-2.bin', organization: nbi.north.id };
  await nbi.upgrading.cpeUpgrades.start({ ...order, through: 'batches' }, BY);
  await nbi.ended(box, 'failed', { targetVersion: '2.0' });
  t.is(await nbi.state(box), 'FAILED_GRACEFUL');
  await call('reset');
  t.is(await nbi.state(box), 'IDLE');
  await nbi.ended(box, 'failed', { targetVersion: '2.0' });
  t.is(await nbi.state(box), 'FAILED_GRACEFUL');
  await call('reset');
  await call('init');
  await nbi.ready();
  t.is(await nbi.state(box), 'INITIALIZED');
  await nbi.ended(box, 'verified', { targetVersion: '2.0' });
  t.is(await nbi.state(box), 'IDLE');
});

test('a CPE that came anew has nothing of what was sent to the one before', async (t) => {
  const nbi = await startSystemUpdate(t);
  const box = await nbi.box('S6');
  await nbi.image('hgw-2.bin', { version: '2.0' });
  const order = { cpeids: [box.cpeid], image: 'hgw-2.bin', organization: nbi.north.id };
  for (const end of ['verified', 'failed'] as const) {
    nbi.tick();
    await nbi.upgrading.cpeUpgrades.start({ ...order, through: 'batches' }, BY);
    await nbi.ended(box, end, { targetVersion: '2.0' });
  }
  t.is(await nbi.state(box), 'FAILED_GRACEFUL');
  nbi.tick();
  await nbi.box('S6', nbi.south);
  const time = nbi.seconds();
  t.deepEqual((await nbi.api(box, 'GET', UPDATE, { as: nbi.as.south.viewer })).body, {
    state: 'IDLE',
    state_description: 'No update is made ready or under way',
    last_state_time: time,
    update_history: [{ time, version: '1.0' }],
  });
});

test('a CPE under another identity has what it was before: when it came, its history, and what was put away', async (t) => {
  const nbi = await startSystemUpdate(t);
  const before = await nbi.box('S7');
  const time = nbi.seconds();
  await nbi.image('hgw-2.bin', { version: '2.0' });
  const order = { cpeids: [before.cpeid], image: 'hgw-2.bin', organization: nbi.north.id };
  for (const end of ['verified', 'failed'] as const) {
    nbi.tick();
    await nbi.upgrading.cpeUpgrades.start({ ...order, through: 'batches' }, BY);
    await nbi.ended(before, end, { targetVersion: '2.0', fromVersion: '1.0' });
  }
  await nbi.api(before, 'POST', `${UPDATE}/reset`);
  const putAway = nbi.seconds();
  nbi.tick();
  const box = await nbi.box('S8', nbi.north, { supersedes: before.cpeid });
  const { body } = await nbi.api(box, 'GET', UPDATE);
  t.like(body, { state: 'IDLE', last_state_time: putAway });
  const { update_history: history } = body as { readonly update_history: readonly { time: number }[] };
  t.deepEqual(history[0], { time, version: '1.0' } as unknown as { time: number });
  t.is(history.length, 2);
  t.true((history[1]?.time ?? 0) > time);
});

test('what was made ready for one organization is nothing to another to which the CPE is moved', async (t) => {
  const nbi = await startSystemUpdate(t);
  const box = await nbi.box('S9');
  await nbi.image('hgw-2.bin', { version: '2.0' });
  await nbi.api(box, 'POST', `${UPDATE}/init`);
  await nbi.ready();
  await nbi.api(box, 'POST', `${UPDATE}/start`);
  const devices = nbi.store.collection<Device>(DEVICES);
  const stored = await devices.get(box.cpeid);
  if (stored === null) throw new Error('It is gone');
  await devices.put({ ...stored.document, organization: { id: nbi.south.id, by: 'hand' } });
  const asked = { as: nbi.as.south.operator };
  t.like((await nbi.api(box, 'GET', UPDATE, asked)).body, { state: 'IDLE', target_version: undefined });
  t.deepEqual(
    told(await nbi.api(box, 'POST', `${UPDATE}/reset`, asked)),
    errorOf(409, 'UPDATE_NOT_OWN', 'update: an update of this API: somebody else has it: withdraw it there'),
  );
});

test('an update whose batch is gone before anything was sent has failed, and is begun again', async (t) => {
  const nbi = await startSystemUpdate(t);
  const box = await nbi.box('S10');
  await nbi.image('hgw-2.bin', { version: '2.0' });
  await nbi.api(box, 'POST', `${UPDATE}/init`);
  await nbi.ready();
  await nbi.api(box, 'POST', `${UPDATE}/start`);
  const { id, batch } = await nbi.operation(await nbi.operationOf(box));
  await nbi.store.collection(OPERATIONS).delete(id);
  await nbi.store.collection(BATCHES).delete(batch);
  t.like((await nbi.api(box, 'GET', UPDATE)).body, {
    state: 'FAILED_GRACEFUL',
    state_description:
      'Failed, and the device runs what it ran before: its batch is gone before anything was sent: reset the update, and begin again',
  });
});

test('what is kept of a CPE that is gone, or came anew, is deleted', async (t) => {
  const nbi = await startSystemUpdate(t);
  const [there, gone, anew] = [await nbi.box('S11'), await nbi.box('S12'), await nbi.box('S13')];
  await nbi.image('hgw-2.bin', { version: '2.0' });
  for (const box of [there, gone, anew]) await nbi.api(box, 'POST', `${UPDATE}/init`);
  await nbi.ready();
  await nbi.store.collection<Device>(DEVICES).delete(gone.cpeid);
  await nbi.box('S13');
  await nbi.upgrading.systemUpdates.forgetGone();
  const kept: string[] = [];
  for await (const { document } of nbi.store.collection(SYSTEM_UPDATES).scan({})) kept.push(document.id);
  t.deepEqual(kept, [there.cpeid]);
  t.is(await nbi.state(there), 'INITIALIZED');
});
