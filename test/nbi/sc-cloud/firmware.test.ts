import test from 'ava';
import { HOUR_MS } from '../../../common/index.js';
import { SHARED } from '../../../firmware/index.js';
import { BY } from '../../support/actor.js';
import { postedRule } from './rules.js';
import { type Cloud, coded, fieldOf, fileForm, NOW_SECONDS, startCloud, told } from './support.js';

const paths = (body: unknown) =>
  (fieldOf(body, 'firmwares') as { 'file-path': string }[]).map((each) => each['file-path']);

async function list({ ask, as }: Cloud, query: string, whose: 'north' | 'south' | 'installation' = 'north') {
  return ask(`scapi/get-all-firmwares?${query}`, { cookies: await as(whose, 'viewer') });
}

/** An image in a build that says what devices it is for. */
async function builtImage(
  { images, image }: Cloud,
  name: string,
  family: string,
  model: string,
  version: string,
) {
  const { categories } = images.builds;
  const category = await categories.add(
    { name: `Of ${name}`, productFamily: family, productModel: model },
    BY,
    null,
  );
  const { id } = await images.builds.add({ category: category.id, version, os: null }, BY, SHARED);
  return image(name, { place: { build: id, type: model } });
}

test('each image is listed with the numbers of what it is for, and of its version', async (t) => {
  const cloud = await startCloud(t);
  const { numbers } = cloud.images.builds;
  const built = await builtImage(cloud, 'box-2.1.30.mwf', 'Acme', 'Box 9', '2.1.30');
  const plain = await cloud.image('hgw.bin', {
    metadata: { name: 'hgw.bin', softwareVersion: 'V4.2-rc7', productClass: 'HGW', hardwareVersion: 'A' },
  });
  const any = await cloud.image('any.bin');
  t.deepEqual(told(await list(cloud, 'dev-type=0')), [
    200,
    {
      result: 0,
      firmwares: [
        {
          id: any.number,
          'file-path': 'any.bin',
          'upload-date': NOW_SECONDS,
          'dev-type': 0,
          'product-id': 0,
          'firmware-id': 0,
          'hardware-ver': '',
          'marjor-ver': 0,
          'minor-ver': 0,
          'build-number': 0,
          version: '',
        },
        {
          id: built.number,
          'file-path': 'box-2.1.30.mwf',
          'upload-date': NOW_SECONDS,
          'dev-type': numbers.numberOf('family', 'Acme'),
          'product-id': numbers.numberOf('model', 'Box 9'),
          'firmware-id': 0,
          'hardware-ver': '',
          'marjor-ver': 2,
          'minor-ver': 1,
          'build-number': 30,
          version: '2.1.30',
        },
        {
          id: plain.number,
          'file-path': 'hgw.bin',
          'upload-date': NOW_SECONDS,
          'dev-type': 0,
          'product-id': numbers.numberOf('model', 'HGW'),
          'firmware-id': 0,
          'hardware-ver': 'A',
          'marjor-ver': 4,
          'minor-ver': 2,
          'build-number': 7,
          version: 'V4.2-rc7',
        },
      ],
    },
  ]);
});

test('the list is narrowed by family, model and hardware; what an image does not say keeps it from none', async (t) => {
  const cloud = await startCloud(t);
  const { numbers } = cloud.images.builds;
  await builtImage(cloud, 'a.bin', 'Acme', 'Box 9', '1.0');
  await builtImage(cloud, 'b.bin', 'Acme', 'Box 10', '1.0');
  await builtImage(cloud, 'c.bin', 'Other', 'Box 9', '1.0');
  await cloud.image('d.bin', { metadata: { name: 'd.bin', hardwareVersion: 'A' } });
  await cloud.image('e.bin');
  // A product class may be that of devices of any model.
  await cloud.image('f.bin', { metadata: { name: 'f.bin', productClass: 'HGW' } });
  const acme = numbers.numberOf('family', 'Acme');
  const box9 = numbers.numberOf('model', 'Box 9');
  const cases = [
    ['dev-type=0', ['a.bin', 'b.bin', 'c.bin', 'd.bin', 'e.bin', 'f.bin']],
    [`dev-type=${acme}`, ['a.bin', 'b.bin', 'd.bin', 'e.bin', 'f.bin']],
    [`dev-type=${acme}&product-id=${box9}`, ['a.bin', 'd.bin', 'e.bin', 'f.bin']],
    [`dev-type=${acme}&product-id=${box9}&hardware-ver=A`, ['a.bin', 'd.bin', 'e.bin', 'f.bin']],
    [`dev-type=${acme}&product-id=${box9}&hardware-ver=B`, ['a.bin', 'e.bin', 'f.bin']],
    [`dev-type=0&product-id=${box9}`, ['a.bin', 'c.bin', 'd.bin', 'e.bin', 'f.bin']],
    ['dev-type=1', ['d.bin', 'e.bin', 'f.bin']],
  ] as const;
  for (const [query, expected] of cases)
    t.deepEqual(paths((await list(cloud, query, 'installation')).body), expected, query);
});

