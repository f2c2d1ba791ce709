import test, { type ExecutionContext } from 'ava';
import { startTestFerry, type TestFerry } from '../support/ferry.js';
import { envelope, type RawAnswer, RawCpe, SET_PARAMETER_VALUES_RESPONSE } from '../support/raw-cpe.js';

/** The Forced Inform parameters of the models: TR-098 (1.8, DeviceInfo and ManagementServer) and TR-181 (2.17), and nothing else. */
const FORCED = {
  InternetGatewayDevice: (version: string) => ({
    'InternetGatewayDevice.DeviceSummary': 'InternetGatewayDevice:1.4[](Baseline:1)',
    'InternetGatewayDevice.DeviceInfo.SpecVersion': '1.0',
    'InternetGatewayDevice.DeviceInfo.HardwareVersion': 'A1',
    'InternetGatewayDevice.DeviceInfo.SoftwareVersion': version,
    'InternetGatewayDevice.DeviceInfo.ProvisioningCode': '',
    'InternetGatewayDevice.ManagementServer.ConnectionRequestURL': 'http://127.0.0.1:1/cr',
    'InternetGatewayDevice.ManagementServer.ParameterKey': '',
  }),
  Device: (version: string) => ({
    'Device.RootDataModelVersion': '2.17',
    'Device.DeviceInfo.HardwareVersion': 'A1',
    'Device.DeviceInfo.SoftwareVersion': version,
    'Device.DeviceInfo.ProvisioningCode': '',
    'Device.ManagementServer.ConnectionRequestURL': 'http://127.0.0.1:1/cr',
    'Device.ManagementServer.ParameterKey': '',
    'Device.ManagementServer.AliasBasedAddressing': 'false',
  }),
} as const;
type Root = keyof typeof FORCED;

function informOf(root: Root, version: string): string {
  const parameters = parameterList(FORCED[root](version));
  return envelope(
    '<cwmp:Inform><DeviceId><Manufacturer>Acme</Manufacturer><OUI>00A1B2</OUI><ProductClass>HGW</ProductClass>' +
      '<SerialNumber>1</SerialNumber></DeviceId><Event soap-enc:arrayType="cwmp:EventStruct[1]"><EventStruct>' +
      '<EventCode>2 PERIODIC</EventCode><CommandKey></CommandKey></EventStruct></Event><MaxEnvelopes>1</MaxEnvelopes>' +
      `<CurrentTime>2026-01-01T00:00:00Z</CurrentTime><RetryCount>0</RetryCount>${parameters}</cwmp:Inform>`,
  );
}

function parameterList(parameters: Readonly<Record<string, string>>): string {
  const structs = Object.entries(parameters).map(
    ([name, value]) =>
      `<ParameterValueStruct><Name>${name}</Name><Value xsi:type="xsd:string">${value}</Value></ParameterValueStruct>`,
  );
  return `<ParameterList soap-enc:arrayType="cwmp:ParameterValueStruct[${structs.length}]">${structs.join('')}</ParameterList>`;
}

/** Begins a session and answers Ferry's provisioning; gives what Ferry asks for then. */
async function sessionOf(
  t: ExecutionContext,
  ferry: TestFerry,
  root: Root,
): Promise<{ cpe: RawCpe; next: RawAnswer }> {
  const cpe = new RawCpe(ferry.urls.cwmp);
  t.teardown(() => cpe.close());
  t.regex((await cpe.post(informOf(root, '1.5.0'))).body, /InformResponse/);
  let next = await cpe.post('');
  if (next.body.includes('SetParameterValues')) next = await cpe.post(SET_PARAMETER_VALUES_RESPONSE);
  return { cpe, next };
}

function valuesOf(parameters: Readonly<Record<string, string>>): string {
  return envelope(
    `<cwmp:GetParameterValuesResponse>${parameterList(parameters)}</cwmp:GetParameterValuesResponse>`,
  );
}

const BY_MODEL = {
  id: 'by-model',
  file: 'http://files.example.net/fw.bin',
  target: { softwareVersion: '2.0.0' },
  condition:
    "modelName = 'X1' and $compareVersions(softwareVersion, '1.0.0') >= 0 and $compareVersions(softwareVersion, '2.0.0') < 0",
};

for (const root of ['InternetGatewayDevice', 'Device'] as const) {
  for (const [form, condition] of [
    ['a text', BY_MODEL.condition],
    ['an object', { modelName: 'X1', softwareVersion: ['1.4.0', '1.5.0'] }],
  ] as const) {
    test(`a rule by model and version, as ${form}, holds for a CPE that informs of what ${root} forces it to and no more`, async (t) => {
      const ferry = await startTestFerry(t, { config: { allowAnonymousCpe: true } });
      t.is((await ferry.nbi('POST', '/v1/dyn/FirmwareStorage/.*', { ...BY_MODEL, condition })).status, 200);
      const { cpe, next } = await sessionOf(t, ferry, root);
      t.deepEqual(
        [...next.body.matchAll(/<string>(.*?)<\/string>/g)].map(([, name]) => name),
        [`${root}.DeviceInfo.ModelName`],
      );
      // Until it has answered, nobody says that the rule is not for it.
      const told = await ferry.nbi('POST', '/v1/method/ExplainRules', { cpe_id: '00A1B2-HGW-1' });
      t.like(told.body, { details: { kind: 'read', reads: [`${root}.DeviceInfo.ModelName`] } });
      const matched = await ferry.nbi('POST', '/v1/method/MatchDevices', { rule_id: 'by-model' });
      t.like(matched.body, { details: { verdicts: { 'parameters-unread': 1 } } });

      const download = await cpe.post(valuesOf({ [`${root}.DeviceInfo.ModelName`]: 'X1' }));
      t.regex(download.body, /<cwmp:Download>.*<URL>http:\/\/files\.example\.net\/fw\.bin<\/URL>/);
      const device = await ferry.nbi('GET', '/v1/dyn/DeviceStorage/.*');
      t.like(device.body, { details: [{ modelName: 'X1' }] });
    });
  }
}

test('a CPE that has no model name is asked for it once, and a rule that needs none has its turn', async (t) => {
  const ferry = await startTestFerry(t, { config: { allowAnonymousCpe: true } });
  const others = { ...BY_MODEL, id: 'others', condition: { productClass: 'HGW' }, priority: 0 };
  t.is((await ferry.nbi('POST', '/v1/dyn/FirmwareStorage/.*', [BY_MODEL, others])).status, 200);
  const { cpe, next } = await sessionOf(t, ferry, 'Device');
  t.regex(next.body, /GetParameterValues/);
  const fault = envelope(
    '<soap-env:Fault><faultcode>Client</faultcode><faultstring>CWMP fault</faultstring><detail><cwmp:Fault>' +
      '<FaultCode>9005</FaultCode><FaultString>Invalid parameter name</FaultString></cwmp:Fault></detail></soap-env:Fault>',
  );
  t.regex((await cpe.post(fault)).body, /<cwmp:Download>/);
});
