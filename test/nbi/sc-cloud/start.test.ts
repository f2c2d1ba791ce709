import test from 'ava';
import { UPGRADES, type Upgrade } from '../../../acs/index.js';
import type { CpeId, ResultId } from '../../../common/index.js';
import { SHARED } from '../../../firmware/index.js';
import { BATCHES, type Batch, OPERATIONS, type Operation } from '../../../rollout/index.js';
import { BY } from '../../support/actor.js';
import { upgradeOf } from '../support.js';
import { postedRule } from './rules.js';
import { type Cloud, coded, fieldOf, startCloud, told } from './support.js';

const METHOD = 'start-upgrade';

async function start({ ask, as }: Cloud, json: unknown, cookies?: string) {
  return ask('upgrade/start', { method: 'POST', json, cookies: cookies ?? (await as('north')) });
}

/** What is said of each, of an answer that begins with this result. */
function details(result: number, codes: Readonly<Record<string, number>>) {
  return [
    200,
    { result, method: METHOD, details: Object.entries(codes).map(([sn, code]) => ({ sn, result: code })) },
  ];
}

const batchesOf = async ({ store }: Cloud) => {
  const found: Batch[] = [];
  for await (const { document } of store.collection<Batch>(BATCHES).scan({})) found.push(document);
  return found;
};

/** North with one image of its own and some devices of one kind. */
async function startWithDevices(t: Parameters<typeof startCloud>[0], ...serials: readonly string[]) {
  const cloud = await startCloud(t);
  const image = await cloud.image('hgw.bin', {
    organization: cloud.north.id,
    metadata: { name: 'hgw.bin', softwareVersion: '2.0.0' },
  });
  for (const serialNumber of serials) await cloud.putDeviceOf(cloud.north, { serialNumber });
  return { ...cloud, number: image.number ?? 0 };
}

test('devices are upgraded, by serial number or cpeid, by a batch that says through what', async (t) => {
  const cloud = await startWithDevices(t, 'A1', 'A2');
  const reply = await start(cloud, { sn: ['A1', '00A1B2-HGW-A2'], 'firmware-id': cloud.number });
  t.is(reply.headers.get('Content-Type'), 'application/json; charset=utf-8');
  t.deepEqual(Object.keys(reply.body as object), ['result', 'method', 'details']);
  t.deepEqual(told(reply), details(0, { A1: 0, '00A1B2-HGW-A2': 0 }));
  const [batch, ...others] = await batchesOf(cloud);
  t.deepEqual(others, []);
  const { through, organization, by, what, persistent, listedAtMs } = batch ?? ({} as Batch);
  t.deepEqual(
    { through, organization, by, what, persistent, listedAtMs },
    {
      through: 'sc-cloud',
      organization: cloud.north.id,
      by: 'admin@north',
      what: { image: 'hgw.bin' },
      persistent: true,
      listedAtMs: undefined,
    },
  );
  const noted = [];
  for await (const { action, by: who } of cloud.events.scan({ subject: 'batch' }))
    noted.push([action, who?.name]);
  t.deepEqual(noted, [['added', 'admin@north']]);
});

test('the same again is a repeat (1), while it waits and while it runs, whoever began it; another is busy (-10)', async (t) => {
  const cloud = await startWithDevices(t, 'A1');
  const other = await cloud.image('other.bin', { organization: cloud.north.id });
  const again = { sn: ['A1'], 'firmware-id': cloud.number };
  const another = { sn: ['A1'], 'firmware-id': other.number };
  t.deepEqual(told(await start(cloud, again)), details(0, { A1: 0 }));
  t.deepEqual(told(await start(cloud, again)), details(0, { A1: 1 }));
  t.deepEqual(told(await start(cloud, another)), details(-10, { A1: -10 }));
  t.is((await batchesOf(cloud)).length, 1);
  // By another name for the same device in one call.
  t.deepEqual(
    told(await start(cloud, { sn: ['A1', '00A1B2-HGW-A1'], 'firmware-id': cloud.number })),
    details(0, { A1: 1, '00A1B2-HGW-A1': 1 }),
  );
});

test('what a rule that somebody wrote would send some time keeps from nothing, be it the same or another', async (t) => {
  const cloud = await startWithDevices(t, 'A1', 'A2');
  const other = await cloud.image('other.bin', { organization: cloud.north.id });
  await postedRule(cloud, 'hgw.bin');
  t.deepEqual(told(await start(cloud, { sn: ['A1'], 'firmware-id': cloud.number })), details(0, { A1: 0 }));
  t.deepEqual(told(await start(cloud, { sn: ['A2'], 'firmware-id': other.number })), details(0, { A2: 0 }));
});

