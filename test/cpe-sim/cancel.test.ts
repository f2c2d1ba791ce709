import { once } from 'node:events';
import test, { type ExecutionContext } from 'ava';
import { makeImage, type SimulatedCpeOptions } from '../../cpe-sim/index.js';
import { FileServer } from './file-server.js';
import { type Bench, bench, download, element } from './scripted-acs.js';

const CANCEL = '<cwmp:CancelTransfer><CommandKey>key-1</CommandKey></cwmp:CancelTransfer>';
const QUEUE = '<cwmp:GetQueuedTransfers/>';

/** A CPE whose first session brings a Download of `key-1` from a server that answers nothing until `release`. */
async function downloading(
  t: ExecutionContext,
  faults: readonly string[] = [],
  options: Partial<Omit<SimulatedCpeOptions, 'faults'>> = {},
) {
  const b = await bench({ ...options, faults });
  const image = makeImage({ softwareVersion: '2.0.0', productClass: 'HGW-1', sizeBytes: 20_000 });
  const files = await FileServer.start(image);
  t.teardown(async () => {
    await b.stop();
    await files.stop();
  });
  const fetching = new Promise<void>((resolve) => {
    files.intercept = () => {
      resolve();
      return true;
    };
  });
  b.acs.requests.push(download({ url: files.url, fileSizeBytes: 20_000 }));
  return { b, files, fetching };
}

/** A session that the CPE begins of itself, as its owner changes something, in which it is asked this. */
async function ask(b: Bench, ...requests: readonly string[]): Promise<string[]> {
  const from = b.acs.received.length;
  b.acs.requests.push(...requests);
  const over = b.next('session');
  b.cpe.change('Device.WiFi.SSID.1.SSID', `${from}`);
  await over;
  return b.acs.received
    .slice(from)
    .filter(({ name }) => /^(Fault|CancelTransferResponse|GetQueuedTransfersResponse)$/.test(name))
    .map(({ name, body }) =>
      name === 'Fault' ? (element(body, 'FaultCode') ?? '') : `${name} ${element(body, 'CommandKey') ?? '-'}`,
    );
}

test('a transfer that is under way is given up: it is queued no more, and no TransferComplete comes of it', async (t) => {
  const { b, files, fetching } = await downloading(t);
  await b.firstContact();
  await fetching;
  t.deepEqual(await ask(b, CANCEL, QUEUE), ['CancelTransferResponse -', 'GetQueuedTransfersResponse -']);
  files.intercept = () => false;
  b.acs.requests.push(download({ url: files.url, fileSizeBytes: 20_000 }).replace('key-1', 'key-2'));
  const upgraded = once(b.cpe.events, 'version');
  await ask(b);
  await upgraded;
  await b.next('transfer-complete-sent');
  const told = b.acs.received.filter(({ name }) => name === 'TransferComplete');
  t.deepEqual(
    told.map(({ body }) => element(body, 'CommandKey')),
    ['key-2'],
  );
});

test('one that is queued is given up in the session of its Download', async (t) => {
  const { b } = await downloading(t);
  b.acs.requests.push(CANCEL, QUEUE);
  await b.firstContact();
  const answers = b.acs.names.filter((name) => name.endsWith('Response'));
  t.deepEqual(answers, ['DownloadResponse', 'CancelTransferResponse', 'GetQueuedTransfersResponse']);
});

test('what was fetched is applied, and so is not given up', async (t) => {
  const { b, files } = await downloading(t, ['late-complete:60']);
  files.intercept = () => false;
  b.cpe.events.once('version', () => b.acs.requests.push(CANCEL));
  const reported = b.next('transfer-complete-sent');
  b.cpe.start();
  await reported;
  const fault = b.acs.received.find(({ name }) => name === 'Fault');
  t.is(element(fault?.body ?? '', 'FaultCode'), '9021');
});

test('a key of which it has nothing is answered like one of which it has nothing more', async (t) => {
  const { b, fetching } = await downloading(t);
  await b.firstContact();
  await fetching;
  const other = CANCEL.replace('key-1', 'other');
  t.deepEqual(await ask(b, other, QUEUE), ['CancelTransferResponse -', 'GetQueuedTransfersResponse key-1']);
});

test('CancelTransfer came with CWMP 1.2, and a CPE may not know it', async (t) => {
  for (const [faults, options, answer] of [
    [[], { cwmpVersion: '1.1' }, '9000'],
    [['unsupported:CancelTransfer'], {}, '9000'],
    [['refuse-cancel'], {}, '9021'],
    [['refuse-cancel:9001:1'], {}, '9001'],
  ] as const) {
    const { b } = await downloading(t, faults, options);
    const heard: unknown[] = [];
    b.cpe.events.on('cancel-asked', ({ commandKey, faultCode }) => heard.push([commandKey, faultCode]));
    b.acs.requests.push('<cwmp:GetRPCMethods/>');
    await b.firstContact();
    const methods = b.acs.received.find(({ name }) => name === 'GetRPCMethodsResponse')?.body ?? '';
    t.is(methods.includes('>CancelTransfer<'), answer !== '9000');
    t.deepEqual(await ask(b, CANCEL), [answer]);
    t.deepEqual(heard, [['key-1', Number(answer)]]);
  }
});
