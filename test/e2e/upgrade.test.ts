import test, { type ExecutionContext } from 'ava';
import { startTestFerry, type TestFerry, until } from '../support/ferry.js';
import {
  cpeFault,
  downloadResponse,
  type InformFields,
  inform,
  parameterValues,
  RawCpe,
  restOfSession,
  rpcOf,
  SET_PARAMETER_VALUES_RESPONSE,
  textOf,
  transferComplete,
} from '../support/raw-cpe.js';

const CPEID = '00A1B2-HGW-1';
const NO_CHECK = { 'Content-Type': 'application/json' };

interface Result {
  readonly id: string;
  readonly status: boolean;
  readonly campaignid: string;
  readonly result: { readonly code: number; readonly message: string };
}

async function startWithImage(
  t: ExecutionContext,
  options: Parameters<typeof startTestFerry>[1] = {},
): Promise<TestFerry> {
  const ferry = await startTestFerry(t, options);
  const uploaded = await ferry.nbi(
    'PUT',
    '/v1/images/hgw-2.bin?softwareVersion=2.0',
    Buffer.from('firmware two'),
  );
  t.true(uploaded.status < 300, JSON.stringify(uploaded.body));
  return ferry;
}

async function postRule(
  t: ExecutionContext,
  ferry: TestFerry,
  changes: Record<string, unknown> = {},
): Promise<void> {
  const rule = {
    id: 'R1',
    file: 'hgw-2.bin',
    condition: { cpeid: CPEID },
    priority: 1,
    author: 'api',
    ...changes,
  };
  const answer = await ferry.nbi('POST', '/v1/dyn/FirmwareStorage/.*', rule, NO_CHECK);
  t.is(answer.status, 200, JSON.stringify(answer.body));
}

/** A session from Inform to the first empty answer. @returns the RPCs the ACS called, with their envelopes */
async function session(
  ferry: TestFerry,
  fields: InformFields = {},
  options: { own?: readonly string[]; answers?: Readonly<Record<string, string>> } = {},
): Promise<{ readonly rpcs: string[]; readonly envelopes: Record<string, string> }> {
  const cpe = new RawCpe(ferry.urls.cwmp);
  const answers: Record<string, string> = {
    SetParameterValues: SET_PARAMETER_VALUES_RESPONSE,
    Download: downloadResponse(1),
    ...options.answers,
  };
  await cpe.post(inform(fields));
  for (const own of options.own ?? []) await cpe.post(own);
  const rest = await restOfSession(cpe, answers);
  cpe.close();
  return rest;
}

async function results(ferry: TestFerry, query = 'id=R1&revision=all'): Promise<Result[]> {
  const answer = await ferry.nbi('GET', `/v1/dyn/FirmwareResultStorage/.*?${query}`);
  return answer.status === 404 ? [] : (answer.body as { details: Result[] }).details;
}

async function outcome(ferry: TestFerry): Promise<string> {
  return (await results(ferry))
    .map(({ status, result }) => `${status} ${result.code} ${result.message}`)
    .join('; ');
}

function commandKeyOf(envelopes: Record<string, string>): string {
  return textOf(envelopes['Download'] ?? '', 'CommandKey') ?? '';
}

const BOOT: InformFields = { events: ['1 BOOT', ['M Download', 'x'], '7 TRANSFER COMPLETE'] };

test('a whole upgrade: Download, reboot, TransferComplete, verified by the new version', async (t) => {
  const ferry = await startWithImage(t);
  await postRule(t, ferry);
  const first = await session(ferry);
  t.deepEqual(first.rpcs, ['SetParameterValues', 'Download']);
  const download = first.envelopes['Download'] ?? '';
  t.is(textOf(download, 'FileType'), '1 Firmware Upgrade Image');
  t.is(textOf(download, 'FileSize'), '12');
  t.regex(textOf(download, 'URL') ?? '', /^http:\/\/127\.0\.0\.1:\d+\/t\/[\w-]+\/hgw-2\.bin$/);
  t.is(await (await fetch(textOf(download, 'URL') ?? '')).text(), 'firmware two');
  t.regex(await outcome(ferry), /^false 202 /);
  t.deepEqual((await session(ferry)).rpcs, [], 'one upgrade in flight per CPE');
  const done = await session(
    ferry,
    { ...BOOT, version: '2.0' },
    { own: [transferComplete(commandKeyOf(first.envelopes))] },
  );
  t.deepEqual(done.rpcs, []);
  t.is(await outcome(ferry), 'true 200 Upgrade has succeeded: software version 2.0, before 1.0');
});