test('of starts at once each device is upgraded by one', async (t) => {
  const serials = ['A1', 'A2', 'A3'];
  const cloud = await startWithDevices(t, ...serials);
  const other = await cloud.image('other.bin', { organization: cloud.north.id });
  const cookies = await cloud.as('north');
  const numbers = [cloud.number, other.number, cloud.number, other.number];
  const answers = await Promise.all(
    numbers.map((number, index) => {
      // Each names them from another on.
      const sn = [...serials.slice(index % 3), ...serials.slice(0, index % 3)];
      return start(cloud, { sn, 'firmware-id': number }, cookies);
    }),
  );
  const said = answers.flatMap(
    ({ body }) => fieldOf(body, 'details') as readonly { readonly sn: string; readonly result: number }[],
  );
  const pending: string[] = [];
  for await (const { document } of cloud.store.collection<Operation>(OPERATIONS).scan({}))
    if (document.state === 'pending') pending.push(document.cpeid);
  t.deepEqual(pending.sort(), ['00A1B2-HGW-A1', '00A1B2-HGW-A2', '00A1B2-HGW-A3']);
  t.deepEqual(
    said
      .filter(({ result }) => result === 0)
      .map(({ sn }) => sn)
      .sort(),
    serials,
  );
  t.deepEqual([...new Set(said.map(({ result }) => result))].sort(), [-10, 0, 1]);
});

test('who is not known, or has a serial number with others, is told so beside those that are upgraded', async (t) => {
  const cloud = await startWithDevices(t, 'A1', 'A2');
  await cloud.putDeviceOf(cloud.north, { serialNumber: 'A2', id: '00A1B2-OTHER-A2' as CpeId });
  await cloud.putDeviceOf(cloud.south, { serialNumber: 'B1' });
  await cloud.putDeviceOf(cloud.north, { serialNumber: 'W1', enrolment: 'waiting' });
  const asked = { A1: 0, A2: -8, NONE: -6, B1: -6 };
  t.deepEqual(
    told(await start(cloud, { sn: Object.keys(asked), 'firmware-id': cloud.number })),
    details(0, asked),
  );
  // Where none is upgraded the result is that of the first.
  t.deepEqual(
    told(await start(cloud, { sn: ['NONE', 'A2'], 'firmware-id': cloud.number })),
    details(-6, { NONE: -6, A2: -8 }),
  );
  t.deepEqual(
    told(await start(cloud, { sn: ['A2', 'NONE'], 'firmware-id': cloud.number })),
    details(-8, { A2: -8, NONE: -6 }),
  );
  t.is((await batchesOf(cloud)).length, 1);
});

test('devices of different family, model or hardware version are none of them upgraded (-7)', async (t) => {
  const cloud = await startWithDevices(t, 'A1', 'A2');
  await cloud.putDeviceOf(cloud.north, { serialNumber: 'F1', manufacturer: 'Other' });
  await cloud.putDeviceOf(cloud.north, { serialNumber: 'M1', modelName: 'Box 9' });
  await cloud.putDeviceOf(cloud.north, { serialNumber: 'H1', hardwareVersion: 'B' });
  for (const other of ['F1', 'M1', 'H1']) {
    t.deepEqual(
      told(await start(cloud, { sn: ['A1', other, 'NONE'], 'firmware-id': cloud.number })),
      details(-7, { A1: -7, [other]: -7, NONE: -6 }),
    );
  }
  t.deepEqual(await batchesOf(cloud), []);
});

test('a firmware that there is not, is another’s, or was not added is -5, and nothing begins', async (t) => {
  const cloud = await startWithDevices(t, 'A1');
  const theirs = await cloud.image('theirs.bin', { organization: cloud.south.id });
  const unlisted = await cloud.image('new.bin', { organization: cloud.north.id, unlisted: true });
  await cloud.image('same.bin', { organization: cloud.north.id });
  const hidden = await cloud.image('same.bin');
  const answers = [];
  for (const number of [1, 0, -5, 2_000_000_000, theirs.number, unlisted.number, hidden.number])
    answers.push(told(await start(cloud, { sn: ['A1'], 'firmware-id': number })));
  t.deepEqual(new Set(answers.map((each) => JSON.stringify(each))).size, 1);
  t.deepEqual(answers[0], [
    200,
    {
      result: -5,
      method: METHOD,
      details: [],
      message: 'firmware-id: the id of one that get-all-firmwares lists',
    },
  ]);
  t.deepEqual(await batchesOf(cloud), []);
});

