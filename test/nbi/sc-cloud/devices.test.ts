import test from 'ava';
import type { CpeId } from '../../../common/index.js';
import { DAY_MS } from '../../../common/index.js';
import { CODES } from '../../../nbi/sc-cloud/codes.js';
import { codeOfReason } from '../../../nbi/sc-cloud/progress.js';
import { versionNumbers } from '../../../nbi/sc-cloud/version-numbers.js';
import { OPERATION_REASONS } from '../../../rollout/index.js';
import { type Cloud, coded, fieldOf, NOW_SECONDS, START_MS, startCloud, told } from './support.js';

const list = async ({ ask, as }: Cloud, query: string, whose: 'north' | 'installation' = 'north') =>
  ask(`scapi/get-devs?${query}`, { cookies: await as(whose, 'viewer') });

const serials = (body: unknown) => (fieldOf(body, 'devs') as { sn: string }[]).map(({ sn }) => sn);

const SEEN = { registeredMs: START_MS - DAY_MS, lastInformMs: START_MS } as const;

/** As both calls show it. */
async function shown({ images: { builds } }: Cloud, sn: string, more: object = {}) {
  return {
    'catalog-id': 0,
    sn,
    cpeid: `00A1B2-HGW-${sn}`,
    module: builds.numbers.numberOf('family', 'Example'),
    'dev-warning': 0,
    'is-everyone': 1,
    users: [],
    'apply-date': NOW_SECONDS - DAY_MS / 1_000,
    'online-date': NOW_SECONDS,
    'is-upload-file': 0,
    'upload-file-pos': 0,
    status: {
      name: sn,
      'product-id': builds.numbers.numberOf('model', 'HGW'),
      'module-name': 'HGW',
      'hardware-ver': '',
      'marjor-ver': 1,
      'minor-ver': 0,
      'build-number': 0,
      version: '1.0.0',
    },
    ...more,
  };
}

test('devices are listed and shown with their numbers, versions and times', async (t) => {
  const cloud = await startCloud(t);
  const { ask, as, north, putDeviceOf } = cloud;
  await putDeviceOf(north, { serialNumber: 'A1', ...SEEN });
  await putDeviceOf(north, {
    serialNumber: 'A2',
    ...SEEN,
    lastInformMs: START_MS - 2 * DAY_MS,
    modelName: 'Box 9',
    hardwareVersion: 'B',
    softwareVersion: 'V2.1-rc30',
  });
  const { numbers } = cloud.images.builds;
  const second = await shown(cloud, 'A2', {
    'online-date': 0,
    status: {
      name: 'A2',
      'product-id': numbers.numberOf('model', 'Box 9'),
      'module-name': 'Box 9',
      'hardware-ver': 'B',
      'marjor-ver': 2,
      'minor-ver': 1,
      'build-number': 30,
      version: 'V2.1-rc30',
    },
  });
  t.deepEqual(told(await list(cloud, 'id=0&module=0')), [
    200,
    { result: 0, devs: [await shown(cloud, 'A1'), second] },
  ]);
  const cookies = await as('north', 'viewer');
  for (const sn of ['A2', '00A1B2-HGW-A2'])
    t.deepEqual(told(await ask(`scapi/get-dev?sn=${sn}`, { cookies })), [
      200,
      { result: 0, dev: second, details: [{ sn, result: 0 }] },
    ]);
});

test('the list is narrowed by family, and has one group', async (t) => {
  const cloud = await startCloud(t);
  await cloud.putDeviceOf(cloud.north, { serialNumber: 'A1' });
  await cloud.putDeviceOf(cloud.north, { serialNumber: 'A2', manufacturer: 'Acme' });
  const acme = cloud.images.builds.numbers.numberOf('family', 'Acme');
  const cases = [
    ['', ['A1', 'A2']],
    [`module=${acme}`, ['A2']],
    ['module=1', []],
    ['id=1', []],
  ] as const;
  for (const [query, expected] of cases)
    t.deepEqual(serials((await list(cloud, query)).body), expected, query);
  for (const query of ['id=x', 'module=-1', 'more=1'])
    t.deepEqual(coded(await list(cloud, query)), [200, { result: -4 }]);
});

test('a number is the same whenever and by whomever it is asked for', async (t) => {
  const cloud = await startCloud(t);
  await cloud.putDeviceOf(cloud.north, { serialNumber: 'A1' });
  const first = (await list(cloud, '')).body;
  t.deepEqual((await list(cloud, '', 'installation')).body, first);
});

