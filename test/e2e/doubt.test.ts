import test, { type ExecutionContext } from 'ava';
import { startTestFerry, type TestFerry, until } from '../support/ferry.js';
import {
  cpeFault,
  downloadResponse,
  envelope,
  type InformFields,
  inform,
  RawCpe,
  rpcOf,
  SET_PARAMETER_VALUES_RESPONSE,
  textOf,
  transferComplete,
} from '../support/raw-cpe.js';

const CPEID = '00A1B2-HGW-1';
const AT_ONCE = { afterMinutes: 0.000_01, factor: 1, maxHours: 1 };

interface Result {
  readonly id: string;
  readonly status: boolean;
  readonly result: { readonly code: number; readonly message: string };
}

async function start(
  t: ExecutionContext,
  rule: Readonly<Record<string, unknown>> = {},
  options: Parameters<typeof startTestFerry>[1] = {},
): Promise<TestFerry> {
  const ferry = await startTestFerry(t, options);
  await ferry.nbi('PUT', '/v1/images/hgw-2.bin?softwareVersion=2.0', Buffer.from('firmware two'));
  const body = { id: 'R1', file: 'hgw-2.bin', condition: { cpeid: CPEID }, ...rule };
  const { status } = await ferry.nbi('POST', '/v1/dyn/FirmwareStorage/.*', body);
  t.is(status, 200);
  return ferry;
}

/** The queue of a CPE that has these transfers, in state 2. */
function queued(...commandKeys: readonly string[]): string {
  const entries = commandKeys.map(
    (key) => `<QueuedTransferStruct><CommandKey>${key}</CommandKey><State>2</State></QueuedTransferStruct>`,
  );
  return envelope(
    `<cwmp:GetQueuedTransfersResponse><TransferList soap-enc:arrayType="cwmp:QueuedTransferStruct[${entries.length}]">` +
      `${entries.join('')}</TransferList></cwmp:GetQueuedTransfersResponse>`,
  );
}

/** Begins a session and talks until the ACS asks what is not in `answers`, or has nothing more. */
async function talk(
  ferry: TestFerry,
  fields: InformFields,
  answers: Readonly<Record<string, string>>,
  own: readonly string[] = [],
): Promise<{ cpe: RawCpe; rpcs: string[]; last: string }> {
  const cpe = new RawCpe(ferry.urls.cwmp);
  await cpe.post(inform(fields));
  for (const message of own) await cpe.post(message);
  const rpcs: string[] = [];
  let answer = await cpe.post('');
  while (answer.status === 200) {
    const rpc = rpcOf(answer.body);
    rpcs.push(rpc);
    const response = { SetParameterValues: SET_PARAMETER_VALUES_RESPONSE, ...answers }[rpc];
    if (response === undefined) break;
    answer = await cpe.post(response);
  }
  return { cpe, rpcs: rpcs.filter((rpc) => rpc !== 'SetParameterValues'), last: answer.body };
}

/** A whole session. @returns the RPCs the ACS called, and the CommandKey of its Download */
async function session(
  ferry: TestFerry,
  answers: Readonly<Record<string, string>>,
  fields: InformFields = {},
  own: readonly string[] = [],
): Promise<string[]> {
  const { cpe, rpcs } = await talk(ferry, fields, answers, own);
  cpe.close();
  return rpcs;
}

/** A session that is broken off with the Download unanswered. @returns its CommandKey */
async function lostDownload(ferry: TestFerry): Promise<string> {
  const { cpe, rpcs, last } = await talk(ferry, {}, {});
  cpe.close();
  return rpcs.at(-1) === 'Download' ? (textOf(last, 'CommandKey') ?? '') : '';
}

async function outcomes(ferry: TestFerry): Promise<string[]> {
  const { status, body } = await ferry.nbi('GET', '/v1/dyn/FirmwareResultStorage/.*?revision=all');
  const found = status === 200 ? (body as { details: Result[] }).details : [];
  return found.reverse().map(({ result }) => `${result.code} ${result.message}`);
}

/** By this sweep, or by the one that comes by itself. */
function timedOut(ferry: TestFerry): Promise<boolean> {
  return until('it has timed out', async () => {
    await ferry.acs.sweep();
    const found = await outcomes(ferry);
    return found.length > 0 && found.every((outcome) => !outcome.startsWith('202 '));
  });
}