test('a query that lacks the family, or has something else in it, is -4', async (t) => {
  const cloud = await startCloud(t);
  for (const query of ['', 'dev-type=x', 'dev-type=-1', 'dev-type=1&product-id=x', 'dev-type=0&more=1'])
    t.deepEqual(coded(await list(cloud, query)), [200, { result: -4 }], query);
});

test('users of an organization see its own images and the shared ones, and none of others', async (t) => {
  const cloud = await startCloud(t);
  await cloud.image('shared.bin');
  await cloud.image('own.bin', { organization: cloud.north.id });
  await cloud.image('theirs.bin', { organization: cloud.south.id });
  t.deepEqual(paths((await list(cloud, 'dev-type=0')).body), ['own.bin', 'shared.bin']);
  t.deepEqual(paths((await list(cloud, 'dev-type=0', 'installation')).body).sort(), [
    'own.bin',
    'shared.bin',
    'theirs.bin',
  ]);
});

test('a file that is uploaded is listed once it is added, and not before', async (t) => {
  const cloud = await startCloud(t);
  const { ask, as, images, events, tick } = cloud;
  const cookies = await as('north');
  const uploaded = await ask('uploadFirmware', { body: fileForm('box v2.mwf', 'new firmware'), cookies });
  t.deepEqual(told(uploaded), [
    200,
    {
      result: 0,
      'file-path': 'box_v2.mwf',
      'file-size': 12,
      'firmware-info': {
        'product-id': 0,
        'firmware-id': 0,
        'marjor-ver': 0,
        'minor-ver': 0,
        'build-number': 0,
        'build-time': 0,
        'product-name': '',
        'hardware-ver': '',
      },
    },
  ]);
  t.deepEqual(told(await list(cloud, 'dev-type=0')), [200, { result: 0, firmwares: [] }]);
  const image = await images.get('box_v2.mwf', cloud.north.id);
  const start = { sn: ['X'], 'firmware-id': image?.number };
  t.is(fieldOf((await ask('upgrade/start', { json: start, cookies })).body, 'result'), -5);

  tick(1);
  const add = { json: { 'file-path': 'box_v2.mwf' }, cookies };
  t.deepEqual(told(await ask('firmware/add', add)), [200, { method: 'add-firmware', result: 0 }]);
  t.deepEqual(paths((await list(cloud, 'dev-type=0')).body), ['box_v2.mwf']);
  t.deepEqual(told(await ask('firmware/add', add)), [200, { method: 'add-firmware', result: 1 }]);
  const noted = [];
  for await (const { action, subjectId, by, organization } of events.scan({
    subject: 'image',
    order: 'ascending',
  }))
    noted.push({ action, subjectId, by: by?.name, organization });
  const asked = { subjectId: 'box_v2.mwf', by: 'admin@north', organization: cloud.north.id };
  t.deepEqual(noted, [
    { action: 'added', ...asked },
    { action: 'listed', ...asked },
  ]);
});

test('a file that the library has is that one, whatever it is called', async (t) => {
  const cloud = await startCloud(t);
  const { ask, as } = cloud;
  const cookies = await as('north');
  await cloud.image('known.bin', { organization: cloud.north.id });
  const again = await ask('uploadFirmware', { body: fileForm('other.mwf', 'content of known.bin'), cookies });
  t.is(fieldOf(again.body, 'file-path'), 'known.bin');
  t.deepEqual(paths((await list(cloud, 'dev-type=0')).body), ['known.bin']);
  t.is(await cloud.images.get('other.mwf', cloud.north.id), null);
  // Another content under a name that is taken has another name.
  const renamed = await ask('uploadFirmware', { body: fileForm('known.bin', 'something else'), cookies });
  t.regex(String(fieldOf(renamed.body, 'file-path')), /^known_[A-Za-z0-9]{7}\.bin$/);
});

test('of one file that comes several times at once one image is left', async (t) => {
  const cloud = await startCloud(t);
  const { ask, as, images } = cloud;
  const cookies = await as('north');
  const replies = await Promise.all(
    [1, 2, 3].map((each) => ask('uploadFirmware', { body: fileForm(`f${each}.mwf`, 'the same'), cookies })),
  );
  t.deepEqual(
    replies.map(({ body }) => fieldOf(body, 'result')),
    [0, 0, 0],
  );
  const { items } = await images.list({ limit: 10, organization: cloud.north.id });
  t.true(items.length >= 1);
  for (const { body } of replies) {
    const path = String(fieldOf(body, 'file-path'));
    t.is(
      fieldOf((await ask('firmware/add', { json: { 'file-path': path }, cookies })).body, 'method'),
      'add-firmware',
    );
  }
});

