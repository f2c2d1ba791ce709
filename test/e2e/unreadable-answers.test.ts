import test, { type ExecutionContext } from 'ava';
import { startTestFerry, type TestFerry } from '../support/ferry.js';
import {
  cpeFault,
  downloadResponse,
  envelope,
  type InformFields,
  inform,
  type RawAnswer,
  RawCpe,
  rpcOf,
  SET_PARAMETER_VALUES_RESPONSE,
  textOf,
  transferComplete,
} from '../support/raw-cpe.js';

const CPEID = '00A1B2-HGW-1';
/** Below the bound of 64 KiB that these servers have. */
const KIB = 1_024;

async function start(t: ExecutionContext): Promise<TestFerry> {
  const ferry = await startTestFerry(t, { checksSchema: false, config: { informKibMax: 64 } });
  await ferry.nbi('PUT', '/v1/images/hgw-2.bin?softwareVersion=2.0', Buffer.from('firmware two'));
  const rule = { id: 'R1', file: 'hgw-2.bin', condition: { cpeid: CPEID } };
  t.is((await ferry.nbi('POST', '/v1/dyn/FirmwareStorage/.*', rule)).status, 200);
  return ferry;
}

/** A CPE that has been sent a Download and has not answered it. */
async function atDownload(ferry: TestFerry): Promise<{ cpe: RawCpe; commandKey: string }> {
  const cpe = new RawCpe(ferry.urls.cwmp);
  await cpe.post(inform());
  let answer = await cpe.post('');
  while (rpcOf(answer.body) === 'SetParameterValues') answer = await cpe.post(SET_PARAMETER_VALUES_RESPONSE);
  return { cpe, commandKey: textOf(answer.body, 'CommandKey') ?? '' };
}

async function session(
  ferry: TestFerry,
  answers: Readonly<Record<string, string>>,
  fields: InformFields = {},
  own: readonly string[] = [],
): Promise<{ rpcs: string[]; last: RawAnswer }> {
  const cpe = new RawCpe(ferry.urls.cwmp);
  await cpe.post(inform(fields));
  for (const message of own) await cpe.post(message);
  const rpcs: string[] = [];
  let answer = await cpe.post('');
  let last = answer;
  while (answer.status === 200) {
    last = answer;
    rpcs.push(rpcOf(answer.body));
    answer = await cpe.post(answers[rpcs.at(-1) ?? ''] ?? cpeFault(9000, 'Method not supported'));
  }
  cpe.close();
  return { rpcs, last };
}

async function results(ferry: TestFerry): Promise<string[]> {
  const { status, body } = await ferry.nbi('GET', '/v1/dyn/FirmwareResultStorage/.*?revision=all');
  if (status !== 200) return [];
  const { details } = body as { details: { result: { code: number; message: string } }[] };
  return details.map(({ result }) => `${result.code} ${result.message}`);
}

const status = (text: string) => envelope(`<cwmp:DownloadResponse>${text}</cwmp:DownloadResponse>`);
const GARBAGE: readonly (readonly [what: string, body: string | Buffer])[] = [
  ['without Status', status('')],
  ['with a Status that is no number', status('<Status>Accepted</Status>')],
  ['with Status 2', status('<Status>2</Status>')],
  [
    'in a namespace of its own',
    envelope('<x:DownloadResponse xmlns:x="urn:x"><Status>1</Status></x:DownloadResponse>'),
  ],
  ['to another request', SET_PARAMETER_VALUES_RESPONSE],
  ['of a name that nobody knows', envelope('<cwmp:DownloadDoneResponse/>')],
  ['cut off', downloadResponse().slice(0, -30)],
  ['that is no XML', 'OK'],
  ['in a charset that it does not keep to', Buffer.from([0x3c, 0xff, 0xfe])],
  ['of two messages', envelope('<cwmp:DownloadResponse/><cwmp:DownloadResponse/>')],
  ['longer than is read', `${downloadResponse()}${' '.repeat(64 * KIB)}`],
];