test('a body that is none, names nobody, somebody twice or too many is -4', async (t) => {
  const cloud = await startWithDevices(t, 'A1');
  const number = cloud.number;
  const many = Array.from({ length: 10_001 }, (_, index) => `S${index}`);
  const bodies = [
    {},
    [],
    'text',
    { sn: ['A1'] },
    { 'firmware-id': number },
    { sn: [], 'firmware-id': number },
    { sn: 'A1', 'firmware-id': number },
    { sn: ['A1', 'A1'], 'firmware-id': number },
    { sn: ['A1', 1], 'firmware-id': number },
    { sn: [''], 'firmware-id': number },
    { sn: ['x'.repeat(401)], 'firmware-id': number },
    { sn: many, 'firmware-id': number },
    { sn: ['A1'], 'firmware-id': String(number) },
    { sn: ['A1'], 'firmware-id': 1.5 },
    { sn: null, 'firmware-id': null },
  ];
  const wrong = [200, { result: -4, method: METHOD, details: [] }];
  for (const body of bodies)
    t.deepEqual(coded(await start(cloud, body)), wrong, JSON.stringify(body).slice(0, 60));
  const raw = async (body: string, type: string) =>
    coded(
      await cloud.ask('upgrade/start', {
        method: 'POST',
        body,
        headers: { 'Content-Type': type },
        cookies: await cloud.as('north'),
      }),
    );
  t.deepEqual(await raw('{"sn":', 'application/json'), wrong);
  t.deepEqual(await raw('{"sn":["A1"],"sn":["A1"],"firmware-id":1}', 'application/json'), wrong);
  t.deepEqual(await raw('{}', 'text/plain'), [415, { result: -415, method: METHOD, details: [] }]);
  t.deepEqual(await raw(`"${'x'.repeat(1024 * 1024)}"`, 'application/json'), [
    413,
    { result: -413, method: METHOD, details: [] },
  ]);
  t.deepEqual(await batchesOf(cloud), []);
});

test('fields that nobody knows are passed over, as clients may have more', async (t) => {
  const cloud = await startWithDevices(t, 'A1');
  t.deepEqual(
    told(await start(cloud, { sn: ['A1'], 'firmware-id': cloud.number, force: true })),
    details(0, { A1: 0 }),
  );
});

test('only admins start upgrades: others are told -3', async (t) => {
  const cloud = await startWithDevices(t, 'A1');
  for (const role of ['viewer', 'operator'] as const) {
    const reply = await start(
      cloud,
      { sn: ['A1'], 'firmware-id': cloud.number },
      await cloud.as('north', role),
    );
    t.deepEqual(coded(reply), [200, { result: -3, method: METHOD, details: [] }]);
  }
  t.deepEqual(await batchesOf(cloud), []);
});

test('an image that says what it is for is not sent to others (-9)', async (t) => {
  const cloud = await startWithDevices(t, 'A1');
  const { images, north, image, putDeviceOf } = cloud;
  await putDeviceOf(north, { serialNumber: 'H1', hardwareVersion: 'A', modelName: 'Box 9' });
  const forHardware = await image('a.bin', { metadata: { name: 'a.bin', hardwareVersion: 'A' } });
  const forClass = await image('c.bin', { metadata: { name: 'c.bin', productClass: 'OTHER' } });
  const product = { name: 'Boxes', productFamily: 'Example', productModel: 'Box 9' };
  const category = await images.builds.categories.add(product, BY, null);
  const { id } = await images.builds.add({ category: category.id, version: '3', os: null }, BY, SHARED);
  const forModel = await image('m.bin', { place: { build: id, type: 'Box 9' } });
  const cases: readonly (readonly [{ readonly number?: number }, string, number])[] = [
    [forHardware, 'A1', -9],
    [forHardware, 'H1', 0],
    [forClass, 'A1', -9],
    [forModel, 'A1', -9],
    [{ number: cloud.number }, 'A1', 0],
  ];
  for (const [{ number }, sn, code] of cases)
    t.deepEqual(told(await start(cloud, { sn: [sn], 'firmware-id': number })), details(code, { [sn]: code }));
});