async function doubts(ferry: TestFerry): Promise<Record<string, number>> {
  const { body } = await ferry.nbi('GET', '/metrics');
  const lines = String(body).matchAll(/^ferry_upgrade_doubts_total\{outcome="(\w+)"\} (\d+)$/gm);
  return Object.fromEntries([...lines].map(([, outcome, count]) => [outcome ?? '', Number(count)]));
}

const BOOT: InformFields = { events: ['1 BOOT', ['M Download', 'x'], '7 TRANSFER COMPLETE'], version: '2.0' };

test('a Download that found no answer is asked about, and sent again under its own CommandKey', async (t) => {
  const ferry = await start(t);
  const key = await lostDownload(ferry);
  const { cpe, rpcs, last } = await talk(ferry, {}, { GetQueuedTransfers: queued() });
  t.deepEqual(rpcs, ['GetQueuedTransfers', 'Download']);
  t.is(textOf(last, 'CommandKey'), key);
  t.is(await (await fetch(textOf(last, 'URL') ?? '')).text(), 'firmware two');
  t.deepEqual(await outcomes(ferry), ['202 Upgrade is running: the Download has been sent again']);
  await cpe.post(downloadResponse());
  cpe.close();
  t.deepEqual(await session(ferry, {}, BOOT, [transferComplete(key)]), []);
  t.deepEqual(await outcomes(ferry), [
    '200 Upgrade has succeeded: software version 2.0, before 1.0; the Download was sent again once, as it did not seem to have reached the device',
  ]);
  t.deepEqual(await doubts(ferry), { resent: 1 });
  const asked = ferry.events.find(({ event }) => event === 'upgrade.doubted');
  t.like(asked?.fields, { cpeid: CPEID, commandKey: key, found: 'absent', outcome: 'resent', repeats: 1 });
});

test('one is not sent again either that the CPE has queued under a key it does not give as it was sent, or under none', async (t) => {
  for (const written of [(key: string) => `${key}${'u'.repeat(10)}`, () => '']) {
    const ferry = await start(t);
    const key = await lostDownload(ferry);
    const answers = { GetQueuedTransfers: queued('other', written(key)) };
    t.deepEqual(await session(ferry, answers), ['GetQueuedTransfers']);
    t.deepEqual(await outcomes(ferry), ['202 Upgrade is running: the device is downloading the file']);
  }
});

test('one that the CPE has queued is not sent again', async (t) => {
  const ferry = await start(t);
  const key = await lostDownload(ferry);
  t.deepEqual(await session(ferry, { GetQueuedTransfers: queued('other', key) }), ['GetQueuedTransfers']);
  t.deepEqual(await outcomes(ferry), ['202 Upgrade is running: the device is downloading the file']);
  t.deepEqual(await session(ferry, {}), [], 'and not asked about again');
  await session(ferry, {}, BOOT, [transferComplete(key)]);
  t.deepEqual(await outcomes(ferry), ['200 Upgrade has succeeded: software version 2.0, before 1.0']);
  t.deepEqual(await doubts(ferry), { accepted: 1 });
});

test('a CPE that runs the target already, but not since a boot that was told of, is verified', async (t) => {
  const ferry = await start(t);
  await lostDownload(ferry);
  t.deepEqual(await session(ferry, {}, { version: '2.0' }), [], 'it need not be asked');
  t.deepEqual(await outcomes(ferry), ['200 Upgrade has succeeded: software version 2.0, before 1.0']);
});

test("the CPE's own TransferComplete comes first, and settles it", async (t) => {
  const ferry = await start(t);
  const key = await lostDownload(ferry);
  t.deepEqual(await session(ferry, {}, BOOT, [transferComplete(key)]), []);
  t.deepEqual(await outcomes(ferry), ['200 Upgrade has succeeded: software version 2.0, before 1.0']);
});

