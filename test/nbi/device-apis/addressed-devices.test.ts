import test, { type ExecutionContext } from 'ava';
import type { CpeId } from '../../../common/index.js';
import type { TestNbiOptions } from '../support.js';
import { startWithTwo, type TwoOrganizations } from '../two-organizations.js';
import { ask, boxApi, DOMAIN } from './box.js';

const BOX = '/api/firmware-slots/box';

function start(t: ExecutionContext, options: TestNbiOptions = {}): Promise<TwoOrganizations> {
  return startWithTwo(t, {
    ...options,
    deviceDomain: DOMAIN,
    beside: (parts) => [boxApi(parts, 'firmware-slots')],
  });
}

const byHost = (nbi: TwoOrganizations, label: string, as: string) =>
  ask(nbi.url, BOX, { as, headers: { Host: `${label}.${DOMAIN}` } });
const byPath = (nbi: TwoOrganizations, name: string, as: string) =>
  ask(nbi.url, `/devices/${name}${BOX}`, { as });

const idIn = ({ body }: { readonly body: unknown }) =>
  (body as { readonly details: { readonly id?: string } }).details.id;

function unknown(name: string) {
  return {
    code: 404,
    message: 'response from firmware-slots',
    details: [
      {
        field: 'device',
        code: 'unknown-device',
        expected: 'a CPE that there is: its cpeid, its UUID, or its serial number in lower case',
        found: JSON.stringify(name),
      },
    ],
  };
}

test('of CPEs with one serial number only those count that the user sees: one is meant, of several the form by path is told', async (t) => {
  const nbi = await start(t);
  const { north, south, as } = nbi;
  const serial = { serialNumber: 'S1', serialLabel: 's1' };
  const own = await nbi.putDeviceOf(north, { ...serial, id: 'N-S1' as CpeId });
  const other = await nbi.putDeviceOf(south, { ...serial, id: 'S-S1' as CpeId });
  t.is(idIn(await byHost(nbi, 's1', as.north.viewer)), own.id);
  t.is(idIn(await byHost(nbi, 'S1', as.south.viewer)), other.id);
  const several = await byHost(nbi, 's1', as.installation.viewer);
  t.is(several.status, 421);
  t.deepEqual(several.body, {
    code: 421,
    message: 'response from firmware-slots',
    details: [
      {
        field: 'device',
        code: 'ambiguous-device',
        expected:
          'the name of one CPE: several have this one; reach one by path, as /devices/N-S1/api, /devices/S-S1/api',
        found: '"s1"',
        ids: ['N-S1', 'S-S1'],
      },
    ],
  });
  for (const id of ['N-S1', 'S-S1']) t.is(idIn(await byPath(nbi, id, as.installation.viewer)), id);
});

test('a CPE of another organization is as unknown as one that there is not, by whatever name', async (t) => {
  const nbi = await start(t);
  const { south, as } = nbi;
  const id = 'S-S2' as CpeId;
  const uuid = nbi.deviceIds.idOf(id);
  await nbi.putDeviceOf(south, { id, uuid, serialNumber: 'S2', serialLabel: 's2' });
  for (const name of ['s2', uuid, 'none', nbi.deviceIds.idOf('none' as CpeId)]) {
    const { status, body } = await byHost(nbi, name, as.north.admin);
    t.deepEqual({ status, body }, { status: 404, body: unknown(name) });
  }
  for (const name of [id, 's2', uuid, 'S-none']) {
    const { status, body } = await byPath(nbi, name, as.north.admin);
    t.deepEqual({ status, body }, { status: 404, body: unknown(name) });
    t.is((await byPath(nbi, name, 'nobody:x')).status, 401);
  }
});

