import test, { type ExecutionContext } from 'ava';
import { startTestFerry } from '../support/ferry.js';
import {
  envelope,
  type InformFields,
  inform,
  RawCpe,
  rpcOf,
  textOf,
  transferComplete,
} from '../support/raw-cpe.js';

const SHARED = 'fleet:shared secret';
const CPEID = '00A1B2-HGW-1';

/** What a SetParameterValues, or a Download, says that nobody else is to know. */
function secretsIn(body: string): readonly string[] {
  const values = [...body.matchAll(/<Name>[^<]*Password<\/Name>\s*<Value[^>]*>([^<]+)</g)].map(
    ([, value]) => value ?? '',
  );
  const token = /\/t\/([\w-]+)\//.exec(textOf(body, 'URL') ?? '')?.[1] ?? '';
  const query = /\?([^<]*)/.exec(textOf(body, 'URL') ?? '')?.[1] ?? '';
  return [...values, textOf(body, 'Password') ?? '', token, query].filter((secret) => secret !== '');
}

/** A CPE that refuses everything, and quotes what it was told. */
function echo(body: string): string {
  const words = secretsIn(body);
  const named = [...body.matchAll(/<Name>([^<]*)<\/Name>/g)].map(
    ([, name]) =>
      `<SetParameterValuesFault><ParameterName>${name}</ParameterName><FaultCode>9007</FaultCode>` +
      `<FaultString>not ${words.join(' nor ')}</FaultString></SetParameterValuesFault>`,
  );
  const url = textOf(body, 'URL') ?? '';
  return envelope(
    '<soap-env:Fault><faultcode>Client</faultcode><faultstring>CWMP fault</faultstring><detail><cwmp:Fault>' +
      `<FaultCode>9003</FaultCode><FaultString>cannot do ${url} ${words.join(' and ')}</FaultString>${named.join('')}` +
      '</cwmp:Fault></detail></soap-env:Fault>',
  );
}

async function start(t: ExecutionContext, rule: object, config: object = {}) {
  const ferry = await startTestFerry(t, {
    config: { cpeAuth: SHARED, allowAnonymousCpe: false, bootstrapCredentials: true, ...config },
    checksSchema: false,
  });
  await ferry.nbi('PUT', '/v1/images/hgw-2.bin?softwareVersion=2.0', Buffer.from('firmware two'));
  const body = { id: 'R1', condition: { productClass: 'HGW' }, ...rule };
  t.is((await ferry.nbi('POST', '/v1/dyn/FirmwareStorage/.*', body)).status, 200);
  const said: string[] = [];
  /** @returns the CommandKey of its Download */
  const session = async (
    answered: (body: string) => string,
    fields: InformFields = {},
    own: readonly string[] = [],
  ) => {
    const cpe = new RawCpe(ferry.urls.cwmp);
    t.teardown(() => cpe.close());
    cpe.headers = { Authorization: `Basic ${Buffer.from(SHARED).toString('base64')}` };
    await cpe.post(inform(fields));
    for (const message of own) await cpe.post(message);
    let key = '';
    let answer = await cpe.post('');
    while (answer.status === 200) {
      said.push(...secretsIn(answer.body));
      if (rpcOf(answer.body) === 'Download') key = textOf(answer.body, 'CommandKey') ?? '';
      answer = await cpe.post(answered(answer.body));
    }
    return key;
  };
  /** Everything that anybody is told of it. */
  const shown = async () => {
    const pages = ['DeviceStorage/.*', 'FirmwareResultStorage/.*?revision=all'].map(
      async (path) => (await ferry.nbi('GET', `/v1/dyn/${path}`)).body,
    );
    return JSON.stringify([...(await Promise.all(pages)), ferry.events]);
  };
  return { ferry, session, said, shown };
}

test('a CPE that quotes in its faults what it was told gets none of that stored, logged or shown', async (t) => {
  const file = 'http://192.0.2.9/image.bin?key=QUERYSECRET';
  const { session, said, shown } = await start(t, { file, username: 'u', password: 'RULEPASSWORD1' });
  await session(echo, { events: ['0 BOOTSTRAP', '1 BOOT'] });
  const text = await shown();
  // Connection request and log-in, of several attempts; the Download's password and query.
  t.true(said.length >= 4, said.join());
  t.true(said.includes('RULEPASSWORD1'));
  for (const secret of said) t.false(text.includes(secret), secret);
  t.regex(text, /not set: [^"]*with fault 900[37] \((?:not|cannot do) \*{8}/);
  t.regex(text, /FaultString: cannot do http:\/\/192\.0\.2\.9\/image\.bin\?\*{8}/);
});

test('so it is with the token of a file, and in a report of later, by its key or without, and of what nobody asked for', async (t) => {
  const { ferry, session, said, shown } = await start(
    t,
    { file: 'hgw-2.bin', executions: 3 },
    { periodicInform: 0 },
  );
  const accept = (body: string) =>
    rpcOf(body) === 'Download'
      ? envelope(
          '<cwmp:DownloadResponse><Status>1</Status><StartTime>0001-01-01T00:00:00Z</StartTime>' +
            '<CompleteTime>0001-01-01T00:00:00Z</CompleteTime></cwmp:DownloadResponse>',
        )
      : envelope('<cwmp:SetParameterValuesResponse><Status>0</Status></cwmp:SetParameterValuesResponse>');
  const key = await session(accept);
  const fault = [9010, `GET http://h/t/${said.at(-1)}/hgw-2.bin, as ${said[0]}`] as const;
  const { Authorization } = {
    Authorization: `Basic ${Buffer.from(`${CPEID}:${said[1]}`).toString('base64')}`,
  };
  const cpe = new RawCpe(ferry.urls.cwmp);
  t.teardown(() => cpe.close());
  cpe.headers = { Authorization };
  await cpe.post(inform({ events: ['7 TRANSFER COMPLETE'] }));
  const autonomous = envelope(
    '<cwmp:AutonomousTransferComplete><AnnounceURL></AnnounceURL><TransferURL></TransferURL><IsDownload>1</IsDownload>' +
      `<FileType>1 Firmware Upgrade Image</FileType><FileSize>1</FileSize><TargetFileName>${said[1]}</TargetFileName>` +
      `<FaultStruct><FaultCode>9010</FaultCode><FaultString>${fault[1]}</FaultString></FaultStruct>` +
      '<StartTime>0001-01-01T00:00:00Z</StartTime><CompleteTime>0001-01-01T00:00:00Z</CompleteTime></cwmp:AutonomousTransferComplete>',
    { namespace: 'urn:dslforum-org:cwmp-1-2' },
  );
  t.is((await cpe.post(autonomous)).status, 200);
  t.is((await cpe.post(transferComplete(key, fault))).status, 200);
  const text = await shown();
  t.regex(text, /FaultString: GET http:\/\/h\/t\/\*{8}\/hgw-2\.bin, as \*{8}/);
  t.regex(text, /"targetFileName":"\*{8}"/);
  t.is(said.length, 3);
  for (const secret of said) t.false(text.includes(secret), secret);
});
