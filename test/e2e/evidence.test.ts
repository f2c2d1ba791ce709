import test, { type ExecutionContext } from 'ava';
import { DEVICES, type Device } from '../../acs/index.js';
import { type Clock, DAY_MS, MINUTE_MS, type ResultId } from '../../common/index.js';
import { startTestFerry, type TestFerry } from '../support/ferry.js';
import {
  downloadResponse,
  envelope,
  type InformFields,
  inform,
  RawCpe,
  restOfSession,
  rpcOf,
  SET_PARAMETER_VALUES_RESPONSE,
  textOf,
  transferComplete,
} from '../support/raw-cpe.js';

interface Result {
  readonly id: string;
  readonly cpeid: string;
  readonly result: { readonly code: number; readonly message: string };
  readonly matched_by?: string;
  readonly reported_by?: string;
}

/** A Ferry whose rule upgrades every HGW from 1.0 to 2.0, in its own time. */
async function start(
  t: ExecutionContext,
  rule: Readonly<Record<string, unknown>> = {},
): Promise<TestFerry & { pass(ms: number): void }> {
  let aheadMs = 0;
  const clock: Clock = () => Date.now() + aheadMs;
  const ferry = await startTestFerry(t, { clock });
  await ferry.nbi('PUT', '/v1/images/hgw-2.bin?softwareVersion=2.0', Buffer.from('firmware two'));
  const body = { id: 'R1', file: 'hgw-2.bin', condition: { productClass: 'HGW' }, ...rule };
  t.is((await ferry.nbi('POST', '/v1/dyn/FirmwareStorage/.*', body)).status, 200);
  return {
    ...ferry,
    pass(ms) {
      aheadMs += ms;
    },
  };
}

/** A session from Inform to the first empty answer. @returns the RPCs the ACS called, and its Download */
async function session(
  ferry: TestFerry,
  fields: InformFields,
  own: readonly string[] = [],
): Promise<{ readonly rpcs: readonly string[]; readonly key: string; readonly url: string }> {
  const cpe = new RawCpe(ferry.urls.cwmp);
  const answers: Readonly<Record<string, string>> = {
    SetParameterValues: SET_PARAMETER_VALUES_RESPONSE,
    Download: downloadResponse(1),
  };
  await cpe.post(inform(fields));
  for (const message of own) await cpe.post(message);
  const { rpcs, envelopes } = await restOfSession(cpe, answers);
  const { Download: download = '' } = envelopes;
  cpe.close();
  return { rpcs, key: textOf(download, 'CommandKey') ?? '', url: textOf(download, 'URL') ?? '' };
}

async function details(ferry: TestFerry, path: string): Promise<unknown[]> {
  const { status, body } = await ferry.nbi('GET', `/v1/dyn/${path}`);
  return status === 404 ? [] : (body as { details: unknown[] }).details;
}

/** The results of a CPE, the last first. */
async function resultsOf(ferry: TestFerry, cpeid: string): Promise<readonly Result[]> {
  return (await details(ferry, `FirmwareResultStorage/.*?cpeid=${cpeid}`)) as Result[];
}

async function outcomes(ferry: TestFerry, cpeid: string): Promise<readonly string[]> {
  return (await resultsOf(ferry, cpeid)).map(({ result }) => `${result.code} ${result.message}`);
}

async function deviceOf(ferry: TestFerry, cpeid: string): Promise<Record<string, unknown>> {
  const [device] = await details(ferry, `DeviceStorage/${cpeid}`);
  return (device ?? {}) as Record<string, unknown>;
}

const FAULT = [9010, 'Download failure'] as const;
const FAILED = `500 Upgrade has failed with FaultCode 9010. FaultString: ${FAULT[1]}`;
const RUNNING = '202 Upgrade is running: the device is downloading the file';
const SUCCESS = '200 Upgrade has succeeded: software version 2.0, before 1.0';
const REPORT: InformFields = { events: ['7 TRANSFER COMPLETE', ['M Download', '']] };