test('a fault reported by TransferComplete fails the upgrade in the words of the NBI document', async (t) => {
  const ferry = await startWithImage(t);
  await postRule(t, ferry);
  const { envelopes } = await session(ferry);
  await session(
    ferry,
    { events: ['7 TRANSFER COMPLETE'] },
    {
      own: [transferComplete(commandKeyOf(envelopes), [9010, 'Download failure. File not found.'])],
    },
  );
  t.is(
    await outcome(ferry),
    'true 500 Upgrade has failed with FaultCode 9010. FaultString: Download failure. File not found.',
  );
  t.deepEqual((await session(ferry)).rpcs, [], 'the one execution is used up');
});

test('TransferComplete twice, of a stranger, and for a key of another CPE is answered and changes nothing', async (t) => {
  const ferry = await startWithImage(t);
  await postRule(t, ferry);
  const { envelopes } = await session(ferry);
  const key = commandKeyOf(envelopes);
  await session(ferry, { serial: 'other' }, { own: [transferComplete(key, [9010, 'not mine'])] });
  await session(ferry, {}, { own: [transferComplete('nobody knows'), transferComplete(key)] });
  await session(ferry, { ...BOOT, version: '2.0' }, { own: [transferComplete(key)] });
  await session(ferry, { version: '2.0' }, { own: [transferComplete(key, [9010, 'lying'])] });
  t.is(await outcome(ferry), 'true 200 Upgrade has succeeded: software version 2.0, before 1.0');
});

test('a Download refused with 9004 is given back, at most five times, and spaced by retry', async (t) => {
  const ferry = await startWithImage(t);
  await postRule(t, ferry, { retry: { afterMinutes: 0.000_001, factor: 1, maxHours: 1 } });
  const busy = { answers: { Download: cpeFault(9004, 'Resources exceeded') } };
  let downloads = 0;
  for (let round = 0; round < 9; round++) {
    downloads += (await session(ferry, {}, busy)).rpcs.filter((rpc) => rpc === 'Download').length;
  }
  t.is(downloads, 6);
  t.is((await results(ferry)).length, 6);
});

test('a failed execution counts, and the next waits for the retry interval', async (t) => {
  const ferry = await startWithImage(t);
  await postRule(t, ferry, { executions: 2, retry: { afterMinutes: 60, factor: 2, maxHours: 24 } });
  const refuse = { answers: { Download: cpeFault(9001, 'Request denied') } };
  t.true((await session(ferry, {}, refuse)).rpcs.includes('Download'));
  t.deepEqual((await session(ferry, {}, refuse)).rpcs, []);
  await postRule(t, ferry, { executions: 2, retry: { afterMinutes: 0.000_001, factor: 1, maxHours: 24 } });
  t.deepEqual((await session(ferry, {}, refuse)).rpcs, ['Download']);
  t.deepEqual((await session(ferry, {}, refuse)).rpcs, []);
});

test('a CPE at the target already gets no Download: a pinned rule says so, a fleet rule says nothing, force sends it', async (t) => {
  const ferry = await startWithImage(t);
  await postRule(t, ferry, { id: 'FLEET', condition: { productClass: 'HGW' } });
  await postRule(t, ferry);
  t.deepEqual((await session(ferry, { version: '2.0' })).rpcs, ['SetParameterValues']);
  t.is(await outcome(ferry), 'true 200 already at target version 2.0');
  t.deepEqual(await results(ferry, 'id=FLEET'), []);
  await postRule(t, ferry, { id: 'FORCED', force: true });
  t.deepEqual((await session(ferry, { version: '2.0' })).rpcs, ['Download']);
});

