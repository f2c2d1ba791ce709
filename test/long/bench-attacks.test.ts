import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';

const MAIN = fileURLToPath(new URL('../../bench/attacks/main.js', import.meta.url));
const SMALL = ['--cpes', '10', '--rules', '100'];

const run = promisify(execFile);

/** Where the measurement may put its temporary files: what is left there has been left by it. */
async function temporaryDirectory(t: ExecutionContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'ferry-attacks-test-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Command lines of the processes that have the directory in their environment, as all have that are started there. */
async function processesIn(directory: string): Promise<readonly string[]> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const of = (pid: string, what: string) => readFile(`/proc/${pid}/${what}`, 'utf8').catch(() => '');
  const all = await Promise.all(
    pids.map(async (pid) => ((await of(pid, 'environ')).includes(directory) ? of(pid, 'cmdline') : '')),
  );
  return all.filter((command) => command !== '');
}

async function assertNothingLeft(t: ExecutionContext, directory: string): Promise<void> {
  t.deepEqual(await readdir(directory), []);
  t.deepEqual(await processesIn(directory), []);
}

test.serial(
  'an attack is measured and nothing of it stays; what it shows is for people to judge',
  async (t) => {
    const directory = await temporaryDirectory(t);
    const { stdout } = await run(
      process.execPath,
      [MAIN, ...SMALL, '--seconds', '1', '--attacks', 'content-pipeline'],
      {
        env: { ...process.env, TMPDIR: directory },
      },
    );
    t.regex(stdout, /^│ 2 content-pipeline /m);
    t.regex(stdout, /^All promises were kept under \d of 1 attack\.$/m);
    await assertNothingLeft(t, directory);
  },
);

test.serial(
  'Ctrl-C in the midst of an attack takes the servers, the attacker and the CPEs away',
  async (t) => {
    const directory = await temporaryDirectory(t);
    const bench = spawn(
      process.execPath,
      [MAIN, ...SMALL, '--seconds', '600', '--attacks', 'unfinished-256'],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { ...process.env, TMPDIR: directory },
      },
    );
    let [told, interrupted] = ['', false];
    bench.stderr.on('data', (chunk: Buffer) => {
      told += chunk;
    });
    // Once there is an attacker there is a server under it.
    const watch = setInterval(async () => {
      const commands = await processesIn(directory);
      if (interrupted || !commands.some((command) => command.includes('attacker.js'))) return;
      interrupted = true;
      bench.kill('SIGINT');
    }, 200);
    const [code] = await once(bench, 'close');
    clearInterval(watch);
    t.is(code, 130, told);
    t.true(told.endsWith('Interrupted. Servers, attackers and their data are gone.\n'), told);
    await assertNothingLeft(t, directory);
  },
);

test('an attack that is not there is named, with those that are', async (t) => {
  const error = await t.throwsAsync(run(process.execPath, [MAIN, '--attacks', 'flood']));
  const { code, stderr } = error as unknown as { code: number; stderr: string };
  t.is(code, 2);
  t.regex(stderr, /--attacks has "flood", which is none of file-pipeline, /);
});