test('a TransferComplete that was announced, but not sent before the empty POST, settles it as well', async (t) => {
  const ferry = await start(t);
  const key = await lostDownload(ferry);
  const events = ['7 TRANSFER COMPLETE', ['M Download', key] as const];
  t.deepEqual(await session(ferry, {}, { events }), []);
  t.deepEqual(await outcomes(ferry), ['202 Upgrade is running: the device is downloading the file']);
});

test('a CPE that cannot be asked is waited for, and asked again in every session', async (t) => {
  const ferry = await start(t);
  const key = await lostDownload(ferry);
  t.deepEqual(await session(ferry, { GetQueuedTransfers: cpeFault(9000, 'Method not supported') }), [
    'GetQueuedTransfers',
  ]);
  t.deepEqual(await outcomes(ferry), [
    '202 Upgrade is running: the device does not tell whether the Download has reached it',
  ]);
  t.deepEqual(await session(ferry, { GetQueuedTransfers: cpeFault(9002, 'Internal error') }), [
    'GetQueuedTransfers',
  ]);
  t.is(await ferry.acs.sweep(), 0);
  t.deepEqual(await session(ferry, { GetQueuedTransfers: queued(key) }), ['GetQueuedTransfers']);
  t.deepEqual(await outcomes(ferry), ['202 Upgrade is running: the device is downloading the file']);
});

/** A CPE that cannot be asked has lost its Download, and comes again, also once Ferry's interval has gone by. */
async function untoldThroughAnInterval(t: ExecutionContext, toProvisioning: string) {
  const seconds = 60;
  let aheadMs = 0;
  const clock = () => Date.now() + aheadMs;
  const config = { periodicInformSeconds: seconds };
  const ferry = await start(t, {}, { clock, config, checksSchema: false });
  const answers = {
    SetParameterValues: toProvisioning,
    GetQueuedTransfers: cpeFault(9000, 'Method not supported'),
  };
  const first = await talk(ferry, {}, answers);
  first.cpe.close();
  const periodic = { events: ['2 PERIODIC'] };
  for (let n = 0; n < 3; n++) t.deepEqual(await session(ferry, answers, periodic), ['GetQueuedTransfers']);
  aheadMs = seconds * 1_000;
  const called = { events: ['6 CONNECTION REQUEST'] };
  t.deepEqual(await session(ferry, answers, called), ['GetQueuedTransfers'], 'its own may be longer');
  const { cpe, rpcs, last } = await talk(ferry, periodic, answers);
  cpe.close();
  return { rpcs, lostKey: textOf(first.last, 'CommandKey'), lastKey: textOf(last, 'CommandKey') };
}

test('a CPE of unknown interval that cannot be asked gets its Download again in a periodic session, once it may have called by Ferry’s', async (t) => {
  const { rpcs, lostKey, lastKey } = await untoldThroughAnInterval(t, 'no answer that can be read');
  t.deepEqual(rpcs, ['GetQueuedTransfers', 'Download']);
  t.is(lastKey, lostKey);
});

test('a CPE that has refused Ferry’s interval is waited for as long as its own is', async (t) => {
  const { rpcs } = await untoldThroughAnInterval(t, cpeFault(9001, 'Request denied'));
  t.deepEqual(rpcs, ['GetQueuedTransfers']);
});

test('while upgrades are frozen nothing is sent again, and afterwards it is', async (t) => {
  const ferry = await start(t);
  const key = await lostDownload(ferry);
  await ferry.nbi('POST', '/v1/method/FreezeUpgrades', { frozen: true });
  t.deepEqual(await session(ferry, { GetQueuedTransfers: queued() }), ['GetQueuedTransfers']);
  t.deepEqual(await outcomes(ferry), [
    '202 Upgrade is running: the Download does not seem to have reached the device; it is not sent again yet (frozen)',
  ]);
  await ferry.nbi('POST', '/v1/method/FreezeUpgrades', { frozen: false });
  const { cpe, rpcs, last } = await talk(ferry, {}, { GetQueuedTransfers: queued() });
  cpe.close();
  t.deepEqual(rpcs, ['GetQueuedTransfers', 'Download']);
  t.is(textOf(last, 'CommandKey'), key);
});