test('at most ten of many are told, and others of other organizations keep none from being found', async (t) => {
  const nbi = await start(t);
  const { north, south, as } = nbi;
  const put = (index: number) =>
    nbi.putDeviceOf(south, {
      id: `A-${index + 10}-S3` as CpeId,
      serialNumber: 'S3',
      serialLabel: 's3',
    });
  await Promise.all(Array.from({ length: 12 }, (_, index) => put(index)));
  await nbi.putDeviceOf(north, { id: 'Z-S3' as CpeId, serialNumber: 'S3', serialLabel: 's3' });
  t.is(idIn(await byHost(nbi, 's3', as.north.viewer)), 'Z-S3');
  const { body } = await byHost(nbi, 's3', as.south.viewer);
  const [{ ids, expected }] = (
    body as { readonly details: readonly [{ readonly ids: readonly string[]; readonly expected: string }] }
  ).details;
  t.is(ids.length, 10);
  t.true(expected.endsWith('/devices/A-19-S3/api, …'));
});

test('an identity that a CPE no longer goes by has no label; its cpeid and UUID lead to what the CPE goes by now', async (t) => {
  const nbi = await start(t);
  const { as } = nbi;
  const serial = { serialNumber: 'S4', serialLabel: 's4' };
  const uuid = nbi.deviceIds.idOf('OLD-S4' as CpeId);
  await nbi.putDevice({ ...serial, id: 'OLD-S4' as CpeId, supersededBy: 'NEW-S4' as CpeId, uuid });
  t.is((await byHost(nbi, 's4', as.installation.viewer)).status, 404);
  t.is(idIn(await byPath(nbi, 'OLD-S4', as.installation.viewer)), 'OLD-S4');
  await nbi.putDevice({ ...serial, id: 'NEW-S4' as CpeId });
  t.is(idIn(await byHost(nbi, 's4', as.installation.viewer)), 'NEW-S4');
  t.is(idIn(await byPath(nbi, 'OLD-S4', as.installation.viewer)), 'NEW-S4');
  t.is(idIn(await byHost(nbi, uuid, as.installation.viewer)), 'NEW-S4');
});

test('a CPE that waits to be enrolled takes its serial number from none that is', async (t) => {
  const nbi = await start(t, { enrol: 'approve' });
  const { as } = nbi;
  const serial = { serialNumber: 'S6', serialLabel: 's6' };
  await nbi.putDevice({ ...serial, id: 'A-S6' as CpeId, enrolment: 'waiting' });
  t.is(idIn(await byHost(nbi, 's6', as.installation.viewer)), 'A-S6');
  await nbi.putDevice({ ...serial, id: 'B-S6' as CpeId });
  t.is(idIn(await byHost(nbi, 's6', as.installation.viewer)), 'B-S6');
});

test('a UUID is the name of its CPE alone, whatever serial number another tells', async (t) => {
  const nbi = await start(t);
  const { as } = nbi;
  const id = 'A-S7' as CpeId;
  const uuid = nbi.deviceIds.idOf(id);
  await nbi.putDevice({ id, uuid, serialNumber: 'S7' });
  await nbi.putDevice({ id: 'B-S7' as CpeId, serialNumber: uuid, serialLabel: uuid });
  t.is(idIn(await byHost(nbi, uuid, as.installation.viewer)), 'A-S7');
  t.is(idIn(await byPath(nbi, uuid, as.installation.viewer)), 'A-S7');
});

test('by path a cpeid goes before a label, and hrefs lead back as the client wrote it', async (t) => {
  const nbi = await start(t);
  const { as } = nbi;
  await nbi.putDevice({ id: 'A-s5' as CpeId, serialNumber: 'other' });
  await nbi.putDevice({ id: 'B-1' as CpeId, serialNumber: 'A-s5', serialLabel: 'a-s5' });
  const viewer = as.installation.viewer;
  t.is(idIn(await byPath(nbi, 'A-s5', viewer)), 'A-s5');
  t.is(idIn(await byPath(nbi, 'a-s5', viewer)), 'B-1');
  const { body } = await byPath(nbi, '%41-s5', viewer);
  t.like((body as { readonly details: unknown }).details, { id: 'A-s5', prefix: '/devices/%41-s5' });
  const odd = await byPath(nbi, "x;Domain=a'%22", viewer);
  t.is(odd.status, 404);
  for (const name of ['', '%00', '%ED%A0%80', 'x'.repeat(3_000), '%2F', '..']) {
    t.true([400, 404].includes((await byPath(nbi, name, viewer)).status ?? 0), name);
  }
});
