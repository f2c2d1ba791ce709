import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';

const MAIN = fileURLToPath(new URL('../../bench/attacks/main.js', import.meta.url));
const SMALL = ['--seconds', '1', '--cpes', '10', '--rules', '100'];

const run = promisify(execFile);

/** Where the measurement may put its temporary files: what is left there has been left by it. */
async function temporaryDirectory(t: ExecutionContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'ferry-attacks-test-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Neither files nor processes: servers have the directory in their command line, attackers and CPEs the program's. */
async function assertNothingLeft(t: ExecutionContext, directory: string): Promise<void> {
  t.deepEqual(await readdir(directory), []);
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    for (const ours of [
      directory,
      join('bench', 'attacks', 'attacker.js'),
      join('bench', 'attacks', 'cpes.js'),
    ]) {
      t.false(command.includes(ours), command);
    }
  }
}

test('attacks are measured one after the other and nothing of them stays; what it shows is for people to judge', async (t) => {
  const directory = await temporaryDirectory(t);
  const { stdout } = await run(process.execPath, [MAIN, ...SMALL, '--attacks', 'content-pipeline,guesses'], {
    env: { ...process.env, TMPDIR: directory },
  });
  for (const row of ['2 content-pipeline', '10 guesses']) t.true(stdout.includes(`│ ${row} `), stdout);
  t.regex(stdout, /^guesses: of 6 users who logged in for the first time \d were let in$/m);
  t.regex(stdout, /^All promises were kept under \d of 2 attacks\.$/m);
  await assertNothingLeft(t, directory);
});

test('Ctrl-C in the midst of an attack takes the servers, the attacker and the CPEs away', async (t) => {
  const directory = await temporaryDirectory(t);
  const bench = spawn(process.execPath, [MAIN, ...SMALL, '--seconds', '600', '--attacks', 'guesses'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, TMPDIR: directory },
  });
  let [told, interrupted] = ['', false];
  bench.stderr.on('data', (chunk: Buffer) => {
    told += chunk;
  });
  // Once there is an attacker there is a server under it.
  const watch = setInterval(async () => {
    const children = await run('ps', ['--ppid', String(bench.pid), '-o', 'args=']).catch(() => ({
      stdout: '',
    }));
    if (interrupted || !children.stdout.includes('attacker.js')) return;
    interrupted = true;
    bench.kill('SIGINT');
  }, 200);
  const [code] = await once(bench, 'close');
  clearInterval(watch);
  t.is(code, 130, told);
  t.true(told.endsWith('Interrupted. Servers, attackers and their data are gone.\n'), told);
  await assertNothingLeft(t, directory);
});

test('an attack that is not there is named, with those that are', async (t) => {
  const error = await t.throwsAsync(run(process.execPath, [MAIN, '--attacks', 'flood']));
  const { code, stderr } = error as unknown as { code: number; stderr: string };
  t.is(code, 2);
  t.regex(stderr, /--attacks has "flood", which is none of file-pipeline, /);
});