test('a CommandKey has 22 characters, and what a CPE reports under one that it has changed is of its one upgrade', async (t) => {
  const ferry = await start(t);
  const ways: readonly (readonly [string, (key: string) => string, string | undefined])[] = [
    ['exact', (key) => key, undefined],
    ['continued', (key) => `${key}u8fWq.....`, 'continued'],
    ['upper', (key) => key.toUpperCase(), 'altered'],
    ['quoted', (key) => `"${key}"`, 'altered'],
    ['cut', (key) => key.slice(0, 16), 'cut'],
    ['empty', () => '', 'empty'],
  ];
  for (const [serial, written, matchedBy] of ways) {
    for (const [suffix, fault, expected] of [
      ['F', FAULT, FAILED],
      ['S', [0, ''], SUCCESS],
    ] as const) {
      const cpe = { serial: `${serial}${suffix}` };
      const cpeid = `00A1B2-HGW-${cpe.serial}`;
      const { key } = await session(ferry, cpe);
      t.regex(key, /^[\w-]{22}$/);
      const version = suffix === 'S' ? '2.0' : '1.0';
      await session(ferry, { ...REPORT, ...cpe, version }, [transferComplete(written(key), fault)]);
      t.deepEqual(await outcomes(ferry, cpeid), [expected], serial);
      t.is((await resultsOf(ferry, cpeid))[0]?.matched_by, matchedBy, serial);
      t.deepEqual((await session(ferry, { ...cpe, version })).rpcs, [], 'its one execution is used up');
    }
  }
  const by = ferry.events.filter(({ event }) => event === 'transfer-complete.matched');
  t.deepEqual([...new Set(by.map(({ fields }) => fields['by']))], ['continued', 'altered', 'cut', 'empty']);
});

test('a CommandKey of 32 characters, as it was sent before, still names its upgrade', async (t) => {
  const ferry = await start(t);
  await session(ferry, {});
  const [{ id } = { id: '' }] = await resultsOf(ferry, '00A1B2-HGW-1');
  await session(ferry, { ...REPORT, version: '2.0' }, [transferComplete(id.replaceAll('-', ''))]);
  t.deepEqual(await outcomes(ferry, '00A1B2-HGW-1'), [SUCCESS]);
});

test('a mark of an upgrade that has ended, as a backup may leave it, is taken from the CPE by its next session', async (t) => {
  const ferry = await start(t);
  const { key } = await session(ferry, {});
  await session(ferry, { ...REPORT, version: '2.0' }, [transferComplete(key)]);
  const devices = ferry.installation.store.collection<Device>(DEVICES);
  const [{ id } = { id: '' }] = await resultsOf(ferry, '00A1B2-HGW-1');
  const stored = await devices.get('00A1B2-HGW-1');
  if (stored === null) throw new Error('it is not stored');
  await devices.put({ ...stored.document, inFlight: id as ResultId });
  await session(ferry, { version: '2.0' });
  t.is((await deviceOf(ferry, '00A1B2-HGW-1'))['upgrade'], null);
});

test('where the report has no key, that of its event M Download counts', async (t) => {
  const ferry = await start(t, { executions: 2, retry: { afterMinutes: 1, factor: 1, maxHours: 1 } });
  const first = await session(ferry, {});
  await session(ferry, REPORT, [transferComplete(first.key, FAULT)]);
  ferry.pass(2 * MINUTE_MS);
  const second = await session(ferry, {});
  t.not(second.key, '');
  const told = (key: string): InformFields => ({ events: ['7 TRANSFER COMPLETE', ['M Download', key]] });
  for (const earlier of [first.key, 'of-another-acs']) {
    await session(ferry, told(earlier), [transferComplete('', FAULT)]);
    t.deepEqual(await outcomes(ferry, '00A1B2-HGW-1'), [RUNNING, FAILED]);
  }
  await session(ferry, told(second.key.toLowerCase()), [transferComplete('', FAULT)]);
  t.deepEqual(await outcomes(ferry, '00A1B2-HGW-1'), [FAILED, FAILED]);
});