test('raising limits or window of a rule that has upgraded its CPE, and posting it again, sends no Download', async (t) => {
  const ferry = await startWithImage(t);
  const limited = { condition: { productClass: 'HGW' }, limits: { total: 1, concurrent: 1 } };
  await postRule(t, ferry, limited);
  const { envelopes } = await session(ferry);
  await session(ferry, { ...BOOT, version: '2.0' }, { own: [transferComplete(commandKeyOf(envelopes))] });
  // Back on the old version, so that nothing but the count keeps the rule from running again.
  const window = { cron: '* * * * *', durationMinutes: 60, timezone: 'UTC' };
  for (const changes of [
    limited,
    { ...limited, limits: { total: 100 } },
    { ...limited, limits: {}, window },
    limited,
  ]) {
    await postRule(t, ferry, changes);
    t.deepEqual((await session(ferry, { version: '1.0' })).rpcs, []);
  }
  await ferry.nbi('DELETE', '/v1/dyn/FirmwareStorage/R1');
  await postRule(t, ferry, limited);
  t.deepEqual((await session(ferry, { version: '1.0' })).rpcs, [], 'removed and added again');
  t.is((await ferry.nbi('POST', '/v1/method/RestartRule', { id: 'R1' })).status, 200);
  await postRule(t, ferry, { ...limited, limits: { total: 2 } });
  t.deepEqual(
    (await session(ferry, { version: '1.0' })).rpcs,
    ['Download'],
    'RestartRule does reset the counts',
  );
});

test('limits.total holds across CPEs', async (t) => {
  const ferry = await startWithImage(t);
  await postRule(t, ferry, { condition: { productClass: 'HGW' }, limits: { total: 3 } });
  const sessions = await Promise.all(
    [...Array(10).keys()].map((serial) => session(ferry, { serial: String(serial) })),
  );
  t.is(sessions.filter(({ rpcs }) => rpcs.includes('Download')).length, 3);
});

test('many sessions of one CPE at once get one Download between them', async (t) => {
  const ferry = await startWithImage(t);
  await postRule(t, ferry);
  const sessions = await Promise.all([...Array(20)].map(() => session(ferry)));
  t.is(sessions.filter(({ rpcs }) => rpcs.includes('Download')).length, 1);
  t.is((await results(ferry)).length, 1);
});

test('the emergency brake stops Downloads at once and lets them go again', async (t) => {
  const ferry = await startWithImage(t);
  await postRule(t, ferry);
  t.is((await ferry.nbi('POST', '/v1/method/FreezeUpgrades', { frozen: true, reason: 'test' })).status, 200);
  t.deepEqual((await session(ferry)).rpcs, ['SetParameterValues']);
  t.is((await ferry.nbi('POST', '/v1/method/FreezeUpgrades', { frozen: false })).status, 200);
  t.deepEqual((await session(ferry)).rpcs, ['Download']);
});

test('the higher priority runs first, then the other', async (t) => {
  const ferry = await startWithImage(t);
  await postRule(t, ferry, { id: 'LOW', priority: 1 });
  await postRule(t, ferry, { id: 'HIGH', priority: 5, executions: 1 });
  const refuse = { answers: { Download: cpeFault(9001, 'Request denied') } };
  await session(ferry, {}, refuse);
  t.is((await results(ferry, 'id=HIGH')).length, 1);
  t.is((await results(ferry, 'id=LOW')).length, 0);
  await session(ferry, {}, refuse);
  t.is((await results(ferry, 'id=LOW')).length, 1);
});

test('deadlines end what was never heard of again, and late word corrects it', async (t) => {
  const ferry = await startWithImage(t);
  await postRule(t, ferry, { deadlines: { acceptedMinutes: 0.000_01 } });
  const { envelopes } = await session(ferry);
  await until(
    'the sweep ended it',
    async () => (await ferry.acs.sweep()) > 0 || (await results(ferry))[0]?.status,
  );
  t.regex(
    await outcome(ferry),
    /^true 408 Upgrade has timed out: the device did not report the end of the transfer/,
  );
  await session(ferry, { ...BOOT, version: '2.0' }, { own: [transferComplete(commandKeyOf(envelopes))] });
  t.is(await outcome(ferry), 'true 200 Upgrade has succeeded: software version 2.0, before 1.0');
});

