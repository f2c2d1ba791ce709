import { join } from 'node:path';
import test from 'ava';
import { DEVICES, type Device, PARAMETERS, type ParameterDocument } from '../../acs/device/device.js';
import type { CpeId } from '../../common/index.js';
import { isObject } from '../../nbi/http/index.js';
import { openLmdbStore } from '../../store/index.js';
import { startTestFerry, type TestFerry } from '../support/ferry.js';
import { inform, RawCpe } from '../support/raw-cpe.js';

const ID = '00A1B2-HGW-1' as CpeId;
const MEBIBYTE = 1024 * 1024;

/** About 900 kB of one subtree. */
function subtree(name: string): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: 900 }, (_, index) => [`Device.${name}.P${index}`, 'v'.repeat(1_000)]),
  );
}

async function shown(ferry: TestFerry, query = ''): Promise<Readonly<Record<string, unknown>>> {
  const { body } = await ferry.nbi('GET', `/v1/dyn/DeviceStorage/${ID}${query}`);
  const details = isObject(body) ? body['details'] : null;
  return Array.isArray(details) && isObject(details[0]) ? details[0] : {};
}

function cutsIn(ferry: TestFerry) {
  return ferry.events.filter(({ event }) => event === 'cpe.parameters-cut').map(({ fields }) => fields);
}

test('a CPE with a data model beyond 2 MiB keeps what rules name, says what it lacks, and is told of once', async (t) => {
  t.timeout(120_000);
  const ferry = await startTestFerry(t, { checksSchema: false });
  await ferry.nbi('POST', '/v1/dyn/FirmwareStorage/first', {
    id: 'first',
    file: 'http://files.example.net/fw.bin',
    condition: 'parameters.Device.First.P1 = "never"',
  });
  const cpe = new RawCpe(ferry.urls.cwmp);
  t.teardown(() => cpe.close());
  for (const name of ['First', 'Second', 'Third', 'Fourth']) {
    t.is((await cpe.post(inform({ parameters: subtree(name) }))).status, 200);
  }
  const { parametersCut, problems, parameters } = await shown(ferry, '?parameters=true');
  t.like(parametersCut, { subtrees: ['Device.Second', 'Device.Third'] });
  t.regex(JSON.stringify(problems), /parameters of Device\.Second, Device\.Third are not kept/);
  const kept = Object.keys(isObject(parameters) ? parameters : {});
  t.is(kept.filter((name) => name.startsWith('Device.First.')).length, 900);
  t.is(kept.filter((name) => name.startsWith('Device.Fourth.')).length, 900);
  t.true(kept.includes('Device.DeviceInfo.SoftwareVersion'));
  t.true(JSON.stringify(parameters).length < 2.2 * MEBIBYTE);
  t.deepEqual(
    cutsIn(ferry).map(({ subtrees }) => subtrees),
    ['Device.Second', 'Device.Second,Device.Third'],
  );
  t.is(
    (await cpe.post(inform({ parameters: { ...subtree('Fourth'), 'Device.Fourth.P0': 'x' } }))).status,
    200,
  );
  t.is(cutsIn(ferry).length, 2);
  t.is((await ferry.nbi('GET', '/v1/dyn/DeviceStorage/.*?parametersCut.subtrees=Device.Third')).status, 200);
});

test('what an older version kept of one CPE beyond 2 MiB is gone after its next Inform, though that says nothing new', async (t) => {
  t.timeout(120_000);
  const first = await startTestFerry(t, { checksSchema: false });
  const cpe = new RawCpe(first.urls.cwmp);
  await cpe.post(inform());
  cpe.close();
  await first.close();
  const store = await openLmdbStore({ directory: join(first.dataDir, 'store') });
  const documents = store.collection<ParameterDocument>(PARAMETERS);
  const devices = store.collection<Device>(DEVICES);
  for (let index = 0; index < 8; index++)
    await documents.put({ id: `${ID}/Device.S${index}`, values: subtree(`S${index}`) });
  const stored = await devices.get(ID);
  if (stored === null) throw new Error('The CPE is not known');
  const { parametersBytes: _, ...older } = stored.document;
  await devices.put(older);
  await store.close();

  const ferry = await startTestFerry(t, { dataDir: first.dataDir, checksSchema: false });
  const before = await shown(ferry, '?parameters=true');
  t.true(JSON.stringify(before['parameters']).length < 2.2 * MEBIBYTE);
  const again = new RawCpe(ferry.urls.cwmp);
  t.teardown(() => again.close());
  t.is((await again.post(inform())).status, 200);
  const { parameters, parametersCut } = await shown(ferry, '?parameters=true');
  t.like(parametersCut, { subtrees: ['S0', 'S1', 'S2', 'S3', 'S4', 'S5'].map((name) => `Device.${name}`) });
  const kept = Object.keys(isObject(parameters) ? parameters : {});
  t.deepEqual([...new Set(kept.map((name) => name.split('.')[1]))].sort(), [
    'DeviceInfo',
    'ManagementServer',
    'S6',
    'S7',
  ]);
});
