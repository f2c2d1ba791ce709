import test from 'ava';
import { DAY_MS, HOUR_MS } from '../../common/index.js';
import { startTestFerry, type TestFerry } from '../support/ferry.js';
import {
  cpeFault,
  downloadResponse,
  envelope,
  type InformFields,
  inform,
  parameterValues,
  RawCpe,
  restOfSession,
  rpcOf,
  SET_PARAMETER_VALUES_RESPONSE,
} from '../support/raw-cpe.js';

const WANTED = 'Device.DeviceInfo.X_ACME_Batch';

async function postRule(ferry: TestFerry, rule: Readonly<Record<string, unknown>>): Promise<void> {
  await ferry.nbi('PUT', '/v1/images/hgw-2.bin?softwareVersion=2.0', Buffer.from('firmware two'));
  await ferry.nbi('POST', '/v1/dyn/FirmwareStorage/.*', { id: 'R1', file: 'hgw-2.bin', ...rule });
}

/** A whole session. @returns the RPCs that were called, but for provisioning */
async function session(ferry: TestFerry, read: string, fields: InformFields = {}): Promise<string> {
  const cpe = new RawCpe(ferry.urls.cwmp);
  const answers: Readonly<Record<string, string>> = {
    SetParameterValues: SET_PARAMETER_VALUES_RESPONSE,
    GetParameterValues: read,
    Download: downloadResponse(),
  };
  await cpe.post(inform(fields));
  const { rpcs } = await restOfSession(cpe, answers);
  cpe.close();
  return rpcs.filter((rpc) => rpc !== 'SetParameterValues').join();
}

async function device(ferry: TestFerry): Promise<Readonly<Record<string, unknown>>> {
  const { body } = await ferry.nbi('GET', '/v1/dyn/DeviceStorage/.*');
  return (body as { details: Record<string, unknown>[] }).details[0] ?? {};
}

const TOLD = parameterValues({ parameters: { [WANTED]: 'A' } });
const PASSING: readonly (readonly [what: string, answer: string])[] = [
  ['9001 Request denied', cpeFault(9001, 'Request denied')],
  ['9002 Internal error', cpeFault(9002, 'Internal error')],
  ['9003 that names nothing', cpeFault(9003, 'Invalid arguments')],
  ['9004 Resources exceeded', cpeFault(9004, 'Resources exceeded')],
  ['a fault without detail', envelope('<soap-env:Fault><faultcode>Server</faultcode></soap-env:Fault>')],
  [
    'an empty list',
    envelope('<cwmp:GetParameterValuesResponse><ParameterList/></cwmp:GetParameterValuesResponse>'),
  ],
  ['what cannot be read', '<Envelope'],
];

for (const [what, answer] of PASSING) {
  test(`a parameter that a CPE answers with ${what} is asked for again after a boot, and after a day`, async (t) => {
    const time = { nowMs: Date.UTC(2026, 0, 1) };
    const ferry = await startTestFerry(t, { clock: () => time.nowMs, checksSchema: false });
    await postRule(ferry, { condition: `productClass = "HGW" and parameters.${WANTED} = "A"` });
    t.is(await session(ferry, answer), 'GetParameterValues');
    t.is(await session(ferry, answer), '', 'not in every session');
    t.is(await session(ferry, answer, { events: ['1 BOOT'] }), 'GetParameterValues');
    time.nowMs += DAY_MS - HOUR_MS;
    t.is(await session(ferry, TOLD), '');
    time.nowMs += HOUR_MS;
    t.is(await session(ferry, TOLD), 'GetParameterValues,Download');
  });
}