test('what nobody adds within a day is removed, unless a rule means it by then', async (t) => {
  const cloud = await startCloud(t);
  const { ask, as, images, tick, events } = cloud;
  const upload = async (name: string, content: string, whose: 'north' | 'south' = 'north') =>
    fieldOf(
      (await ask('uploadFirmware', { body: fileForm(name, content), cookies: await as(whose) })).body,
      'result',
    );
  t.deepEqual([await upload('left.mwf', 'left'), await upload('used.mwf', 'used')], [0, 0]);
  t.is(await upload('theirs.mwf', 'theirs', 'south'), 0);
  await postedRule(cloud, 'used.mwf');
  tick(25 * HOUR_MS);
  const cookies = await cloud.logIn('admin@north');
  const reply = await ask('uploadFirmware', { body: fileForm('next.mwf', 'next'), cookies });
  t.is(fieldOf(reply.body, 'result'), 0);
  t.is(await images.get('left.mwf', cloud.north.id), null);
  // Uploads of others remove nothing.
  t.is(typeof (await images.get('theirs.mwf', cloud.south.id))?.unlistedAtMs, 'number');
  t.is((await images.get('used.mwf', cloud.north.id))?.unlistedAtMs, undefined);
  const noted = [];
  for await (const { action, subjectId, by } of events.scan({ subject: 'image', order: 'ascending' }))
    noted.push(`${action} ${subjectId} by ${by?.name ?? 'nobody'}`);
  // What happens in one moment has no order.
  t.deepEqual(noted.slice(3).sort(), [
    'added next.mwf by admin@north',
    'listed used.mwf by nobody',
    'removed left.mwf by nobody',
  ]);
});

test('files that wait to be added are few (-16), those of one organization', async (t) => {
  const { ask, as } = await startCloud(t);
  const cookies = await as('north');
  const upload = async (index: number, by = cookies) =>
    coded(await ask('uploadFirmware', { body: fileForm(`f${index}.mwf`, `file ${index}`), cookies: by }));
  for (let index = 0; index < 16; index++) await upload(index);
  t.deepEqual(await upload(16), [200, { result: -16 }]);
  const [, body] = await upload(17, await as('south'));
  t.is(fieldOf(body, 'result'), 0);
});

test('of files that come at once no more wait to be added than may (-16)', async (t) => {
  const { ask, as, image, north } = await startCloud(t);
  const cookies = await as('north');
  for (let index = 0; index < 15; index++)
    await image(`f${index}.mwf`, { organization: north.id, unlisted: true });
  const replies = await Promise.all(
    [1, 2, 3].map((each) => ask('uploadFirmware', { body: fileForm(`g${each}.mwf`, `g${each}`), cookies })),
  );
  t.deepEqual(replies.map(({ body }) => fieldOf(body, 'result')).sort(), [-16, -16, 0]);
});

test('what cannot become an image is -15, what is no form 415 or -4, what is too large 413', async (t) => {
  const { ask, as } = await startCloud(t, { imageBytesMax: 1_000 });
  const cookies = await as('north');
  t.deepEqual(coded(await ask('uploadFirmware', { body: fileForm('x.mwf', ''), cookies })), [
    200,
    { result: -15 },
  ]);
  t.deepEqual(coded(await ask('uploadFirmware', { json: {}, cookies })), [415, { result: -415 }]);
  const noFile = new FormData();
  noFile.set('name', 'x');
  t.deepEqual(coded(await ask('uploadFirmware', { body: noFile, cookies })), [200, { result: -4 }]);
  const large = fileForm('x.mwf', new Uint8Array(500_000));
  t.deepEqual(coded(await ask('uploadFirmware', { body: large, cookies })), [413, { result: -413 }]);
});

test('adding what was not uploaded, or is another’s, is -5; no path -4', async (t) => {
  const { ask, as } = await startCloud(t);
  await ask('uploadFirmware', { body: fileForm('theirs.mwf', 'theirs'), cookies: await as('south') });
  const cookies = await as('north');
  const add = async (json: unknown) => coded(await ask('firmware/add', { json, cookies }));
  const method = 'add-firmware';
  for (const path of ['theirs.mwf', 'none.mwf', '../x', ' '])
    t.deepEqual(await add({ 'file-path': path }), [200, { result: -5, method }], path);
  for (const json of [{}, { 'file-path': '' }, { 'file-path': 1 }, []])
    t.deepEqual(await add(json), [200, { result: -4, method }]);
});

test('only admins upload and add: others are told -3', async (t) => {
  const { ask, as } = await startCloud(t);
  for (const role of ['viewer', 'operator'] as const) {
    const cookies = await as('north', role);
    t.deepEqual(coded(await ask('uploadFirmware', { body: fileForm('x.mwf', 'x'), cookies })), [
      200,
      { result: -3 },
    ]);
    t.deepEqual(coded(await ask('firmware/add', { json: { 'file-path': 'x' }, cookies })), [
      200,
      { result: -3, method: 'add-firmware' },
    ]);
  }
});