/** A Ferry whose one upgrade has timed out: the CPE took the Download, and was not heard of again in time. */
async function startTimedOut(t: ExecutionContext): Promise<TestFerry> {
  const ferry = await startWithImage(t);
  await postRule(t, ferry, { deadlines: { acceptedMinutes: 0.000_01 } });
  await session(ferry);
  await until(
    'the sweep ended it',
    async () => (await ferry.acs.sweep()) > 0 || (await results(ferry))[0]?.status,
  );
  return ferry;
}

test('a CPE whose late TransferComplete never comes is still seen to have arrived', async (t) => {
  const ferry = await startTimedOut(t);
  await session(ferry, { version: '2.0' });
  t.regex(await outcome(ferry), /^true 200 /);
});

test('a rule that is not automatic runs only in a session an operator asked for, and once', async (t) => {
  const ferry = await startWithImage(t, { config: { connectionRequestSeconds: 1 } });
  await postRule(t, ferry, { automatic: false });
  t.deepEqual((await session(ferry)).rpcs, ['SetParameterValues']);
  const sent = await ferry.nbi('POST', '/v1/method/SendCNR', { search_options: { cpe_id: CPEID } });
  t.is(sent.status, 504, 'nothing listens at the address of this CPE');
  t.deepEqual((await session(ferry)).rpcs, ['Download'], 'the wish stands for ten minutes all the same');
});

test('the version is read where the Inform after a transfer lacks it', async (t) => {
  const ferry = await startWithImage(t);
  await postRule(t, ferry);
  const { envelopes } = await session(ferry);
  const values = parameterValues({ version: '2.0' });
  const done = await session(
    ferry,
    { ...BOOT, version: null },
    { own: [transferComplete(commandKeyOf(envelopes))], answers: { GetParameterValues: values } },
  );
  t.deepEqual(done.rpcs, ['GetParameterValues']);
  t.regex(await outcome(ferry), /^true 200 /);
});

test('a version read in the session of TransferComplete counts like one that its Inform had: old is not yet failure', async (t) => {
  const ferry = await startWithImage(t);
  await postRule(t, ferry);
  const { envelopes } = await session(ferry);
  const values = parameterValues({ version: '1.0' });
  const unversioned = { ...BOOT, version: null };
  const answers = { GetParameterValues: values };
  await session(ferry, unversioned, { own: [transferComplete(commandKeyOf(envelopes))], answers });
  t.regex(await outcome(ferry), /^false 202 /);
  await session(ferry, unversioned, { answers });
  t.is(
    await outcome(ferry),
    'true 500 Upgrade has failed: the device reports software version 1.0 instead of 2.0',
  );
});

test('an end of the transfer with a fault text of any length is recorded', async (t) => {
  const ferry = await startWithImage(t);
  await postRule(t, ferry);
  const { envelopes } = await session(ferry);
  const fault = [9010, `${'x'.repeat(255)}😀`] as const;
  await session(ferry, {}, { own: [transferComplete(commandKeyOf(envelopes), fault)] });
  t.regex(await outcome(ferry), /^true 500 .*x{255}$/);
});

test('a late upgrade is settled by a version that had to be read', async (t) => {
  const ferry = await startTimedOut(t);
  const values = parameterValues({ version: '2.0' });
  await session(ferry, { ...BOOT, version: null }, { answers: { GetParameterValues: values } });
  t.regex(await outcome(ferry), /^true 200 /);
});

test('a sweep that meets CPEs which have just answered ends none of their upgrades', async (t) => {
  const ferry = await startWithImage(t);
  await postRule(t, ferry, { condition: { productClass: 'HGW' }, deadlines: { sentMinutes: 0.000_01 } });
  const cpes = await Promise.all(
    Array.from({ length: 30 }, async (_, serial) => {
      const cpe = new RawCpe(ferry.urls.cwmp);
      await cpe.post(inform({ serial: String(serial) }));
      await cpe.post('');
      await cpe.post(SET_PARAMETER_VALUES_RESPONSE);
      return cpe;
    }),
  );
  await Promise.all([ferry.acs.sweep(), ...cpes.map((cpe) => cpe.post(downloadResponse()))]);
  for (const cpe of cpes) cpe.close();
  for (const { status, result } of await results(ferry)) {
    // Either the sweep was first and told the truth, or the CPE was and its download goes on.
    t.true(status ? /did not answer the Download/.test(result.message) : result.code === 202, result.message);
  }
});

