import { readdir } from 'node:fs/promises';
import process from 'node:process';
import test from 'ava';
import { FerryCommand, temporaryDirectory } from '../cli/support.js';
import { until } from '../support/ferry.js';

/** Whether a process is there; a zombie, which its parent has yet to see, counts. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function fleetPid(command: FerryCommand): Promise<number> {
  const pid = await until('the fleet runs', () => /running as process (\d+)/.exec(command.stderr)?.[1]);
  return Number(pid);
}

test('the demo upgrades its fleet, shows the results in a table, and leaves nothing behind', async (t) => {
  const directory = await temporaryDirectory(t);
  const command = new FerryCommand(['demo', '--count=5'], { environment: { TMPDIR: directory } });
  t.teardown(() => command.kill('SIGKILL'));
  const { exitCode, stdout, stderr } = await command.ended;
  t.is(exitCode, 0, stderr);
  t.is(stdout.match(/│ 00A1B2-HGW-SIM0/g)?.length, 5);
  t.is(stdout.match(/│ yes +│/g)?.length, 5);
  t.regex(stdout, /│ 500 .*FaultCode/);
  for (const line of stdout.split('\n')) t.true(line.length <= 100);
  t.regex(stderr, /Upgrades ended: 5\/5\n/);
  t.regex(stderr, /5 of 5 as expected, in /);
  t.deepEqual(await readdir(directory), []);
});

test('when the fleet dies the demo says so and fails, and leaves nothing behind', async (t) => {
  const directory = await temporaryDirectory(t);
  const command = new FerryCommand(['demo'], { environment: { TMPDIR: directory } });
  t.teardown(() => command.kill('SIGKILL'));
  process.kill(await fleetPid(command), 'SIGKILL');
  const { exitCode, stderr } = await command.ended;
  t.is(exitCode, 1);
  t.regex(stderr, /ferry: the simulated CPEs ended by themselves/);
  t.notRegex(stderr, /^ +at /m);
  t.deepEqual(await readdir(directory), []);
});

test('a demo that is told to end takes its fleet with it', async (t) => {
  const directory = await temporaryDirectory(t);
  const command = new FerryCommand(['demo'], { environment: { TMPDIR: directory } });
  const pid = await fleetPid(command);
  command.kill('SIGTERM');
  const { exitCode, stderr } = await command.ended;
  t.is(exitCode, 143);
  t.regex(stderr, /ferry: ended by SIGTERM\n$/);
  t.false(isAlive(pid));
  t.deepEqual(await readdir(directory), []);
});

for (const [when, said] of [
  ['starts', /running as process/],
  ['is running', /CPEs registered: /],
] as const) {
  test(`a demo that is killed while its fleet ${when} takes the fleet with it too`, async (t) => {
    const directory = await temporaryDirectory(t);
    const command = new FerryCommand(['demo'], { environment: { TMPDIR: directory } });
    t.teardown(() => command.kill('SIGKILL'));
    const pid = await fleetPid(command);
    await until('it is as far', () => said.test(command.stderr));
    command.kill('SIGKILL');
    await command.ended;
    await until('the fleet has ended', () => !isAlive(pid));
    t.pass();
  });
}
