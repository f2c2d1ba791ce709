import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { startTestFerry, type TestFerry } from '../support/ferry.js';
import {
  envelope,
  inform,
  type RawAnswer,
  RawCpe,
  rpcOf,
  SET_PARAMETER_VALUES_RESPONSE,
} from '../support/raw-cpe.js';

const ID = '00A1B2-HGW-1';
const SECRET = 'hunter2-correct-horse';
/** What comes in an Inform, and what is asked for. */
const INFORMED = {
  'Device.ManagementServer.ConnectionRequestPassword': `${SECRET}-1`,
  'Device.PPP.Interface.1.Password': `${SECRET}-2`,
  'Device.WiFi.AccessPoint.2.Security.KeyPassphrase': '',
};
const WIFI = 'Device.WiFi.AccessPoint.1.Security';
const TOLD = { [`${WIFI}.KeyPassphrase`]: `${SECRET}-3`, [`${WIFI}.ModeEnabled`]: 'WPA2-Personal' };

function valuesOf(parameters: Readonly<Record<string, string>>): string {
  const structs = Object.entries(parameters).map(
    ([name, value]) =>
      `<ParameterValueStruct><Name>${name}</Name><Value xsi:type="xsd:string">${value}</Value></ParameterValueStruct>`,
  );
  return envelope(
    `<cwmp:GetParameterValuesResponse><ParameterList soap-enc:arrayType="cwmp:ParameterValueStruct[${structs.length}]">` +
      `${structs.join('')}</ParameterList></cwmp:GetParameterValuesResponse>`,
  );
}

function rule(id: string, condition: string) {
  return { id, file: 'http://files.example.net/fw.bin', target: { softwareVersion: '2.0.0' }, condition };
}

async function begin(
  t: ExecutionContext,
  ferry: TestFerry,
  parameters = INFORMED,
): Promise<[RawCpe, RawAnswer]> {
  const cpe = new RawCpe(ferry.urls.cwmp);
  t.teardown(() => cpe.close());
  t.is((await cpe.post(inform({ parameters }))).status, 200);
  let next = await cpe.post('');
  if (rpcOf(next.body) === 'SetParameterValues') next = await cpe.post(SET_PARAMETER_VALUES_RESPONSE);
  return [cpe, next];
}

async function allBytesIn(directory: string): Promise<string> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const bytes = await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name), 'latin1')));
  return bytes.join('\n');
}

for (const shareSessions of [false, true]) {
  test(`of a secret that a CPE reports it is kept that it is set, and nothing else anywhere (${shareSessions ? 'sessions in the store' : 'sessions in memory'})`, async (t) => {
    const ferry = await startTestFerry(t, { config: { shareSessions } });
    await ferry.nbi('POST', '/v1/dyn/FirmwareStorage/.*', rule('wifi', `$count(parameters.${WIFI}.*) > 5`));
    const [cpe, next] = await begin(t, ferry);
    t.regex(next.body, new RegExp(`<string>${WIFI.replaceAll('.', '\\.')}\\.</string>`));
    t.is((await cpe.post(valuesOf(TOLD))).status, 204);
    const { body } = await ferry.nbi('GET', `/v1/dyn/DeviceStorage/${ID}?parameters=true`);
    t.like(body, {
      details: [
        {
          parameters: {
            'Device.ManagementServer.ConnectionRequestPassword': 'set',
            'Device.PPP.Interface.1.Password': 'set',
            'Device.WiFi.AccessPoint.2.Security.KeyPassphrase': '',
            [`${WIFI}.KeyPassphrase`]: 'set',
            [`${WIFI}.ModeEnabled`]: 'WPA2-Personal',
          },
        },
      ],
    });
    t.false(JSON.stringify(ferry.events).includes(SECRET));
    await ferry.close();
    t.false((await allBytesIn(ferry.dataDir)).includes(SECRET));
  });
}

test('no CPE is asked for a secret that a rule names, and what it has told of it decides as "set"', async (t) => {
  const ferry = await startTestFerry(t);
  const named = `parameters.${WIFI}.KeyPassphrase`;
  await ferry.nbi('POST', '/v1/dyn/FirmwareStorage/.*', [
    rule('by-value', `${named} = "${SECRET}" and parameters.Device.X_ACME.Mode = "a"`),
  ]);
  const [cpe, next] = await begin(t, ferry);
  t.deepEqual(
    [...next.body.matchAll(/<string>(.*?)<\/string>/g)].map(([, name]) => name),
    ['Device.X_ACME.Mode'],
  );
  t.is((await cpe.post(valuesOf({ 'Device.X_ACME.Mode': 'a' }))).status, 204);
  const told = await ferry.nbi('POST', '/v1/method/ExplainRules', { cpe_id: ID });
  t.notRegex(JSON.stringify(told.body), /"kind":"read"/);

  await ferry.nbi('PUT', '/v1/dyn/FirmwareStorage/by-value', {
    condition: 'parameters.Device.PPP.Interface.1.Password = "set"',
  });
  const [, download] = await begin(t, ferry);
  t.is(rpcOf(download.body), 'Download');
});