test('what another organization has, waits to be approved or goes by another identity is in no list', async (t) => {
  const cloud = await startCloud(t, { enrol: 'approve' });
  await cloud.putDeviceOf(cloud.south, { serialNumber: 'B1' });
  await cloud.putDeviceOf(cloud.north, { serialNumber: 'A1' });
  await cloud.putDeviceOf(cloud.north, { serialNumber: 'W1', enrolment: 'waiting' });
  // Anybody can say a serial number: that one waits takes it from none.
  const other = { id: '00A1B2-W-A1' as CpeId, enrolment: 'waiting' } as const;
  await cloud.putDeviceOf(cloud.north, { serialNumber: 'A1', ...other });
  const named = await cloud.ask('scapi/get-dev?sn=A1', { cookies: await cloud.as('north') });
  t.deepEqual(fieldOf(named.body, 'details'), [{ sn: 'A1', result: 0 }]);
  await cloud.putDeviceOf(cloud.north, { serialNumber: 'O1', supersededBy: '00A1B2-HGW-A1' as never });
  t.deepEqual(serials((await list(cloud, '')).body), ['A1']);
  t.deepEqual(serials((await list(cloud, '', 'installation')).body), ['A1', 'B1']);
  const one = async (sn: string) =>
    coded(await cloud.ask(`scapi/get-dev?sn=${sn}`, { cookies: await cloud.as('north') }));
  t.deepEqual(await one('B1'), await one('NONE'));
  t.deepEqual(await one('B1'), [200, { result: -6 }]);
  t.deepEqual(await one('W1'), [200, { result: -11 }]);
  t.is(fieldOf((await one('00A1B2-HGW-O1'))[1], 'result'), 0);
});

test('a serial number that several have is ambiguous (-8), and each of them has its cpeid', async (t) => {
  const { ask, as, north, south, putDeviceOf } = await startCloud(t);
  await putDeviceOf(north, { serialNumber: 'A1' });
  await putDeviceOf(north, { serialNumber: 'A1', id: '00A1B2-OTHER-A1' as never, productClass: 'OTHER' });
  await putDeviceOf(south, { serialNumber: 'C1' });
  await putDeviceOf(north, { serialNumber: 'C1', id: '00A1B2-OTHER-C1' as never });
  const cookies = await as('north');
  const one = async (sn: string) => told(await ask(`scapi/get-dev?sn=${sn}`, { cookies }));
  t.deepEqual(await one('A1'), [
    200,
    {
      result: -8,
      message: 'sn: the cpeid: several devices have the serial number A1: 00A1B2-HGW-A1, 00A1B2-OTHER-A1',
    },
  ]);
  t.is(fieldOf((await one('00A1B2-HGW-A1'))[1], 'result'), 0);
  // Only those count that whoever asks sees.
  t.is(fieldOf((await one('C1'))[1], 'result'), 0);
  for (const query of ['', '?sn=', '?sn=A1&sn=C1'])
    t.true(
      [-4, -6].includes(Number(fieldOf((await ask(`scapi/get-dev${query}`, { cookies })).body, 'result'))),
    );
});

test('a list of ten thousand devices comes whole, while other requests are answered', async (t) => {
  const cloud = await startCloud(t);
  const { store, ask, as } = cloud;
  const { deviceOf } = await import('../support.js');
  const { DEVICES } = await import('../../../acs/index.js');
  const devices = store.collection<ReturnType<typeof deviceOf>>(DEVICES);
  const COUNT = 10_050;
  const serialOf = (index: number) => `S${String(index).padStart(6, '0')}`;
  for (let from = 0; from < COUNT; from += 500) {
    const some = Array.from({ length: Math.min(500, COUNT - from) }, (_, index) =>
      devices.inserting(
        deviceOf({
          serialNumber: serialOf(from + index),
          organization: { id: cloud.north.id, by: 'hand' },
        }),
      ),
    );
    await store.commit(some);
  }
  const cookies = await as('north', 'viewer');
  const [reply, beside] = await Promise.all([
    list(cloud, ''),
    ask(`scapi/get-dev?sn=${serialOf(COUNT - 1)}`, { cookies }),
  ]);
  t.is(serials(reply.body).length, COUNT);
  t.is(reply.headers.get('Content-Length'), null);
  t.is(fieldOf(beside.body, 'result'), 0);
});

test('every reason for which nothing is sent, and every number in a version, has its code', (t) => {
  const failed = OPERATION_REASONS.filter((reason) => codeOfReason(reason) === CODES.failed);
  t.deepEqual(
    failed.filter((reason) => !reason.startsWith('fault-')),
    ['old-version', 'other-version', 'withdrawn', 'rule-gone'],
  );
  const numbers = (version?: string) => Object.values(versionNumbers(version));
  t.deepEqual(numbers('1.2.3'), [1, 2, 3]);
  t.deepEqual(numbers('V10'), [10, 0, 0]);
  t.deepEqual(numbers(), [0, 0, 0]);
  t.deepEqual(numbers('none'), [0, 0, 0]);
  t.deepEqual(numbers('12345678901234567890'), [123_456_789, 12_345_678, 90]);
});
