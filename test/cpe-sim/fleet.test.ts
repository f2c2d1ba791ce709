import { PassThrough } from 'node:stream';
import test from 'ava';
import {
  builtInModel,
  Fleet,
  type FleetOptions,
  faultsOf,
  makeImage,
  parseFaultAssignment,
  runSimulator,
  SAMPLE_STYLES,
  simulatorOptions,
} from '../../cpe-sim/index.js';
import { FileServer } from './file-server.js';
import { download, element, ScriptedAcs, until } from './scripted-acs.js';

function options(acsUrl: string, more: Partial<FleetOptions> = {}): FleetOptions {
  return {
    acsUrl,
    count: 10,
    oui: '00A1B2',
    productClass: 'HGW-1',
    serialPrefix: 'SIM',
    softwareVersion: '1.0.0',
    dataModel: builtInModel('tr181'),
    rebootMs: 10,
    retryMs: 20,
    ...more,
  };
}

test('a fleet upgrades, each CPE with a serial number and a path of its own, but for those with faults', async (t) => {
  const acs = await ScriptedAcs.start();
  const files = await FileServer.start(makeImage({ softwareVersion: '2.0.0', sizeBytes: 50_000 }));
  const assignments = ['3=transfer:9010', '4-5=old-version'].map(parseFaultAssignment);
  const fleet = new Fleet(
    options(acs.url, {
      faults: (index) => faultsOf(assignments, index),
      styles: SAMPLE_STYLES,
      rampMs: 50,
    }),
  );
  t.teardown(async () => {
    await fleet.stop();
    await files.stop();
    await acs.stop();
  });
  acs.requests.push(
    ...Array.from({ length: 10 }, (_, index) => download({ url: files.url, commandKey: `k${index}` })),
  );
  // One Download each: a CPE that has answered one is not asked again.
  acs.intercept = (received, response) => {
    if (received.name !== 'DownloadResponse') return false;
    response.writeHead(204).end();
    return true;
  };
  await fleet.start();
  await until(() => {
    const { transferCompletes } = fleet.summary();
    return transferCompletes.ok + transferCompletes.failed === 10;
  }, 'ten TransferCompletes');
  t.like(fleet.summary(), {
    cpes: 10,
    started: 10,
    downloads: 10,
    downloadsRepeated: 0,
    transferCompletes: { ok: 9, failed: 1 },
    reboots: 9,
    versions: { '1.0.0': 3, '2.0.0': 7 },
  });
  const serials = new Set(acs.informs().map(({ body }) => element(body, 'SerialNumber')));
  t.is(serials.size, 10);
  t.true(serials.has('SIM000001') && serials.has('SIM000010'));
  const urls = new Set(acs.informs().map(({ body }) => /http:\/\/[^<]*\/cr\/[^<]*/.exec(body)?.[0]));
  t.is(urls.size, 10);
});

test('no more sessions run at once than allowed', async (t) => {
  const acs = await ScriptedAcs.start();
  const fleet = new Fleet(options(acs.url, { count: 30, sessionsMax: 3 }));
  t.teardown(async () => {
    await fleet.stop();
    await acs.stop();
  });
  let most = 0;
  acs.intercept = () => {
    most = Math.max(most, acs.informs().length - fleet.summary().sessions.ended);
    return false;
  };
  await fleet.start();
  await until(() => fleet.summary().sessions.ended === 30, 'thirty sessions');
  t.is(most, 3);
});

test('the command runs until it is told to end, as JSON lines with a summary', async (t) => {
  const acs = await ScriptedAcs.start();
  t.teardown(() => acs.stop());
  const stdout = new PassThrough();
  const stop = new AbortController();
  const code = await runSimulator(
    { acs: acs.url, count: 2, 'serial-prefix': 'X', fault: ['2=hang'], json: true },
    {
      stdout,
      stderr: new PassThrough(),
      signal: stop.signal,
      onStarted: (fleet) => {
        fleet.events.on('session', () => {
          if (fleet.summary().sessions.ended === 2) stop.abort();
        });
      },
    },
  );
  t.is(code, 0);
  const lines = String(stdout.read())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { event: string; serialNumber?: string });
  t.deepEqual(
    lines
      .filter(({ event }) => event === 'session')
      .map(({ serialNumber }) => serialNumber)
      .toSorted(),
    ['X000001', 'X000002'],
  );
  t.like(lines.at(-1), { event: 'summary', cpes: 2, sessions: { ended: 2, failed: 0 } });
});

test('the command prints a line a person can read', async (t) => {
  const acs = await ScriptedAcs.start();
  t.teardown(() => acs.stop());
  const stdout = new PassThrough();
  const stop = new AbortController();
  await runSimulator(
    { acs: acs.url },
    {
      stdout,
      stderr: new PassThrough(),
      signal: stop.signal,
      onStarted: (fleet) => fleet.events.once('session', () => stop.abort()),
    },
  );
  t.is(
    String(stdout.read()),
    '1/1 CPEs started · 1 sessions (0 failed) · 0 downloads · 0 completed, 0 failed · 1 on 1.0.0\n',
  );
});

for (const [wrong, message] of [
  [{ acs: 'nowhere' }, /^--acs: /],
  [{ acs: 'http://x/', count: 0 }, /^--count: must be a number from 1/],
  [{ acs: 'http://x/', count: Number.NaN }, /^--count: /],
  [{ acs: 'http://x/', count: 1.5 }, /^--count: must be a whole/],
  [{ acs: 'http://x/', oui: '00a1b2' }, /^--oui: /],
  [{ acs: 'http://x/', cwmp: '2.0' }, /^--cwmp: must be one of 1\.0/],
  [{ acs: 'http://x/', model: 'none.json' }, /^--model: none\.json: ENOENT/],
  [{ acs: 'http://x/', fault: ['1=boom'] }, /^--fault: fault "boom": no such fault/],
  [{ acs: 'http://x/', listen: 'here' }, /^--listen: must be HOST:PORT/],
  [{ acs: 'http://x/', password: 'p' }, /^--user: /],
  [{ acs: 'http://x/', interval: -1 }, /^--interval: /],
] as const) {
  test(`a wrong option is named, and the exit code is 2: ${JSON.stringify(wrong)}`, async (t) => {
    const stderr = new PassThrough();
    t.is(await runSimulator(wrong, { stdout: new PassThrough(), stderr }), 2);
    t.regex(String(stderr.read()), message);
  });
}

test('an address that is taken is exit code 1, and nothing is left behind', async (t) => {
  const acs = await ScriptedAcs.start();
  t.teardown(() => acs.stop());
  const stderr = new PassThrough();
  const code = await runSimulator(
    { acs: acs.url, listen: new URL(acs.url).host },
    { stdout: new PassThrough(), stderr },
  );
  t.is(code, 1);
  t.regex(String(stderr.read()), /^--listen: .*EADDRINUSE/);
});

test('every option says what it is for', (t) => {
  for (const [name, { description }] of Object.entries(simulatorOptions))
    t.true(description.length > 10, name);
});
