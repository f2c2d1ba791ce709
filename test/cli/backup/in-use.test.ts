import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { openTestInstallation, populate } from '../../support/installation.js';
import { FerryCommand, ferry, serve, temporaryDirectory } from '../support.js';

const ANY_PORTS = ['--cwmp-listen=127.0.0.1:0', '--nbi-listen=127.0.0.1:0', '--file-listen=127.0.0.1:0'];

/** A backup, restored once already, and the arguments that say where. */
async function restored(t: ExecutionContext): Promise<{ file: string; where: string[] }> {
  const directory = await temporaryDirectory(t);
  const from = join(directory, 'from');
  const installation = await openTestInstallation(from);
  await populate(installation, 5);
  await installation.close();
  const file = join(directory, 'ferry.backup');
  t.is((await ferry(['backup', file, `--data-dir=${from}`])).exitCode, 0);
  const key = join(directory, 'key');
  await copyFile(join(from, 'secret.key'), key);
  const where = [`--data-dir=${join(directory, 'to')}`, `--secret-file=${key}`];
  t.is((await ferry(['restore', file, ...where])).exitCode, 0);
  return { file, where };
}

test('a restore at any moment of a server’s start is refused, or has ended before the server begins', async (t) => {
  t.timeout(300_000);
  const { file, where } = await restored(t);
  let refusals = 0;
  // The second is said as soon as it listens, long before any duty is taken.
  for (const moment of [null, /ferry\.started/]) {
    const server = new FerryCommand(['serve', ...where, ...ANY_PORTS]);
    if (moment !== null) await Promise.race([server.complains(moment), server.ended]);
    const startedMs = Date.now();
    const restore = await ferry(['restore', file, ...where, '--overwrite']);
    const isServing = await Promise.race([
      server.says(/Firmware files .*\n/).then(() => true),
      server.ended.then(() => false),
    ]);
    if (restore.exitCode === 0 && isServing) {
      const [saidAt = ''] = /^\S+(?= .*cpe\.identity)/m.exec(server.stderr) ?? [];
      t.true(
        Date.parse(saidAt) > startedMs,
        'it had begun before the restore, which went through all the same',
      );
    }
    if (restore.exitCode !== 0) t.regex(restore.stderr, /A server works on this store: stop it first/);
    if (!isServing) t.regex(server.stderr, /A restore into this store (is under way|was cut off)/);
    if (moment?.source.includes('started')) t.is(restore.exitCode, 1);
    if (restore.exitCode === 1) refusals++;
    server.kill('SIGKILL');
    await server.ended;
  }
  t.true(refusals >= 1);
  // It was killed, and its lease with it: nobody has to wait for that.
  const at = await ferry(['restore', file, ...where, '--overwrite']);
  t.is(at.exitCode, 0, at.stderr);
});

test('commands that work beside a server do not keep a restore waiting, and every worker of a server does', async (t) => {
  t.timeout(300_000);
  const { file, where } = await restored(t);
  const [dataDir = '', ...more] = where;
  const server = await serve(t, dataDir.replace('--data-dir=', ''), ['--workers=2', ...more]);
  await server.command.complains(/workers\.started/);
  t.is((await ferry(['user', 'list', ...where])).exitCode, 0);
  t.is((await ferry(['restore', file, ...where, '--overwrite'])).exitCode, 1);
  server.command.kill('SIGTERM');
  await server.command.ended;
  t.is((await ferry(['restore', file, ...where, '--overwrite'])).exitCode, 0);
});
