import test from 'ava';
import { BY } from '../../support/actor.js';
import { BOX, errorOf, formOf, standing, startSlots } from './support.js';

const UPLOAD = '/api/upload/firmware';

test('a file in the field firmware stands in the first empty slot, as an image of the organization', async (t) => {
  const at = await startSlots(t);
  const answer = await at.ask('POST', UPLOAD, { body: formOf('some firmware', 'hgw 2.0.0.iso') });
  t.is(answer.status, 201);
  t.deepEqual(answer.body, {
    body: {
      after_reboot: false,
      current: false,
      upgrade_news: null,
      upgrade_notes: '',
      version: 'hgw_2.0.0.iso',
    },
    key: '2',
    meta: {
      href: `${BOX}${UPLOAD}`,
      number_of_empty_slots: 3,
      slot: `${BOX}/api/firmware/slots/2`,
      test: `${BOX}/api/firmware/test`,
      upgrade: `${BOX}/api/firmware/upgrade`,
    },
  });
  t.is(answer.headers.get('Allow'), 'POST');
  t.like(await at.images.get('hgw_2.0.0.iso', at.north.id), {
    organization: at.north.id,
    uploadedBy: 'operator@north',
  });
});

test('bytes that are an image already are that image, with what is said of it', async (t) => {
  const at = await startSlots(t);
  await at.image('known.bin', '2.0.0', {}, 'the same bytes');
  for (const key of ['2', '2']) {
    const answer = await at.ask('POST', UPLOAD, { body: formOf('the same bytes', 'other.iso') });
    t.is(answer.status, 201);
    t.like(answer.body, { key, body: { version: '2.0.0' } });
  }
  t.is(await at.images.get('other.iso', at.north.id), null);
  t.deepEqual(await standing(at), ['1 1.0.0 *', '2 2.0.0']);
});

test('the same bytes for several devices at once are one image, which stands in a slot of each', async (t) => {
  const at = await startSlots(t);
  const serials = ['000201', '000202', '000203', '000204'];
  for (const serialNumber of serials) await at.putDeviceOf(at.north, { serialNumber });
  const answers = await Promise.all(
    serials.map((serial, index) =>
      at.ask('POST', `/devices/00A1B2-HGW-${serial}${UPLOAD}`, {
        body: formOf('the same bytes', `hgw-${index}.iso`),
      }),
    ),
  );
  t.deepEqual(
    answers.map(({ status }) => status),
    [201, 201, 201, 201],
  );
  for (const serial of serials) {
    const { body } = await at.ask('GET', `/devices/00A1B2-HGW-${serial}/api/firmware/slots/2`);
    const { version } = (body as { body: { version: string } }).body;
    t.regex(version, /^hgw-\d\.iso$/);
    t.not(await at.images.get(version, at.north.id), null);
  }
});

test('where no slot is empty nothing is taken; one that is emptied makes room', async (t) => {
  const at = await startSlots(t);
  for (const version of ['2', '3', '4', '5']) {
    const image = await at.image(`hgw-${version}.bin`, version);
    await at.deviceSlots.put(at.device, image, BY);
  }
  const answer = await at.ask('POST', UPLOAD, { body: formOf('more', 'more.iso') });
  t.is(answer.status, 409);
  t.deepEqual(answer.body, {
    error: {
      details: {
        expected: 'an empty slot: delete one that is neither current nor active after the next reboot',
      },
      message: 'There is no empty slot',
      type: 'NoEmptySlot',
    },
    meta: { href: `${BOX}${UPLOAD}`, parent: `${BOX}/api` },
  });
  t.is(await at.images.get('more.iso', at.north.id), null);
  t.is((await at.ask('DELETE', '/api/firmware/slots/4')).status, 200);
  t.like((await at.ask('POST', UPLOAD, { body: formOf('more', 'more.iso') })).body, { key: '4' });
});

test('a form without that field, no form, an empty file and one that is too large are refused', async (t) => {
  const at = await startSlots(t, { imageBytesMax: 300_000 });
  const ask = async (asked: Parameters<typeof at.ask>[2]) =>
    errorOf(await at.ask('POST', UPLOAD, asked)).slice(0, 2);
  t.deepEqual(errorOf(await at.ask('POST', UPLOAD, { body: formOf('x', 'x.iso', 'file') })), [
    400,
    'IncompleteRequestBodyError',
    { missing_paths: ['firmware'] },
  ]);
  t.deepEqual(await ask({ json: {} }), [415, 'UnsupportedMediaType']);
  t.deepEqual(await ask({ body: formOf('', 'x.iso') }), [400, 'InvalidRequestBodyError']);
  t.deepEqual(await ask({ body: formOf('x'.repeat(1_000_000), 'x.iso') }), [413, 'RequestEntityTooLarge']);
  t.deepEqual(await standing(at), ['1 1.0.0 *']);
});

test('a viewer uploads nothing', async (t) => {
  const at = await startSlots(t);
  const cookie = await at.sessionOf('viewer@north');
  const answer = await at.ask('POST', UPLOAD, { cookie, body: formOf('x', 'x.iso') });
  t.is(answer.status, 403);
  t.deepEqual(answer.body, {
    error: {
      details: { path: 'role', expected: 'operator: ask an admin for it', found: 'viewer' },
      message: 'The user may not do this',
      type: 'Unauthorized',
    },
    meta: { href: `${BOX}${UPLOAD}`, parent: `${BOX}/api` },
  });
});
