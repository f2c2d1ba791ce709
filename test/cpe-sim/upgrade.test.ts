import test, { type ExecutionContext } from 'ava';
import { makeImage, type SimulatedCpeOptions } from '../../cpe-sim/index.js';
import { FileServer } from './file-server.js';
import { type Bench, bench, download, element, eventsOf, parameter, until } from './scripted-acs.js';

const SOFTWARE_VERSION = 'Device.DeviceInfo.SoftwareVersion';

interface Upgrade extends Bench {
  readonly files: FileServer;
  /** The Download's Body. */
  readonly request: string;
}

/** A CPE that will be given a Download of 2.0.0 in its first session. */
async function upgrade(
  t: ExecutionContext,
  faults: readonly string[] = [],
  options: Partial<Omit<SimulatedCpeOptions, 'faults'>> = {},
): Promise<Upgrade> {
  const b = await bench({ ...options, faults });
  const files = await FileServer.start(
    makeImage({ softwareVersion: '2.0.0', productClass: 'HGW-1', sizeBytes: 20_000 }),
  );
  t.teardown(async () => {
    await b.stop();
    await files.stop();
  });
  const request = download({ url: files.url, fileSizeBytes: 20_000 });
  b.acs.requests.push(request);
  return Object.assign(b, { files, request });
}

/** What the CPE said, session by session: its events and version, then what it sent. */
function story(b: Bench): string[] {
  const lines: string[] = [];
  for (const { name, body, ...received } of b.acs.received) {
    if (name === 'Inform')
      lines.push(
        `${eventsOf({ name, body, ...received }).join(', ')} (${parameter(body, SOFTWARE_VERSION)}):`,
      );
    const detail = element(body, 'Status') ?? element(body, 'FaultCode');
    if (name !== 'Inform')
      lines[lines.length - 1] += ` ${name || 'empty'}${detail === null ? '' : ` ${detail}`}`;
  }
  return lines;
}

const FIRST = '0 BOOTSTRAP, 1 BOOT (1.0.0): empty DownloadResponse 1';