test('where the rule has another file by now, what did not arrive is cancelled, and the new one goes out at once', async (t) => {
  const ferry = await start(t);
  const key = await lostDownload(ferry);
  await ferry.nbi('PUT', '/v1/images/hgw-3.bin?softwareVersion=3.0', Buffer.from('firmware three'));
  await ferry.nbi('PUT', '/v1/dyn/FirmwareStorage/R1', { file: 'hgw-3.bin' });
  const { cpe, rpcs, last } = await talk(ferry, {}, { GetQueuedTransfers: queued() });
  cpe.close();
  t.deepEqual(rpcs, ['GetQueuedTransfers', 'Download']);
  t.not(textOf(last, 'CommandKey'), key);
  t.regex(textOf(last, 'URL') ?? '', /hgw-3\.bin$/);
  t.regex((await outcomes(ferry))[0] ?? '', /^499 .* the rule has another file or target now/);
});

test('several sessions of a CPE that are in doubt send the Download again once between them', async (t) => {
  const ferry = await start(t);
  await lostDownload(ferry);
  const talks = await Promise.all([...Array(10)].map(() => talk(ferry, {}, {})));
  t.true(talks.every(({ rpcs }) => rpcs.join() === 'GetQueuedTransfers'));
  const answers = await Promise.all(talks.map(({ cpe }) => cpe.post(queued())));
  for (const { cpe } of talks) cpe.close();
  t.is(answers.filter(({ body }) => rpcOf(body) === 'Download').length, 1);
  t.deepEqual(await doubts(ferry), { resent: 1, overtaken: 9 });
});

test('a session that began before the Download was sent is in no doubt about it', async (t) => {
  const ferry = await start(t);
  await session(ferry, {}, { version: '2.0' });
  const early = new RawCpe(ferry.urls.cwmp);
  await early.post(inform({ serial: '1', version: '1.0' }));
  const rule = { id: 'R2', file: 'hgw-2.bin', condition: { cpeid: CPEID } };
  await ferry.nbi('POST', '/v1/dyn/FirmwareStorage/.*', rule);
  const other = await talk(ferry, {}, {});
  t.deepEqual(other.rpcs, ['Download']);
  t.is((await early.post('')).status, 204);
  early.close();
  other.cpe.close();
});

test('the answer of a session that the CPE has left still counts, and then nothing is sent again', async (t) => {
  const ferry = await start(t);
  const old = await talk(ferry, {}, {});
  const next = await talk(ferry, {}, {});
  t.deepEqual(next.rpcs, ['GetQueuedTransfers']);
  t.is((await old.cpe.post(downloadResponse())).status, 204);
  t.is((await next.cpe.post(queued())).status, 204);
  old.cpe.close();
  next.cpe.close();
  t.deepEqual(await outcomes(ferry), ['202 Upgrade is running: the device is downloading the file']);
});

test('before the next execution a CPE is asked whether it still has the one that timed out', async (t) => {
  const ferry = await start(t, { executions: 2, retry: AT_ONCE, deadlines: { acceptedMinutes: 0.000_01 } });
  const first = await talk(ferry, {}, {});
  const key = textOf(first.last, 'CommandKey') ?? '';
  await first.cpe.post(downloadResponse());
  first.cpe.close();
  await timedOut(ferry);
  t.deepEqual(await session(ferry, { GetQueuedTransfers: queued(key) }), ['GetQueuedTransfers']);
  t.is((await outcomes(ferry)).length, 1, 'it is downloading: another Download would be one too many');
  const next = await talk(ferry, {}, { GetQueuedTransfers: queued() });
  next.cpe.close();
  t.deepEqual(next.rpcs, ['GetQueuedTransfers', 'Download']);
  t.not(textOf(next.last, 'CommandKey'), key);
});

test('where it cannot be asked, the next execution begins all the same', async (t) => {
  const ferry = await start(t, { executions: 2, retry: AT_ONCE, deadlines: { sentMinutes: 0.000_01 } });
  const key = await lostDownload(ferry);
  await timedOut(ferry);
  const next = await talk(ferry, {}, { GetQueuedTransfers: cpeFault(9000, 'Method not supported') });
  next.cpe.close();
  t.deepEqual(next.rpcs, ['GetQueuedTransfers', 'Download']);
  t.not(textOf(next.last, 'CommandKey'), key);
});