test('a CPE that hangs up on GetParameterValues is served in its next session, and asked again after a day', async (t) => {
  const time = { nowMs: Date.UTC(2026, 0, 1) };
  const ferry = await startTestFerry(t, { clock: () => time.nowMs });
  await postRule(ferry, { condition: { productClass: 'HGW' } });
  const other = { id: 'R2', file: 'http://files.example/other.bin', priority: 9 };
  const condition = `productClass = "HGW" and parameters.${WANTED} = "A"`;
  await ferry.nbi('POST', '/v1/dyn/FirmwareStorage/.*', { ...other, condition });
  for (const expected of ['GetParameterValues', 'Download']) {
    const cpe = new RawCpe(ferry.urls.cwmp);
    await cpe.post(inform({ events: ['0 BOOTSTRAP', '1 BOOT'] }));
    let answer = await cpe.post('');
    if (rpcOf(answer.body) === 'SetParameterValues') answer = await cpe.post(SET_PARAMETER_VALUES_RESPONSE);
    t.is(rpcOf(answer.body), expected);
    cpe.close();
  }
});

test('a parameter that a CPE says it does not have is not asked for again, but after another version', async (t) => {
  const time = { nowMs: Date.UTC(2026, 0, 1) };
  const ferry = await startTestFerry(t, { clock: () => time.nowMs });
  await postRule(ferry, { condition: `productClass = "HGW" and parameters.${WANTED} = "A"` });
  t.is(await session(ferry, cpeFault(9005, 'Invalid parameter name')), 'GetParameterValues');
  time.nowMs += 2 * DAY_MS;
  t.is(await session(ferry, TOLD, { events: ['1 BOOT'] }), '');
  t.is(await session(ferry, TOLD, { version: '1.1' }), 'GetParameterValues,Download');
});

test('blanks around a version, a parameter and an identity are no part of them', async (t) => {
  const ferry = await startTestFerry(t, { checksSchema: false });
  await postRule(ferry, { condition: { softwareVersion: '1.0', [`parameters.${WANTED}`]: 'A b' } });
  const parameters = { [WANTED]: '\n  A b\t' };
  const padded = { serial: ' 1 ', oui: ' 00A1B2', productClass: 'HGW\n', version: ' 1.0 ', parameters };
  t.is(await session(ferry, ''), 'GetParameterValues', 'the same CPE without blanks');
  t.is(await session(ferry, '', padded), 'Download');
  const { id, softwareVersion, serialNumber } = await device(ferry);
  t.deepEqual([id, softwareVersion, serialNumber], ['00A1B2-HGW-1', '1.0', '1']);
});

test('a ConnectionRequestURL that is too long is refused with the reason, in the log and in DeviceStorage', async (t) => {
  const ferry = await startTestFerry(t);
  const url = (characters: number) => ({
    parameters: {
      'Device.ManagementServer.ConnectionRequestURL': `http://127.0.0.1/${'x'.repeat(characters - 17)}`,
    },
  });
  await session(ferry, '', url(1_024));
  t.is(String((await device(ferry))['connectionRequestUrl']).length, 1_024);
  await session(ferry, '', url(1_025));
  await session(ferry, '', url(1_025));
  const shown = await device(ferry);
  t.false('connectionRequestUrl' in shown);
  const reason = 'has 1025 characters, and at most 1024 are taken';
  t.deepEqual(shown['problems'], [`connectionRequestUrl ${reason}`]);
  const told = ferry.events.filter(({ event }) => event === 'cpe.value-refused').map(({ fields }) => fields);
  t.deepEqual(told, [{ cpeid: '00A1B2-HGW-1', field: 'connectionRequestUrl', reason }], 'once');
  await session(ferry, '');
  t.false('problems' in (await device(ferry)));
});

test('a value of which only the beginning is kept is shown, and no condition takes it for the value', async (t) => {
  const ferry = await startTestFerry(t);
  await postRule(ferry, { condition: `productClass = "HGW" and $exists(parameters.${WANTED})` });
  t.is(await session(ferry, '', { parameters: { [WANTED]: 'x'.repeat(1_025) } }), '');
  const { body } = await ferry.nbi('GET', '/v1/dyn/DeviceStorage/.*?id=00A1B2-HGW-1&parameters=true');
  const [shown] = (body as { details: { parameters: Record<string, string> }[] }).details;
  t.is(shown?.parameters[WANTED], `${'x'.repeat(1_024)} …`);
  t.is(await session(ferry, '', { parameters: { [WANTED]: 'x'.repeat(1_024) } }), 'Download');
});