test('an upgrade: DownloadResponse 1, fetch, reboot, then 1 BOOT, M Download and TransferComplete in one session', async (t) => {
  const b = await upgrade(t);
  const over = b.next('session', 2);
  b.cpe.start();
  await over;
  t.deepEqual(story(b), [FIRST, '1 BOOT, 7 TRANSFER COMPLETE, M Download (2.0.0): TransferComplete 0 empty']);
  const complete = b.acs.received.find(({ name }) => name === 'TransferComplete')?.body;
  t.is(element(complete, 'CommandKey'), 'key-1');
  t.is(element(complete, 'FaultString') ?? '', '');
  t.regex(element(complete, 'CompleteTime') ?? '', /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  t.is(b.cpe.softwareVersion, '2.0.0');
  t.deepEqual(b.cpe.downloads, [{ commandKey: 'key-1', url: b.files.url }]);
  t.deepEqual(b.files.ranges, ['']);
  t.false(b.cpe.inSession, 'nothing is left to be told, so no session follows');
});

test('with valueChange the boot of a new version says so', async (t) => {
  const b = await upgrade(t, [], { valueChange: true });
  const over = b.next('session', 2);
  b.cpe.start();
  await over;
  t.deepEqual(eventsOf(b.acs.informs()[1]), [
    '4 VALUE CHANGE',
    '1 BOOT',
    '7 TRANSFER COMPLETE',
    'M Download',
  ]);
});

test('a download that fails is told without a reboot, with its fault', async (t) => {
  const b = await upgrade(t);
  b.files.intercept = (_, response) => {
    response.writeHead(404).end();
    return true;
  };
  const over = b.next('session', 2);
  b.cpe.start();
  await over;
  t.deepEqual(story(b), [FIRST, '7 TRANSFER COMPLETE, M Download (1.0.0): TransferComplete 9016 empty']);
  const complete = b.acs.received.find(({ name }) => name === 'TransferComplete')?.body;
  t.is(element(complete, 'CompleteTime'), '0001-01-01T00:00:00Z');
});

test('in cwmp-1-0, which knows no 9016, the same fault is 9010', async (t) => {
  const b = await upgrade(t, ['transfer:9016'], { cwmpVersion: '1.0' });
  const over = b.next('session', 2);
  b.cpe.start();
  await over;
  t.true(story(b)[1]?.endsWith('TransferComplete 9010 empty'));
});

test('an image for another product is refused as corrupt', async (t) => {
  const b = await upgrade(t);
  b.files.file = makeImage({ softwareVersion: '2.0.0', productClass: 'OTHER', sizeBytes: 20_000 });
  const over = b.next('session', 2);
  b.cpe.start();
  await over;
  t.true(story(b)[1]?.endsWith('TransferComplete 9018 empty'));
  t.is(b.cpe.softwareVersion, '1.0.0');
});

test('TransferComplete and its events are kept until they are answered', async (t) => {
  const b = await upgrade(t);
  let lost = 0;
  b.acs.intercept = ({ name }, response) => {
    if (name !== 'TransferComplete' || lost >= 2) return false;
    lost++;
    response.socket?.destroy();
    return true;
  };
  const reported = b.next('transfer-complete-sent');
  b.cpe.start();
  await reported;
  t.deepEqual(
    b.acs.informs().map((inform) => eventsOf(inform).join(', ')),
    [
      '0 BOOTSTRAP, 1 BOOT',
      '1 BOOT, 7 TRANSFER COMPLETE, M Download',
      '7 TRANSFER COMPLETE, M Download',
      '7 TRANSFER COMPLETE, M Download',
    ],
  );
});

test('a Download that comes twice under one CommandKey is recorded and counted twice', async (t) => {
  const b = await upgrade(t, ['transfer:9010']);
  b.acs.requests.push(b.request);
  const repeats: number[] = [];
  b.cpe.events.on('download', ({ repeat }) => repeats.push(repeat));
  const over = b.next('transfer-complete-sent', 2);
  b.cpe.start();
  await over;
  t.deepEqual(repeats, [0, 1]);
  t.is(b.cpe.downloads.length, 2);
});

for (const [what, options, faultCode] of [
  ['another scheme', { url: 'tftp://127.0.0.1/x' }, '9013'],
  ['userinfo in the URL', { url: 'http://u:p@127.0.0.1/x' }, '9003'],
  ['no URL', { url: 'nonsense' }, '9003'],
  ['another file type', { url: 'http://127.0.0.1/x', fileType: '2 Web Content' }, '9003'],
] as const) {
  test(`a Download with ${what} is refused with ${faultCode}`, async (t) => {
    const b = await bench();
    t.teardown(() => b.stop());
    b.acs.requests.push(download(options));
    await b.firstContact();
    t.deepEqual(story(b), [`0 BOOTSTRAP, 1 BOOT (1.0.0): empty Fault ${faultCode}`]);
  });
}

test('refuse: Fault in place of DownloadResponse, as often as ordered', async (t) => {
  const b = await upgrade(t, ['refuse:9004:1']);
  b.acs.requests.push(b.request);
  const over = b.next('session', 2);
  b.cpe.start();
  await over;
  t.deepEqual(story(b), [
    '0 BOOTSTRAP, 1 BOOT (1.0.0): empty Fault 9004 DownloadResponse 1',
    '1 BOOT, 7 TRANSFER COMPLETE, M Download (2.0.0): TransferComplete 0 empty',
  ]);
});

test('transfer: the ordered fault and its text, without a fetch', async (t) => {
  const b = await upgrade(t, ['transfer:9010:Download failure. File not found.']);
  const over = b.next('session', 2);
  b.cpe.start();
  await over;
  t.deepEqual(story(b), [FIRST, '7 TRANSFER COMPLETE, M Download (1.0.0): TransferComplete 9010 empty']);
  const complete = b.acs.received.find(({ name }) => name === 'TransferComplete')?.body;
  t.is(element(complete, 'FaultString'), 'Download failure. File not found.');
  t.deepEqual(b.files.ranges, []);
});

test('hang: silent until the ACS hangs up, then the session is tried again', async (t) => {
  const b = await upgrade(t, ['hang:1']);
  b.acs.requests.push(b.request);
  const hanging = b.next('download');
  const failed = b.next('session');
  b.cpe.start();
  await hanging;
  t.true(b.cpe.inSession);
  b.acs.closeConnections();
  t.like(await failed, { outcome: 'failed', reason: 'Download was never answered' });
  await b.next('transfer-complete-sent');
  t.deepEqual(story(b).slice(0, 2), [
    '0 BOOTSTRAP, 1 BOOT (1.0.0): empty',
    ' (1.0.0): empty DownloadResponse 1',
  ]);
});

test('drop:inform-response: the Inform comes again with its events', async (t) => {
  const b = await upgrade(t, ['drop:inform-response']);
  const over = b.next('transfer-complete-sent');
  b.cpe.start();
  await over;
  t.deepEqual(story(b).slice(0, 2), ['0 BOOTSTRAP, 1 BOOT (1.0.0):', FIRST]);
});

test('drop:download: it is as though the Download had never come', async (t) => {
  const b = await upgrade(t, ['drop:download']);
  const over = b.next('session', 2);
  b.cpe.start();
  await over;
  t.deepEqual(story(b), ['0 BOOTSTRAP, 1 BOOT (1.0.0): empty', ' (1.0.0): empty']);
  t.deepEqual(b.cpe.downloads, []);
});

test('drop:download-response: the response is lost, the upgrade happens all the same', async (t) => {
  const b = await upgrade(t, ['drop:download-response']);
  const over = b.next('transfer-complete-sent');
  b.cpe.start();
  await over;
  const told = story(b);
  t.is(told[0], '0 BOOTSTRAP, 1 BOOT (1.0.0): empty');
  t.regex(told.at(-1) ?? '', /^1 BOOT, 7 TRANSFER COMPLETE, M Download \(2\.0\.0\): TransferComplete 0/);
  t.is(b.cpe.downloads.length, 1);
});

test('early-complete: TransferComplete with the old version in a session of its own, then 1 BOOT with the new one', async (t) => {
  const b = await upgrade(t, ['early-complete']);
  const over = b.next('session', 3);
  b.cpe.start();
  await over;
  t.deepEqual(story(b), [
    FIRST,
    '7 TRANSFER COMPLETE, M Download (1.0.0): TransferComplete 0 empty',
    '1 BOOT (2.0.0): empty',
  ]);
});

test('early-complete and old-version: reported as done, and 1 BOOT shows the old version', async (t) => {
  const b = await upgrade(t, ['early-complete', 'old-version']);
  const over = b.next('session', 3);
  b.cpe.start();
  await over;
  t.deepEqual(story(b), [
    FIRST,
    '7 TRANSFER COMPLETE, M Download (1.0.0): TransferComplete 0 empty',
    '1 BOOT (1.0.0): empty',
  ]);
});

test("same-session-complete: TransferComplete in the Download's own session, then 1 BOOT", async (t) => {
  const b = await upgrade(t, ['same-session-complete']);
  const over = b.next('session', 2);
  b.cpe.start();
  await over;
  t.deepEqual(story(b), [`${FIRST} TransferComplete 0 empty`, '1 BOOT (2.0.0): empty']);
});

test('same-session-complete carries a failure as well', async (t) => {
  const b = await upgrade(t, ['same-session-complete', 'transfer:9018']);
  await b.firstContact();
  t.deepEqual(story(b), [`${FIRST} TransferComplete 9018 empty`]);
});

test('status-zero: done before it is answered, no TransferComplete', async (t) => {
  const b = await upgrade(t, ['status-zero']);
  const over = b.next('session', 2);
  b.cpe.start();
  await over;
  t.deepEqual(story(b), ['0 BOOTSTRAP, 1 BOOT (1.0.0): empty DownloadResponse 0', '1 BOOT (2.0.0): empty']);
});

test('old-version: success is reported, the version is the old one', async (t) => {
  const b = await upgrade(t, ['old-version']);
  const over = b.next('session', 2);
  b.cpe.start();
  await over;
  t.deepEqual(story(b), [FIRST, '1 BOOT, 7 TRANSFER COMPLETE, M Download (1.0.0): TransferComplete 0 empty']);
  t.is(b.cpe.softwareVersion, '1.0.0');
});

test('never-back: fetched, then nothing any more', async (t) => {
  const b = await upgrade(t, ['never-back'], { periodicIntervalMs: 5_000 });
  const gone = b.next('gone');
  b.cpe.start();
  await gone;
  t.deepEqual(story(b), [FIRST]);
  t.is(b.cpe.phase, 'gone');
  t.is(b.cpe.connectionRequest(), 'off');
});

test('complete-twice: the same TransferComplete again in a second session', async (t) => {
  const b = await upgrade(t, ['complete-twice']);
  const over = b.next('session', 3);
  b.cpe.start();
  await over;
  t.deepEqual(story(b), [
    FIRST,
    '1 BOOT, 7 TRANSFER COMPLETE, M Download (2.0.0): TransferComplete 0 empty',
    '7 TRANSFER COMPLETE, M Download (2.0.0): TransferComplete 0 empty',
  ]);
});

test('late-complete: 1 BOOT with the new version first, TransferComplete only later', async (t) => {
  const b = await upgrade(t, ['late-complete:30']);
  const over = b.next('session', 3);
  b.cpe.start();
  await over;
  t.deepEqual(story(b), [
    FIRST,
    '1 BOOT (2.0.0): empty',
    '7 TRANSFER COMPLETE, M Download (2.0.0): TransferComplete 0 empty',
  ]);
});

test('a TransferComplete that is due survives a reboot', async (t) => {
  const b = await upgrade(t, ['late-complete:40']);
  const back = b.next('version');
  const told = b.next('transfer-complete-sent');
  b.cpe.start();
  await back;
  b.cpe.reboot();
  t.like(await told, { commandKey: 'key-1', fault: null });
});

test('a fourth queued Download is refused with 9004', async (t) => {
  const b = await upgrade(t);
  b.files.intercept = () => true;
  for (let more = 0; more < 3; more++) b.acs.requests.push(b.request);
  await b.firstContact();
  t.deepEqual(story(b), [`${FIRST} DownloadResponse 1 DownloadResponse 1 Fault 9004`]);
  await until(() => b.files.ranges.length === 1, 'the first of them to be fetched');
});