test('parameters that a condition reads are fetched on first contact, the unknown ones only once', async (t) => {
  const ferry = await startWithImage(t);
  await postRule(t, ferry, {
    condition:
      '$contains(parameters.Device.DeviceInfo.Description, "lab") and $not($exists(parameters.Device.X_NONE.Y))',
  });
  const values = parameterValues({ parameters: { 'Device.DeviceInfo.Description': 'a lab device' } });
  const cpe = new RawCpe(ferry.urls.cwmp);
  await cpe.post(inform());
  let answer = await cpe.post('');
  const seen: string[] = [];
  while (answer.status === 200) {
    const rpc = rpcOf(answer.body);
    const asksUnknown = answer.body.includes('X_NONE');
    seen.push(asksUnknown ? `${rpc} X_NONE` : rpc);
    if (rpc === 'SetParameterValues') answer = await cpe.post(SET_PARAMETER_VALUES_RESPONSE);
    else if (rpc === 'Download') answer = await cpe.post(downloadResponse());
    else answer = await cpe.post(asksUnknown ? cpeFault(9005, 'Invalid Parameter Name') : values);
  }
  cpe.close();
  t.deepEqual(seen.at(-1), 'Download');
  t.is(seen.filter((rpc) => rpc.startsWith('GetParameterValues')).length, 3, seen.join());
  t.false((await session(ferry)).rpcs.includes('GetParameterValues'));
});

test('answers come in the namespace of the CPE, and without an XML declaration also where it sent one', async (t) => {
  const ferry = await startTestFerry(t);
  for (const version of ['1-0', '1-1', '1-2', '1-3', '1-4']) {
    for (const declaration of ['', '<?xml version="1.0" encoding="UTF-8"?>\n']) {
      const cpe = new RawCpe(ferry.urls.cwmp);
      const namespace = `urn:dslforum-org:cwmp-${version}`;
      const answers = [
        await cpe.post(declaration + inform({ serial: `${version}${declaration.length}`, namespace })),
        await cpe.post(''),
      ];
      for (const { body } of answers) {
        t.true(body.includes(`"${namespace}"`));
        t.true(body.startsWith('<soap-env:Envelope'), body.slice(0, 60));
      }
      cpe.close();
    }
  }
});

test('first contact and factory reset set credentials of the CPE’s own, which never appear in a log', async (t) => {
  const ferry = await startTestFerry(t, { config: { periodicInformSeconds: 900 } });
  const parametersOf = (xml: string) =>
    [...xml.matchAll(/<Name>([^<]*)<\/Name><Value[^>]*>([^<]*)</g)].map(([, name, value]) => [name, value]);
  const first = Object.fromEntries(
    parametersOf((await session(ferry)).envelopes['SetParameterValues'] ?? ''),
  );
  t.deepEqual(Object.keys(first), [
    'Device.ManagementServer.PeriodicInformEnable',
    'Device.ManagementServer.PeriodicInformInterval',
    'Device.ManagementServer.ConnectionRequestUsername',
    'Device.ManagementServer.ConnectionRequestPassword',
  ]);
  t.is(first['Device.ManagementServer.PeriodicInformInterval'], '900');
  const password = first['Device.ManagementServer.ConnectionRequestPassword'] ?? '';
  t.true(password.length >= 20);
  t.deepEqual((await session(ferry)).rpcs, []);
  const reset = await session(ferry, { events: ['0 BOOTSTRAP', '1 BOOT'] });
  const second = Object.fromEntries(parametersOf(reset.envelopes['SetParameterValues'] ?? ''));
  t.not(second['Device.ManagementServer.ConnectionRequestPassword'], password);
  t.false(JSON.stringify(ferry.events).includes(password));
});