test('an admin of the installation upgrades those of any organization, and by an image of one those of it alone', async (t) => {
  const cloud = await startWithDevices(t, 'A1');
  await cloud.putDeviceOf(cloud.south, { serialNumber: 'B1' });
  const shared = await cloud.image('shared.bin');
  const cookies = await cloud.as('installation');
  t.deepEqual(
    told(await start(cloud, { sn: ['A1', 'B1'], 'firmware-id': cloud.number }, cookies)),
    details(0, { A1: 0, B1: -6 }),
  );
  t.deepEqual(
    told(await start(cloud, { sn: ['A1', 'B1'], 'firmware-id': shared.number }, cookies)),
    details(0, { A1: -10, B1: 0 }),
  );
});

test('get-dev tells how far an upgrade is, and by its code how it has ended', async (t) => {
  const cloud = await startWithDevices(t, 'A1');
  const { store, ask } = cloud;
  const cookies = await cloud.as('north');
  const cpeid = '00A1B2-HGW-A1' as CpeId;
  const seen = async () => {
    const { body } = await ask('scapi/get-dev?sn=A1', { cookies });
    const dev = fieldOf(body, 'dev');
    return [fieldOf(dev, 'is-upload-file'), fieldOf(dev, 'upload-file-pos'), fieldOf(body, 'details')];
  };
  const details1 = (result: number, message?: string) => [{ sn: 'A1', result, ...(message && { message }) }];
  t.deepEqual(await seen(), [0, 0, details1(0)]);
  await start(cloud, { sn: ['A1'], 'firmware-id': cloud.number });
  t.deepEqual(await seen(), [0, 0, details1(0)]);

  const operations = store.collection<Operation>(OPERATIONS);
  let pending: Operation | undefined;
  for await (const { document } of operations.scan({})) pending = document;
  if (pending === undefined) throw new Error('There is no operation');
  const id = 'running' as ResultId;
  const run = async (more: Partial<Upgrade>, isRunning: boolean) => {
    const owner = { kind: 'batch', id: pending.batch } as const;
    const upgrade = upgradeOf({
      cpeid,
      campaignid: pending.ruleId as never,
      owner,
      id,
      status: false,
      ...more,
    });
    await store.collection<Upgrade>(UPGRADES).put(upgrade);
    await cloud.putDeviceOf(cloud.north, { serialNumber: 'A1', ...(isRunning && { inFlight: id }) });
  };
  await operations.put({ ...pending, state: 'running', resultId: id, attempts: 1 });
  await run({ state: 'sent' }, true);
  t.deepEqual(await seen(), [1, 0, details1(0)]);
  const devs = fieldOf((await ask('scapi/get-devs', { cookies })).body, 'devs');
  t.is(fieldOf((devs as unknown[])[0], 'is-upload-file'), 1);
  await run({ state: 'transferred' }, true);
  t.deepEqual(await seen(), [1, 100, details1(0)]);
});

test('get-dev tells by its code how the last upgrade has ended', async (t) => {
  const { ask, as, store, north, putDeviceOf } = await startCloud(t);
  const cookies = await as('north');
  const { id: cpeid } = await putDeviceOf(north, { serialNumber: 'A1' });
  const ended = async (state: Upgrade['state'], more: Partial<Upgrade> = {}) => {
    const id = 'ended' as ResultId;
    const upgrade = upgradeOf({ cpeid, campaignid: 'RULE' as never, id, state, ...more });
    await store.collection<Upgrade>(UPGRADES).put(upgrade);
    const { body } = await ask('scapi/get-dev?sn=A1', { cookies });
    t.is(fieldOf(fieldOf(body, 'dev'), 'is-upload-file'), 0);
    return fieldOf(body, 'details');
  };
  t.deepEqual(await ended('verified'), [{ sn: 'A1', result: 0 }]);
  t.deepEqual(await ended('failed', { fault: 9010, result: { code: 500, message: 'it broke off' } }), [
    { sn: 'A1', result: -12, message: 'it broke off' },
  ]);
  t.deepEqual(await ended('timed-out', { result: { code: 408, message: 'gone' } }), [
    { sn: 'A1', result: -13, message: 'gone' },
  ]);
  t.deepEqual(await ended('cancelled', { result: { code: 499, message: 'cancelled' } }), [
    { sn: 'A1', result: 0 },
  ]);
});