test('a key that is clearly of another transfer is answered and changes nothing', async (t) => {
  const ferry = await start(t, { executions: 2, retry: { afterMinutes: 1, factor: 1, maxHours: 1 } });
  const other = await session(ferry, { serial: 'other' });
  const first = await session(ferry, {});
  await session(ferry, REPORT, [transferComplete(first.key, FAULT)]);
  ferry.pass(2 * MINUTE_MS);
  await session(ferry, {});
  const foreign = [
    first.key,
    first.key.toUpperCase(),
    other.key,
    'download-1',
    'A'.repeat(22),
    'a'.repeat(32),
  ];
  for (const key of foreign) {
    const cpe = new RawCpe(ferry.urls.cwmp);
    await cpe.post(inform(REPORT));
    t.is(rpcOf((await cpe.post(transferComplete(key, FAULT))).body), 'TransferCompleteResponse');
    cpe.close();
    t.deepEqual(await outcomes(ferry, '00A1B2-HGW-1'), [RUNNING, FAILED], key);
  }
  t.deepEqual(await outcomes(ferry, '00A1B2-HGW-other'), [RUNNING]);
});

test('without an upgrade under way a report without a key is of nothing here', async (t) => {
  const ferry = await start(t);
  const { key } = await session(ferry, {});
  await session(ferry, { ...REPORT, version: '2.0' }, [transferComplete(key)]);
  await session(ferry, { ...REPORT, version: '2.0' }, [transferComplete('', FAULT)]);
  t.deepEqual(await outcomes(ferry, '00A1B2-HGW-1'), [SUCCESS]);
  t.true(ferry.events.some(({ event }) => event === 'transfer-complete.unknown-command-key'));
});

test('the target version, seen after the Download, is proof whatever the event', async (t) => {
  const ferry = await start(t);
  for (const event of ['1 BOOT', '0 BOOTSTRAP', 'M Reboot', 'X 00A1B2 new', '4 VALUE CHANGE', '2 PERIODIC']) {
    const serial = event.replace(/\W/g, '');
    await session(ferry, { serial });
    await session(ferry, { serial, events: [event], version: '2.0' });
    t.deepEqual(await outcomes(ferry, `00A1B2-HGW-${serial}`), [SUCCESS], event);
  }
});

test('a failure that the version told is taken back by the version, and the limits count it as a success', async (t) => {
  const ferry = await start(t, { limits: { stopAfterFailures: 1 } });
  for (const event of ['1 BOOT', '4 VALUE CHANGE', '2 PERIODIC']) {
    const serial = event.replace(/\W/g, '');
    const cpeid = `00A1B2-HGW-${serial}`;
    const { rpcs, key } = await session(ferry, { serial });
    t.true(rpcs.includes('Download'), 'the failure before stops nothing any more');
    await session(ferry, { ...REPORT, serial }, [transferComplete(key)]);
    await session(ferry, { serial, events: ['1 BOOT'] });
    t.deepEqual(await outcomes(ferry, cpeid), [
      '500 Upgrade has failed: the device reports software version 1.0 instead of 2.0',
    ]);
    t.deepEqual((await session(ferry, { serial: `${serial}B` })).rpcs, ['SetParameterValues']);
    await session(ferry, { serial, events: [event], version: '2.0' });
    t.deepEqual(await outcomes(ferry, cpeid), [SUCCESS], event);
  }
  const corrected = ferry.events.filter(({ fields }) => fields['corrects'] === 'failed');
  t.is(corrected.length, 3);
});

