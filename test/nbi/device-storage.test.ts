import test from 'ava';
import { PARAMETERS } from '../../acs/device/device.js';
import type { CpeId, ResultId } from '../../common/index.js';
import { isObject } from '../../nbi/http/index.js';
import { type Reply, startNbi } from './support.js';

const BASE = '/v1/dyn/DeviceStorage';

function serialsOf({ body }: Reply): unknown[] {
  const details = isObject(body) ? body['details'] : null;
  return Array.isArray(details)
    ? details.map((entry) => (isObject(entry) ? entry['serialNumber'] : entry))
    : [];
}

test('a CPE is shown without its secrets and inner state, its times in epoch seconds', async (t) => {
  const nbi = await startNbi(t);
  await nbi.putDevice({
    serialNumber: '1',
    modelName: 'HGW 1',
    hardwareVersion: 'B',
    connectionRequestUrl: 'http://127.0.0.1/cr',
    connectionRequestAuth: { username: 'u', sealedPassword: 's', confirmed: true },
    tags: ['canary'],
    inFlight: 'cd3627cd-1908-4ff8-8fe3-f7078723a684' as ResultId,
  });
  const { status, body } = await nbi.call(`${BASE}/00A1B2-HGW-1`);
  t.is(status, 200);
  t.deepEqual(body, {
    code: 200,
    message: 'response from DeviceStorage',
    details: [
      {
        id: '00A1B2-HGW-1',
        cpeid: '00A1B2-HGW-1',
        manufacturer: 'Example',
        oui: '00A1B2',
        productClass: 'HGW',
        serialNumber: '1',
        modelName: 'HGW 1',
        softwareVersion: '1.0.0',
        hardwareVersion: 'B',
        ip: '127.0.0.1',
        identity: { proven: false },
        connectionRequestUrl: 'http://127.0.0.1/cr',
        registered: 1743400000,
        lastInform: 1743412508,
        lastEvents: ['2 PERIODIC'],
        tags: ['canary'],
        provisioning: 'done',
        upgrade: 'cd3627cd-1908-4ff8-8fe3-f7078723a684',
      },
    ],
  });
});

test('what of a CPE is not as it should be is told in words, and found by them', async (t) => {
  const nbi = await startNbi(t);
  const fault = { faultCode: 9008, faultString: 'read-only' };
  await nbi.putDevice({
    serialNumber: '1',
    provisioning: 'partly',
    provisioningFailures: [{ names: ['Device.ManagementServer.PeriodicInformEnable'], ...fault }],
    refusedFields: { connectionRequestUrl: 'has 2000 characters, and at most 1024 are taken' },
  });
  await nbi.putDevice({ serialNumber: '2', provisioning: 'due', provisioningTries: 2 });
  await nbi.putDevice({ serialNumber: '3' });
  const { body } = await nbi.call(`${BASE}/.*`);
  const details = isObject(body) && Array.isArray(body['details']) ? body['details'] : [];
  t.deepEqual(
    details.map(({ provisioning, provisioningTries, problems }) => [
      provisioning,
      provisioningTries,
      problems,
    ]),
    [
      [
        'partly',
        undefined,
        [
          'not set: Device.ManagementServer.PeriodicInformEnable, with fault 9008 (read-only)',
          'connectionRequestUrl has 2000 characters, and at most 1024 are taken',
        ],
      ],
      ['due', 2, ['SetParameterValues found no answer that can be read, tries so far: 2']],
      ['done', undefined, undefined],
    ],
  );
  t.deepEqual(serialsOf(await nbi.call(`${BASE}/.*?provisioning=partly`)), ['1']);
});

test('CPEs are listed by id and found by any field', async (t) => {
  const nbi = await startNbi(t);
  await nbi.putDevice({ serialNumber: '1', tags: ['a', 'b'] });
  await nbi.putDevice({ serialNumber: '2', tags: ['b'], softwareVersion: '2.0.0' });
  await nbi.putDevice({ serialNumber: '3', id: '00A1B2-AP-3' as CpeId, productClass: 'AP' });
  const queries: readonly (readonly [string, readonly string[]])[] = [
    ['/.*', ['3', '1', '2']],
    ['/00A1B2-HGW-.*', ['1', '2']],
    ['/.*?serialNumber=2', ['2']],
    ['/.*?serialNumber=2&serialNumber=1', ['1', '2']],
    ['/.*?tags=b', ['1', '2']],
    ['/.*?tags=a&softwareVersion=2.0.0', []],
    ['/.*?softwareVersion=2.0.0', ['2']],
    ['/.*?cpeid=00A1B2-AP-3', ['3']],
    ['/.*?cpe_id=00A1B2-AP-3&id=00A1B2-HGW-1', []],
    ['/.*?upgrade=null', ['3', '1', '2']],
    ['/.*?lastInform=1743412508', ['3', '1', '2']],
    ['/.*?sort=-serialNumber&limit=2', ['3', '2']],
  ];
  for (const [query, serials] of queries) {
    const reply = await nbi.call(BASE + query);
    t.is(reply.status, serials.length === 0 ? 404 : 200, query);
    t.deepEqual(serialsOf(reply), serials, query);
  }
});

test('parameters=true adds the data model to a single CPE', async (t) => {
  const nbi = await startNbi(t);
  const { id } = await nbi.putDevice({ serialNumber: '1' });
  await nbi.putDevice({ serialNumber: '2' });
  const values = { 'Device.DeviceInfo.UpTime': 5 };
  await nbi.store.collection(PARAMETERS).put({ id: `${id}/Device.DeviceInfo`, values } as { id: string });
  const { body } = await nbi.call(`${BASE}/${id}?parameters=true`);
  t.like(body, { code: 200, details: [{ id, parameters: values }] });
  t.is((await nbi.call(`${BASE}/.*?parameters=true`)).status, 400);
  t.is((await nbi.call(`${BASE}/nobody?parameters=true`)).status, 404);
});
