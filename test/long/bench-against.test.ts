import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';

const MAIN = fileURLToPath(new URL('../../bench/main.js', import.meta.url));
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const SMALL = ['--rounds', '2', '--upgrades', '20', '--cpes', '20', '--rules', '100'];

/** One of each kind, as all of them are measured in the same way: sessions, decisions, a start. A hunt measures every row there is. */
const MEASURED = process.env['FERRY_BENCH_ROWS']?.split(',') ?? ['periodic', 'decide', 'start'];

const run = promisify(execFile);

async function git(...args: readonly string[]): Promise<string> {
  return (await run('git', [...args], { cwd: ROOT })).stdout.trim();
}

/** @returns null, and says so, where the project was not taken out of git */
async function headOf(t: ExecutionContext): Promise<string | null> {
  const head = await git('rev-parse', 'HEAD').catch(() => null);
  if (head === null) {
    t.log('skipped: this is no git work tree');
    t.pass();
  }
  return head;
}

/** Where the benchmark may put its temporary files: what is left there has been left by it. */
async function temporaryDirectory(t: ExecutionContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'ferry-bench-test-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Neither files, nor what git notes of a work tree, nor processes. */
async function assertNothingLeft(t: ExecutionContext, directory: string): Promise<void> {
  t.deepEqual(await readdir(directory), []);
  t.false((await git('worktree', 'list')).includes(directory));
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    t.false(command.includes(directory), command);
  }
}

test('a commit is built beside this work tree and measured in turn with it, and nothing of it stays', async (t) => {
  const head = await headOf(t);
  if (head === null) return;
  const directory = await temporaryDirectory(t);
  const { stdout } = await run(
    process.execPath,
    [
      ...[MAIN, '--against', 'HEAD', '--rows', MEASURED.join(','), ...SMALL],
      ...['--sessions', '40', '--organizations', '2', '--json'],
    ],
    {
      env: { ...process.env, TMPDIR: directory },
    },
  );
  const report = JSON.parse(stdout);
  t.is(report.before.commit, head);
  t.is(report.today.commit, head);
  t.is(report.today.hasUncommittedChanges, (await git('status', '--porcelain')) !== '');
  t.deepEqual(
    report.rows.map(({ name }: { name: string }) => name),
    MEASURED,
  );
  for (const { name, before, today, ratio, spread, verdict } of report.rows) {
    t.true(before.perSecond > 0 && today.perSecond > 0, name);
    t.true(spread.low <= ratio && ratio <= spread.high, name);
    t.is(verdict, 'open', name);
  }
  await assertNothingLeft(t, directory);
});

test('Ctrl-C in the midst of a round takes the work tree and the servers away', async (t) => {
  if ((await headOf(t)) === null) return;
  const directory = await temporaryDirectory(t);
  const words = [MAIN, '--against', 'HEAD', ...SMALL, '--rows', 'periodic', '--sessions', '1000000'];
  const bench = spawn(process.execPath, words, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, TMPDIR: directory },
  });
  let [told, interrupted] = ['', false];
  // Once a server has its data there is a round under way.
  const watch = setInterval(async () => {
    const [made = ''] = await readdir(directory);
    const names = await readdir(join(directory, made)).catch((): string[] => []);
    if (interrupted || !names.some((name) => name.startsWith('data-'))) return;
    interrupted = true;
    bench.kill('SIGINT');
  }, 50);
  bench.stderr.on('data', (chunk: Buffer) => {
    told += chunk;
  });
  const [code] = await once(bench, 'close');
  clearInterval(watch);
  t.is(code, 130, told);
  t.true(told.endsWith('Interrupted. The temporary work tree is gone.\n'), told);
  await assertNothingLeft(t, directory);
});

async function refused(t: ExecutionContext, words: readonly string[]): Promise<string> {
  const error = await t.throwsAsync(run(process.execPath, [MAIN, ...words]));
  const { code, stderr } = error as unknown as { code: number; stderr: string };
  t.is(code, 2);
  return stderr;
}

test('a commit that is not there is named, with how to get it, before anything is built', async (t) => {
  if ((await headOf(t)) === null) return;
  const told = await refused(t, ['--against', 'no-such-commit']);
  t.regex(told, /"no-such-commit" names no commit here: .*git fetch --unshallow/);
});

test('an option that nothing can be measured with is named, with what should be there', async (t) => {
  t.regex(await refused(t, ['--against', 'HEAD', '--rounds', '0']), /--rounds is 0, where a whole number/);
  t.regex(
    await refused(t, ['--against', 'HEAD', '--rows', 'periodical']),
    /"periodical".* none of .*periodic,/,
  );
  t.regex(await refused(t, ['--against', 'HEAD', 'rules']), /leave "rules" out/);
  t.regex(await refused(t, ['--json']), /name the commit too/);
});
