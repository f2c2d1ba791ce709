import test, { type ExecutionContext } from 'ava';
import { makeImage, type SimulatedCpeOptions } from '../../cpe-sim/index.js';
import { FileServer } from './file-server.js';
import { type Bench, bench, download, element } from './scripted-acs.js';

const GET_ALL = '<cwmp:GetAllQueuedTransfers/>';
const GET = '<cwmp:GetQueuedTransfers/>';

/** A CPE whose first session brings a Download of `key-1`, and whatever else is asked. */
async function asked(
  t: ExecutionContext,
  requests: readonly string[],
  faults: readonly string[] = [],
  options: Partial<Omit<SimulatedCpeOptions, 'faults'>> = {},
): Promise<Bench & { readonly files: FileServer }> {
  const b = await bench({ ...options, faults });
  const image = makeImage({ softwareVersion: '2.0.0', productClass: 'HGW-1', sizeBytes: 20_000 });
  const files = await FileServer.start(image);
  t.teardown(async () => {
    await b.stop();
    await files.stop();
  });
  b.acs.requests.push(download({ url: files.url, fileSizeBytes: 20_000 }), ...requests);
  return Object.assign(b, { files });
}

/** What the CPE has told of its queue so far: `key state` for each entry, `-` for none, or the fault. */
function told(b: Bench): string[] {
  return b.acs.received
    .filter(({ name }) => /^(Fault|Get(All)?QueuedTransfersResponse)$/.test(name))
    .map(({ name, body }) => {
      if (name === 'Fault') return element(body, 'FaultCode') ?? '';
      const entries = [...body.matchAll(/<CommandKey>([^<]*)<\/CommandKey><State>(\d)<\/State>/g)];
      return entries.map(([, key, state]) => `${key} ${state}`).join(', ') || '-';
    });
}

/** Asks in a session that the CPE begins of itself, as its owner changes something. */
async function ask(b: Bench, ...requests: readonly string[]): Promise<void> {
  b.acs.requests.push(...requests);
  const over = b.next('session');
  b.cpe.change('Device.WiFi.SSID.1.SSID', `${b.acs.received.length}`);
  await over;
}

test('a Download is queued until the session is over, then in progress', async (t) => {
  const b = await asked(t, [GET_ALL, GET]);
  const fetching = new Promise<void>((resolve) => {
    b.files.intercept = () => {
      resolve();
      return true;
    };
  });
  await b.firstContact();
  t.deepEqual(told(b), ['key-1 1', 'key-1 1']);
  await fetching;
  await ask(b, GET_ALL);
  t.is(told(b).at(-1), 'key-1 2');
});

test('a transfer is completed until its TransferComplete is answered', async (t) => {
  const b = await asked(t, [], ['late-complete:60']);
  // The first session after the reboot comes before the TransferComplete that is late.
  b.cpe.events.once('version', () => b.acs.requests.push(GET));
  const reported = b.next('transfer-complete-sent');
  const over = b.next('session', 3);
  b.cpe.start();
  await reported;
  t.is(told(b).at(-1), 'key-1 3');
  await over;
  await ask(b, GET_ALL);
  t.is(told(b).at(-1), '-');
});

test('GetRPCMethods lists what can be asked, in the version that it speaks', async (t) => {
  const methods = async (options: Partial<SimulatedCpeOptions>, ...faults: string[]) => {
    const b = await asked(t, ['<cwmp:GetRPCMethods/>'], faults, options);
    await b.firstContact();
    const body = b.acs.received.find(({ name }) => name === 'GetRPCMethodsResponse')?.body ?? '';
    return [...body.matchAll(/>(Get\w*QueuedTransfers)</g)].map(([, method]) => method);
  };
  t.deepEqual(await methods({}), ['GetQueuedTransfers', 'GetAllQueuedTransfers']);
  t.deepEqual(await methods({ cwmpVersion: '1.0' }), ['GetQueuedTransfers']);
  t.deepEqual(await methods({}, 'unsupported:GetQueuedTransfers'), ['GetAllQueuedTransfers']);
});

test('unsupported: the one that was named is answered with 9000, the other is not', async (t) => {
  const b = await asked(t, [GET_ALL, GET], ['unsupported:GetAllQueuedTransfers']);
  await b.firstContact();
  t.deepEqual(told(b), ['9000', 'key-1 1']);
});

test('whoever listens hears what the ACS asked and was told', async (t) => {
  const b = await asked(t, [GET_ALL, GET], ['unsupported:GetAllQueuedTransfers']);
  const heard: unknown[] = [];
  b.cpe.events.on('queue-asked', ({ method, commandKeys }) => heard.push([method, commandKeys]));
  await b.firstContact();
  t.deepEqual(heard, [
    ['GetAllQueuedTransfers', null],
    ['GetQueuedTransfers', ['key-1']],
  ]);
});

test('CWMP 1.0 has no GetAllQueuedTransfers', async (t) => {
  const b = await asked(t, [GET_ALL, GET], [], { cwmpVersion: '1.0' });
  await b.firstContact();
  t.deepEqual(told(b), ['9000', 'key-1 1']);
});

test('hide-queue: it is denied as often as ordered', async (t) => {
  const b = await asked(t, [GET_ALL, GET_ALL], ['hide-queue:1']);
  await b.firstContact();
  t.deepEqual(told(b), ['-', 'key-1 1']);
});

test('slow-queue: the answer takes so long', async (t) => {
  const b = await asked(t, [GET_ALL], ['slow-queue:80']);
  const startedMs = performance.now();
  await b.firstContact();
  t.true(performance.now() - startedMs >= 75);
  t.deepEqual(told(b), ['key-1 1']);
});

test('forget-queue: after the reboot nothing is queued, and no TransferComplete ever comes', async (t) => {
  const b = await asked(t, [], ['forget-queue']);
  const back = b.next('session', 2);
  b.cpe.start();
  await back;
  t.is(b.cpe.softwareVersion, '2.0.0');
  await ask(b, GET_ALL);
  t.is(told(b).at(-1), '-');
  t.false(b.acs.names.includes('TransferComplete'));
});

test('without that fault what is queued outlives a reboot', async (t) => {
  const b = await asked(t, []);
  b.files.intercept = () => true;
  await b.firstContact();
  const back = b.next('session');
  b.cpe.reboot();
  await back;
  await ask(b, GET_ALL);
  t.is(told(b).at(-1), 'key-1 2');
});
