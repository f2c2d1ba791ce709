import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import test, { type ExecutionContext } from 'ava';
import { FerryCommand } from '../cli/support.js';
import {
  commandKeys,
  cpeidOf,
  createCpe,
  IMAGE_NAME,
  outcomes,
  postRule,
  SUCCESS,
  uploadImage,
} from '../e2e/simulated.js';
import { ADMIN, nbiClient, type TestFerry, until } from '../support/ferry.js';
import { freePorts } from '../support/ferry-process.js';
import { mongodbUrl, testDatabase, urlOfDatabase } from '../support/mongodb.js';

interface Workers {
  readonly command: FerryCommand;
  readonly cwmp: string;
  readonly nbi: TestFerry['nbi'];
  /** The process ids of the workers that have started so far, by the log, newest last. */
  pids(worker: number): number[];
}

async function startWorkers(
  t: ExecutionContext,
  count: number,
  more: readonly string[] = [],
): Promise<Workers> {
  const dataDir = await mkdtemp(join(tmpdir(), 'ferry-workers-'));
  t.teardown(() => rm(dataDir, { recursive: true, force: true }));
  const ports = await freePorts();
  const command = new FerryCommand(
    [
      'serve',
      `--workers=${count}`,
      `--data-dir=${dataDir}`,
      `--cwmp-listen=127.0.0.1:${ports.cwmp}`,
      `--nbi-listen=127.0.0.1:${ports.nbi}`,
      `--file-listen=127.0.0.1:${ports.files}`,
      '--allow-anonymous-cpe',
      '--connection-request-subnet=127.0.0.0/8',
      ...more,
    ],
    { environment: { FERRY_ADMIN_PASSWORD: ADMIN.password } },
  );
  t.teardown(async () => {
    if (!t.passed) t.log(command.stderr.slice(-20_000));
    command.kill('SIGKILL');
    await command.ended;
  });
  await command.says('Firmware files');
  const started = /worker\.started worker=(\d+) pid=(\d+)/g;
  return {
    command,
    cwmp: `http://127.0.0.1:${ports.cwmp}/`,
    nbi: nbiClient(`http://127.0.0.1:${ports.nbi}`),
    pids: (worker) =>
      [...command.stderr.matchAll(started)]
        .filter(([, number]) => Number(number) === worker)
        .map(([, , pid]) => Number(pid)),
  };
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const FLEET_RULE = { id: 'FLEET', file: IMAGE_NAME, condition: { productClass: 'HGW' } };

async function counted(nbi: TestFerry['nbi'], name: string): Promise<number> {
  const { status, body } = await nbi('GET', '/metrics');
  if (status !== 200) throw new Error(`/metrics answered ${status}`);
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(body as string)?.[1] ?? 0);
}

test.serial('workers upgrade a fleet between them, greet once, and stop together', (t) =>
  upgradedByWorkers(t),
);

const url = mongodbUrl();
if (url !== null) {
  test.serial('workers on MongoDB do the same', (t) =>
    upgradedByWorkers(t, [`--store=${urlOfDatabase(url, testDatabase(t, url))}`]),
  );
}

async function upgradedByWorkers(t: ExecutionContext, more: readonly string[] = []): Promise<void> {
  const { command, cwmp, nbi, pids } = await startWorkers(t, 3, more);
  t.is(command.stdout.match(/CPEs connect to/g)?.length, 1);
  await uploadImage(t, nbi);
  await postRule(t, nbi, FLEET_RULE);
  const cpes = Array.from({ length: 12 }, (_, serial) => createCpe(t, cwmp, `${serial}`));
  await Promise.all(
    cpes.map(async (cpe) => {
      const reported = once(cpe.events, 'transfer-complete-sent');
      cpe.start();
      await reported;
    }),
  );
  for (const cpe of cpes) {
    const cpeid = cpeidOf(cpe.identity.serialNumber);
    t.is(commandKeys(cpe).length, 1, cpeid);
    t.deepEqual(await outcomes(nbi, cpeid), [`200 ${SUCCESS}`]);
    cpe.stop();
  }
  // Whichever worker is asked: the sum over all of them, which each took a part of.
  const seen = await Promise.all(
    Array.from({ length: 6 }, () => counted(nbi, 'ferry_upgrades_total\\{state="verified"\\}')),
  );
  t.deepEqual(
    seen,
    seen.map(() => cpes.length),
  );
  const running = [1, 2, 3].flatMap(pids);
  t.is(running.length, 3);
  command.kill('SIGTERM');
  t.like(await command.ended, { exitCode: 0, signal: null });
  t.deepEqual(running.filter(isRunning), []);
  t.is(command.stderr.match(/ferry\.stopped/g)?.length, 1);
}

test.serial('a worker that is killed is started again, and what it had counted is not lost', async (t) => {
  const { command, cwmp, nbi, pids } = await startWorkers(t, 2);
  await uploadImage(t, nbi);
  await postRule(t, nbi, FLEET_RULE);
  const cpes = Array.from({ length: 10 }, (_, serial) => createCpe(t, cwmp, `${serial}`, { rebootMs: 300 }));
  const reported = cpes.map((cpe) => once(cpe.events, 'transfer-complete-sent'));
  for (const cpe of cpes) cpe.start();
  await Promise.race(cpes.map((cpe) => once(cpe.events, 'reboot')));
  const sentBefore = await counted(nbi, 'ferry_upgrades_total\\{state="sent"\\}');
  const [victim = 0] = pids(2);
  process.kill(victim, 'SIGKILL');
  await until('another has taken its place', () => pids(2).length === 2);
  t.regex(command.stderr, /worker\.ended worker=2 pid=\d+ exitCode=null signal=SIGKILL/);
  await Promise.all(reported);
  for (const cpe of cpes) {
    t.true(commandKeys(cpe).length <= 1);
    t.is((await outcomes(nbi, cpeidOf(cpe.identity.serialNumber))).length, 1);
  }
  t.true((await counted(nbi, 'ferry_upgrades_total\\{state="sent"\\}')) >= sentBefore);
  command.kill('SIGINT');
  t.like(await command.ended, { exitCode: 0 });
  t.deepEqual([...pids(1), ...pids(2)].filter(isRunning), []);
});

test.serial('workers do not outlive a supervisor that is killed', async (t) => {
  const { command, pids } = await startWorkers(t, 2);
  const workers = [...pids(1), ...pids(2)];
  t.true(workers.every(isRunning));
  command.kill('SIGKILL');
  await until('they have ended', () => !workers.some(isRunning));
  t.pass();
});

test.serial('a port in use is said once, with the exit code of a server without workers', async (t) => {
  const other = net.createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.teardown(() => other.close());
  const address = other.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  const dataDir = await mkdtemp(join(tmpdir(), 'ferry-workers-'));
  t.teardown(() => rm(dataDir, { recursive: true, force: true }));
  const { exitCode, stdout, stderr } = await new FerryCommand([
    'serve',
    '--workers=2',
    `--data-dir=${dataDir}`,
    '--nbi-listen=127.0.0.1:0',
    '--file-listen=127.0.0.1:0',
    `--cwmp-listen=127.0.0.1:${port}`,
  ]).ended;
  t.is(exitCode, 1);
  t.is(stdout, '');
  t.is(stderr.match(/another program listens there/g)?.length, 1, stderr);
  t.notRegex(stderr, /^ +at /m);
});