for (const [what, body] of GARBAGE) {
  test(`a response ${what} is not answered with a fault, and its Download is asked about, not sent twice`, async (t) => {
    const ferry = await start(t);
    const { cpe, commandKey } = await atDownload(ferry);
    const answer = await cpe.post(body);
    t.is(answer.status, 204, answer.body);
    cpe.close();
    t.like(ferry.events.find(({ event }) => event === 'session.answer-unreadable')?.fields, {
      cpeid: CPEID,
      request: 'Download',
    });
    t.deepEqual(await results(ferry), ['202 Upgrade is running: the Download has been sent']);
    const queue =
      '<TransferList soap-enc:arrayType="cwmp:QueuedTransferStruct[1]"><QueuedTransferStruct>' +
      `<CommandKey>${commandKey}</CommandKey><State>2</State></QueuedTransferStruct></TransferList>`;
    const queued = envelope(`<cwmp:GetQueuedTransfersResponse>${queue}</cwmp:GetQueuedTransfersResponse>`);
    const { rpcs } = await session(ferry, { GetQueuedTransfers: queued });
    t.deepEqual(rpcs, ['GetQueuedTransfers']);
    const boot = { events: ['1 BOOT', '7 TRANSFER COMPLETE'], version: '2.0' };
    await session(ferry, {}, boot, [transferComplete(commandKey)]);
    t.deepEqual(await results(ferry), ['200 Upgrade has succeeded: software version 2.0, before 1.0']);
  });
}

test('a Download that such an answer declined is sent again under its own CommandKey once the CPE says that it has none', async (t) => {
  const ferry = await start(t);
  const { cpe, commandKey } = await atDownload(ferry);
  t.is((await cpe.post('<Fault')).status, 204);
  cpe.close();
  const none = envelope('<cwmp:GetQueuedTransfersResponse><TransferList/></cwmp:GetQueuedTransfersResponse>');
  const { rpcs, last } = await session(ferry, { GetQueuedTransfers: none, Download: downloadResponse() });
  t.deepEqual(rpcs, ['GetQueuedTransfers', 'Download']);
  t.is(textOf(last.body, 'CommandKey'), commandKey);
});

test('an Inform that cannot be read is no response: it is refused as ever, whatever is outstanding', async (t) => {
  const ferry = await start(t);
  const { cpe } = await atDownload(ferry);
  const answer = await cpe.post(inform().replace('<SerialNumber>1</SerialNumber>', ''));
  t.is(textOf(answer.body, 'FaultCode'), '8003');
  t.is((await cpe.post(downloadResponse())).status, 204, 'the session is where it was');
  cpe.close();
});

test('a response that cannot be read and answers nothing gets HTTP 400, and no fault', async (t) => {
  const ferry = await start(t);
  const cpe = new RawCpe(ferry.urls.cwmp);
  const without = await cpe.post(status('<Status>2</Status>'));
  t.deepEqual([without.status, rpcOf(without.body)], [400, '']);
  await cpe.post(inform());
  const early = await cpe.post(status('<Status>2</Status>'));
  t.deepEqual([early.status, rpcOf(early.body)], [400, '']);
  cpe.close();
});

test('what is refused names the CPE that cookie or connection tell of, also when its session is over', async (t) => {
  const ferry = await start(t);
  const [first, second] = [new RawCpe(ferry.urls.cwmp), new RawCpe(ferry.urls.cwmp)];
  const rejected = () =>
    ferry.events.filter(({ event }) => event === 'cwmp.rejected').map(({ fields }) => fields);
  await first.post(inform().replace('<SerialNumber>1</SerialNumber>', ''));
  t.false('cpeid' in (rejected().at(-1) ?? {}), 'nothing tells who it is');
  await first.post(inform());
  second.cookie = first.cookie;
  await second.post(envelope('<cwmp:Inform/>'));
  t.like(rejected().at(-1), { kind: 'body', cpeid: CPEID }, 'by its cookie, on another connection');
  await second.post('<garbage');
  t.like(rejected().at(-1), { kind: 'body', cpeid: CPEID });
  first.keepsCookie = false;
  first.cookie = null;
  await first.post(envelope('<cwmp:TransferComplete>'));
  t.like(rejected().at(-1), { kind: 'body', cpeid: CPEID }, 'by its connection');
  first.close();
  second.close();
  const third = new RawCpe(ferry.urls.cwmp);
  await third.post(inform({ serial: '3' }));
  third.cookie = null;
  third.keepsCookie = false;
  await third.post(envelope('<cwmp:RebootResponse/>'), { Connection: 'keep-alive' });
  t.like(rejected().at(-1), { kind: 'protocol', cpeid: '00A1B2-HGW-3' });
  third.close();
});

test('a message of a CPE may be as long as configured, and no longer', async (t) => {
  const ferry = await startTestFerry(t, { checksSchema: false, config: { informKibMax: 2_048 } });
  const cpe = new RawCpe(ferry.urls.cwmp);
  const long = (kib: number) =>
    inform({ parameters: { 'Device.X.Y': 'x'.repeat(200 * KIB) } }) + ' '.repeat(kib * KIB);
  t.is(rpcOf((await cpe.post(long(1_500))).body), 'InformResponse');
  t.is((await cpe.post(long(2_048))).status, 413);
  cpe.close();
});
