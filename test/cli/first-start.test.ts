import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { exists } from '../../common/index.js';
import { until } from '../support/ferry.js';
import { mongodbUrl, testDatabase, urlOfDatabase } from '../support/mongodb.js';
import { FerryCommand, ferry, serve, temporaryDirectory } from './support.js';

const ANY_PORTS = ['--cwmp-listen=127.0.0.1:0', '--nbi-listen=127.0.0.1:0', '--file-listen=127.0.0.1:0'];
const NOTHING_IN_IT = /^ferry: There is nothing in the store, but beside it there is /m;

test('an empty store beside the key or the images of an earlier one is no first start, until one says so', async (t) => {
  const directory = await temporaryDirectory(t);
  const dataDir = join(directory, 'data');
  const image = join(directory, 'a.bin');
  await writeFile(image, randomBytes(1_000));
  t.is((await ferry(['image', 'add', image, `--data-dir=${dataDir}`])).exitCode, 0);
  const first = await serve(t, dataDir);
  first.command.kill('SIGTERM');
  t.is((await first.command.ended).exitCode, 0);

  await rm(join(dataDir, 'store'), { recursive: true });
  await mkdir(join(dataDir, 'store'));
  await writeFile(join(dataDir, 'store', 'data.mdb'), '');
  for (const command of [
    ['serve', ...ANY_PORTS],
    ['user', 'list'],
  ]) {
    const refused = await ferry([...command, `--data-dir=${dataDir}`]);
    t.is(refused.exitCode, 1, command.join(' '));
    t.regex(refused.stderr, NOTHING_IN_IT);
    t.regex(
      refused.stderr,
      /a master key in \S+secret\.key and firmware images in \S+content, .*ferry restore/,
    );
    t.regex(refused.stderr, /--accept-empty-store begins anew/);
  }
  const environment = { FERRY_ACCEPT_EMPTY_STORE: 'true' };
  const anew = await serve(t, dataDir, [], { environment });
  t.regex(anew.command.stdout, /First user +admin/);
  anew.command.kill('SIGTERM');
  await anew.command.ended;
  // It has begun: from now on nobody needs to be told.
  t.is((await ferry(['user', 'list', `--data-dir=${dataDir}`])).exitCode, 0);
});

test('a key that was made in advance and named by an option is no sign of an earlier store', async (t) => {
  const directory = await temporaryDirectory(t);
  const key = join(directory, 'given.key');
  await writeFile(key, `${'ab'.repeat(32)}\n`, { mode: 0o600 });
  const { command } = await serve(t, join(directory, 'data'), [`--secret-file=${key}`]);
  t.regex(command.stdout, /First user/);
});

test('a first start that is killed at any moment is gone on with by the next', async (t) => {
  t.timeout(300_000);
  const directory = await temporaryDirectory(t);
  const sawKeyAlone: string[] = [];
  // What is there when it is killed; the last is a server that begins.
  const moments: [string, (dataDir: string) => Promise<boolean>][] = [
    ['store', (dataDir) => exists(join(dataDir, 'store', 'data.mdb'))],
    ['key', (dataDir) => exists(join(dataDir, 'secret.key'))],
  ];
  for (const [moment, isThere] of moments) {
    const dataDir = join(directory, moment);
    const started = new FerryCommand(['serve', `--data-dir=${dataDir}`, ...ANY_PORTS]);
    const hasEnded = started.ended.then(() => {
      throw new Error(`It ended before it was killed: ${started.stderr}`);
    });
    await Promise.race([until(`it has made its ${moment}`, () => isThere(dataDir)), hasEnded]);
    hasEnded.catch(() => {});
    started.kill('SIGKILL');
    await started.ended;
    if ((await readdir(dataDir)).includes('secret.key')) sawKeyAlone.push(moment);
    const again = await serve(t, dataDir);
    // What is shown once it has perhaps shown; that it serves it says always.
    t.regex(again.command.stdout, /^CPEs connect to +http/m, moment);
    again.command.kill('SIGKILL');
    await again.command.ended;
  }
  t.true(sawKeyAlone.includes('key'));
});

const url = mongodbUrl();
if (url !== null) {
  test('an empty database beside the key of an earlier one is no first start either', async (t) => {
    const dataDir = await temporaryDirectory(t);
    await writeFile(join(dataDir, 'secret.key'), `${'ab'.repeat(32)}\n`, { mode: 0o600 });
    const environment = { FERRY_STORE: urlOfDatabase(url, testDatabase(t, url)) };
    const refused = await ferry(['serve', `--data-dir=${dataDir}`, ...ANY_PORTS], { environment });
    t.is(refused.exitCode, 1);
    t.regex(refused.stderr, NOTHING_IN_IT);
    const { command } = await serve(t, dataDir, ['--accept-empty-store'], { environment });
    t.regex(command.stdout, /First user/);
  });
}