test('a device that falls back within a day has failed, stops the rule, and gets no second Download', async (t) => {
  const ferry = await start(t, { executions: 3, limits: { stopAfterFailures: 1 } });
  for (const serial of ['1', '2']) {
    const { key } = await session(ferry, { serial });
    await session(ferry, { ...REPORT, serial, version: '2.0' }, [transferComplete(key)]);
  }
  t.deepEqual((await session(ferry, { serial: '1', events: ['1 BOOT'] })).rpcs, []);
  t.deepEqual(await outcomes(ferry, '00A1B2-HGW-1'), [
    '500 Upgrade has failed: the device has gone back to software version 1.0, after it had reported 2.0',
  ]);
  t.deepEqual((await session(ferry, { serial: '3' })).rpcs, ['SetParameterValues'], 'stopAfterFailures');
  ferry.pass(DAY_MS);
  t.deepEqual((await session(ferry, { serial: '2', events: ['1 BOOT'] })).rpcs, []);
  t.deepEqual(await outcomes(ferry, '00A1B2-HGW-2'), [SUCCESS], 'somebody has brought it back');
});

const OLD = '00A1B2-HGW-1';
const NEW = '00F0F0-HGX-1';
const CHANGED: InformFields = { ...REPORT, oui: '00F0F0', productClass: 'HGX', version: '2.0' };
const EVERY = { condition: { serialNumber: '1' }, target: { softwareVersion: '3.0' } };

test('a device whose OUI changes with the firmware: the result stays, both documents link, and the execution counts for both', async (t) => {
  const ferry = await start(t, { condition: { serialNumber: '1' } });
  const { key } = await session(ferry, {});
  const done = await session(ferry, CHANGED, [transferComplete(key)]);
  t.deepEqual(done.rpcs, ['SetParameterValues']);
  t.deepEqual(await outcomes(ferry, OLD), [SUCCESS]);
  t.is((await resultsOf(ferry, OLD))[0]?.reported_by, NEW);
  t.deepEqual(await resultsOf(ferry, NEW), []);
  t.like(await deviceOf(ferry, OLD), { supersededBy: NEW, upgrade: null });
  t.like(await deviceOf(ferry, NEW), { supersedes: OLD, upgrade: null });
  // With another version than its target, so that nothing but the count keeps the rule from it.
  t.deepEqual((await session(ferry, { ...CHANGED, events: ['2 PERIODIC'], version: '1.5' })).rpcs, []);
  t.true(ferry.events.some(({ event }) => event === 'cpe.superseded'));
});

test('an upgrade that its CPE goes on with as another holds back every other, and ends for both', async (t) => {
  const ferry = await start(t, EVERY);
  const { key } = await session(ferry, {});
  const rule = { id: 'R2', file: 'hgw-2.bin', condition: { oui: '00F0F0' } };
  await ferry.nbi('POST', '/v1/dyn/FirmwareStorage/.*', rule);
  await session(ferry, { ...CHANGED, version: '1.0' }, [transferComplete(`${key}0123456789`)]);
  const [{ id } = { id: '' }] = await resultsOf(ferry, OLD);
  for (const cpeid of [OLD, NEW]) t.is((await deviceOf(ferry, cpeid))['upgrade'], id);
  const next = await session(ferry, { ...CHANGED, events: ['1 BOOT'], version: '3.0' });
  t.deepEqual(await outcomes(ferry, OLD), ['200 Upgrade has succeeded: software version 3.0, before 1.0']);
  t.is((await deviceOf(ferry, OLD))['upgrade'], null);
  t.true(next.rpcs.includes('Download'), 'and now the other rule has its turn');
  t.not((await deviceOf(ferry, NEW))['upgrade'], id);
});

test('a stranger ends no upgrade of another: not by a piece of its key, another serial number, or with an upgrade of its own', async (t) => {
  const ferry = await start(t, { condition: { serialNumber: '1' } });
  const { key } = await session(ferry, {});
  const unheard = async (fields: InformFields, given: string): Promise<void> => {
    await session(ferry, { ...REPORT, version: '2.0', ...fields }, [transferComplete(given, FAULT)]);
    t.deepEqual(await outcomes(ferry, OLD), [RUNNING], given);
    t.is((await deviceOf(ferry, OLD))['supersededBy'], undefined);
  };
  for (const given of ['', '(null)', key.slice(0, 12)]) await unheard({ oui: '00F0F0' }, given);
  await unheard({ oui: '00F0F0', serial: '2' }, key);
  t.true((await session(ferry, { oui: '00F0F1' })).rpcs.includes('Download'));
  await unheard({ oui: '00F0F1' }, key);
  const refused = ferry.events.filter(({ event }) => event === 'transfer-complete.not-of-this-cpe');
  t.deepEqual(
    refused.map(({ fields }) => fields['refused']),
    ['the serial number is another', 'this identity has an upgrade of its own under way'],
  );
});

const NAMESPACE = { namespace: 'urn:dslforum-org:cwmp-1-2' };

function autonomousTransfer(url: string, fault: readonly [number, string] = [0, ''], isDownload = 1): string {
  return envelope(
    `<cwmp:AutonomousTransferComplete><AnnounceURL></AnnounceURL><TransferURL>${url}</TransferURL>` +
      `<IsDownload>${isDownload}</IsDownload><FileType>1 Firmware Upgrade Image</FileType><FileSize>12</FileSize>` +
      `<TargetFileName>fw.bin</TargetFileName><FaultStruct><FaultCode>${fault[0]}</FaultCode><FaultString>${fault[1]}</FaultString></FaultStruct>` +
      '<StartTime>2026-01-01T00:00:00Z</StartTime><CompleteTime>2026-01-01T00:01:00Z</CompleteTime>' +
      '</cwmp:AutonomousTransferComplete>',
    NAMESPACE,
  );
}

test('AutonomousTransferComplete is answered, and shown at the CPE without its URL', async (t) => {
  const ferry = await start(t, { enabled: false });
  const cpe = new RawCpe(ferry.urls.cwmp);
  await cpe.post(inform({ ...NAMESPACE, events: ['10 AUTONOMOUS TRANSFER COMPLETE'] }));
  const answer = await cpe.post(autonomousTransfer('http://user:secret@192.0.2.1/fw.bin', FAULT));
  t.is(rpcOf(answer.body), 'AutonomousTransferCompleteResponse');
  t.is((await cpe.post('')).status, 200);
  cpe.close();
  const shown = (await deviceOf(ferry, OLD))['autonomousTransfer'] as Record<string, unknown>;
  const { at, ...told } = shown;
  t.is(typeof at, 'number');
  t.deepEqual(told, {
    isDownload: true,
    fileType: '1 Firmware Upgrade Image',
    targetFileName: 'fw.bin',
    faultCode: 9010,
    faultString: FAULT[1],
  });
  t.false(JSON.stringify(ferry.events).includes('secret'));
  const path = 'DeviceStorage/.*?autonomousTransfer.faultCode=9010';
  t.is((await details(ferry, path)).length, 1);
});

test('AutonomousTransferComplete is of the upgrade under way only where it comes from the URL of its Download', async (t) => {
  const ferry = await start(t);
  const { url } = await session(ferry, NAMESPACE);
  const events = ['10 AUTONOMOUS TRANSFER COMPLETE'];
  for (const [from, isDownload] of [
    ['http://192.0.2.1/fw.bin', 1],
    [`${url}?`, 1],
    [url, 0],
    ['', 1],
  ] as const) {
    await session(ferry, { ...NAMESPACE, events }, [autonomousTransfer(from, FAULT, isDownload)]);
    t.deepEqual(await outcomes(ferry, OLD), [RUNNING], from);
  }
  await session(ferry, { ...NAMESPACE, events }, [autonomousTransfer(url, FAULT)]);
  t.deepEqual(await outcomes(ferry, OLD), [FAILED]);
  t.is((await resultsOf(ferry, OLD))[0]?.matched_by, 'url');
});
