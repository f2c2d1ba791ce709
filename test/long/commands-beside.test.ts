import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { chown, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import test from 'ava';
import { builtInModel, Fleet } from '../../cpe-sim/index.js';
import { ferry, MAIN, nbi, serve, temporaryDirectory } from '../cli/support.js';
import { until } from '../support/ferry.js';

const run = promisify(execFile);
const ADMIN = 'admin:a long password';
const environment = { FERRY_ADMIN_PASSWORD: 'a long password' };

test('users that another process adds, changes and removes count at once in a running server', async (t) => {
  const dataDir = await temporaryDirectory(t);
  const served = await serve(t, dataDir, [], { environment });
  const user = (...args: string[]) => ferry(['user', ...args, `--data-dir=${dataDir}`]);
  const status = async (who: string) => (await nbi(served, '/v1/dyn/FirmwareStorage/.*', who)).status;

  const made = await user('add', 'bob', '--role=viewer');
  const [, password = ''] = /Password: (\S+) \(shown this once\)/.exec(made.stdout) ?? [];
  t.regex(made.stdout, /^Added bob \(viewer\)\.\n/);
  t.is(await status(`bob:${password}`), 404);

  const given = { input: 'another password\nnot this line' };
  const changed = await ferry(
    ['user', 'password', 'bob', '--password-stdin', `--data-dir=${dataDir}`],
    given,
  );
  t.is(changed.stdout, 'Changed the password of bob.\n');
  t.is(await status(`bob:${password}`), 401);
  t.is(await status('bob:another password'), 404);

  const listed = JSON.parse((await user('list', '--json')).stdout);
  t.deepEqual(
    listed.map(({ name, role }: { name: string; role: string }) => [name, role]),
    [
      ['admin', 'admin'],
      ['bob', 'viewer'],
    ],
  );
  t.is((await user('remove', 'bob')).stdout, 'Removed bob.\n');
  t.is(await status('bob:another password'), 401);

  for (const args of [
    ['remove', 'bob'],
    ['remove', 'admin'],
    ['add', 'admin'],
    ['add', 'a b'],
  ]) {
    const refused = await user(...args);
    t.is(refused.exitCode, 1, args.join(' '));
    t.regex(refused.stderr, /^ferry: [^\n]+\n$/);
  }
});

test('a password from standard input is a line of it; none, or one without end, is refused', async (t) => {
  const dataDir = await temporaryDirectory(t);
  const add = (input: string) =>
    ferry(['user', 'add', 'bob', '--password-stdin', `--data-dir=${dataDir}`], { input });
  t.regex((await add('')).stderr, /ferry: Standard input holds no password\.\n$/);
  t.regex((await add('x'.repeat(1_000_000))).stderr, /its line is too long/);
  const short = await add('short\n');
  t.is(short.exitCode, 1);
  t.false(short.stderr.includes('short\n'));
  t.is((await add('a long password\r\n')).exitCode, 0);
  const served = await serve(t, dataDir);
  t.is((await nbi(served, '/v1/dyn/FirmwareStorage/.*', 'bob:a long password')).status, 404);
  t.notRegex(served.command.stdout, /First user/);
});

test('an image of 64 MiB that another process adds can be downloaded, with sane progress meanwhile', async (t) => {
  const dataDir = await temporaryDirectory(t);
  const served = await serve(t, dataDir, [], { environment });
  const path = join(await temporaryDirectory(t), 'hgw-2.0.0.bin');
  const mebibyte = randomBytes(1024 * 1024);
  await pipeline(Readable.from(Array.from({ length: 64 }, () => mebibyte)), createWriteStream(path));
  const hash = createHash('sha256');
  for (let part = 0; part < 64; part++) hash.update(mebibyte);
  const sha256 = hash.digest('hex');

  const image = (...args: string[]) => ferry(['image', ...args, `--data-dir=${dataDir}`]);
  const wrong = await image('add', path, `--sha256=${'0'.repeat(64)}`);
  t.is(wrong.exitCode, 1);
  t.regex(wrong.stderr, /ferry: the content's SHA-256 is .*, not 0{64}/);
  const added = await image('add', path, '--software-version=2.0.0', `--sha256=${sha256}`, '--json');
  t.is(added.exitCode, 0, added.stderr);
  t.like(JSON.parse(added.stdout), { id: 'hgw-2.0.0.bin', sizeBytes: 64 * 1024 * 1024, sha256 });
  const lines = added.stderr.trimEnd().split('\n');
  t.is(lines.length, 10, added.stderr);
  t.is(lines.at(-1), 'Adding: 64.0 MiB/64.0 MiB');

  const again = await image('add', path, '--software-version=2.0.0');
  t.is(again.exitCode, 0, again.stderr);
  t.regex(again.stdout, /^Unchanged: hgw-2\.0\.0\.bin, 64\.0 MiB, SHA-256 /);
  const answer = await fetch(`${served.urls.nbi}/v1/images/hgw-2.0.0.bin/content`, {
    headers: { Authorization: `Basic ${Buffer.from(ADMIN).toString('base64')}` },
  });
  t.is(answer.status, 200, await (answer.ok ? '' : answer.text()));
  t.is(
    createHash('sha256')
      .update(Buffer.from(await answer.arrayBuffer()))
      .digest('hex'),
    sha256,
  );

  t.regex((await image('list')).stdout, /│ hgw-2\.0\.0\.bin │ 2\.0\.0/);
  t.is(JSON.parse((await image('list', '--json')).stdout).length, 1);
  t.is((await image('remove', 'hgw-2.0.0.bin')).stdout, 'Removed hgw-2.0.0.bin.\n');
  t.is((await nbi(served, '/v1/images/hgw-2.0.0.bin', ADMIN)).status, 404);
  t.is(
    (await image('remove', 'hgw-2.0.0.bin')).stderr,
    'ferry: There is no image hgw-2.0.0.bin; ferry image list shows them.\n',
  );
});

test('a file that is missing, empty or a directory is no image', async (t) => {
  const directory = await temporaryDirectory(t);
  await writeFile(join(directory, 'empty.bin'), '');
  const add = (file: string) =>
    ferry(['image', 'add', join(directory, file), `--data-dir=${join(directory, 'data')}`]);
  for (const [file, says] of [
    ['none.bin', /none\.bin cannot be read: ENOENT/],
    ['.', /is not a file\.$/m],
    ['empty.bin', /an image must have at least one byte/],
  ] as const) {
    const { exitCode, stderr } = await add(file);
    t.is(exitCode, 1, file);
    t.regex(stderr, says);
    t.notRegex(stderr, /^ +at /m);
  }
});

test('an image that does not fit on the disk is refused as such, and nothing of it stays', async (t) => {
  const dataDir = await temporaryDirectory(t);
  const images = join(dataDir, 'images');
  await mkdir(images);
  try {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', images]);
  } catch (error) {
    if (process.env['CI'] === 'true') throw error;
    t.log(`Not tested, as mounting a tmpfs is not allowed here: ${error}`);
    t.pass();
    return;
  }
  t.teardown(() => run('umount', ['-l', images]));
  const path = join(await temporaryDirectory(t), 'big.bin');
  await writeFile(path, randomBytes(2 * 1024 * 1024));
  const { exitCode, stdout, stderr } = await ferry(['image', 'add', path, `--data-dir=${dataDir}`]);
  t.is(exitCode, 1);
  t.is(stdout, '');
  t.regex(stderr, /ferry: there is no room for this image/);
  t.notRegex(stderr, /^ +at /m);
  t.deepEqual(await readdir(join(images, 'incoming')), []);
});

test('whoever has no name here can work all the same, as in a container', async (t) => {
  const uid = 54_321;
  // Only root can run a process as somebody else, and a checkout may lie where nobody else can read it.
  const launcher = ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups'];
  const [file = '', ...words] = [...launcher, 'test', '-r', MAIN];
  const canRun = await run(file, words).then(
    () => true,
    () => false,
  );
  if (!canRun) {
    t.log('Not tested, as nobody else can run this checkout.');
    t.pass();
    return;
  }
  const directory = await temporaryDirectory(t);
  await chown(directory, uid, uid);
  const options = { cwd: directory, launcher };
  t.is((await ferry(['user', 'add', 'bob', '--data-dir=data'], options)).exitCode, 0);
  t.regex(
    (await ferry(['freeze', '--data-dir=data'], options)).stdout,
    /^Upgrades are frozen since .* by uid 54321\.\n$/,
  );
  await writeFile(join(directory, 'locked.bin'), 'x', { mode: 0 });
  const locked = await ferry(['image', 'add', 'locked.bin', '--data-dir=data'], options);
  t.is(locked.exitCode, 1);
  t.regex(
    locked.stderr,
    /ferry: locked\.bin cannot be read: EACCES: permission denied, open 'locked\.bin'\n$/,
  );
});

test('no command but one that adds makes a data directory: to freeze an empty one would stop nothing', async (t) => {
  const cwd = await temporaryDirectory(t);
  for (const words of ['freeze', 'user list', 'image list', 'config --secrets']) {
    const { exitCode, stdout, stderr } = await ferry(words.split(' '), { cwd });
    t.is(exitCode, 1, words);
    t.is(stdout, '');
    t.is(
      stderr,
      `ferry: There is no Ferry data in ${join(cwd, 'ferry-data')}: say with --data-dir where the server keeps it, or with --store in which database.\n`,
    );
  }
});

test('a server that another process froze sends no Download until the brake is lifted', async (t) => {
  const dataDir = await temporaryDirectory(t);
  const served = await serve(t, dataDir, ['--allow-anonymous-cpe'], { environment });
  const path = join(await temporaryDirectory(t), 'new.bin');
  await writeFile(path, randomBytes(1_000));
  const added = await ferry(['image', 'add', path, '--software-version=2.0.0', `--data-dir=${dataDir}`]);
  t.is(added.exitCode, 0, added.stderr);
  const freeze = (...args: string[]) => ferry(['freeze', ...args, `--data-dir=${dataDir}`]);
  t.regex(
    (await freeze('--reason=loses its VLANs')).stdout,
    /^Upgrades are frozen since .* by .*: loses its VLANs\n$/,
  );
  t.like(JSON.parse((await freeze('--status', '--json')).stdout), {
    frozen: true,
    reason: 'loses its VLANs',
  });

  const rule = {
    id: 'r1',
    enabled: true,
    automatic: true,
    file: 'new.bin',
    condition: { productClass: 'HGW-1' },
    executions: 1,
    priority: 1,
  };
  t.is((await nbi(served, '/v1/dyn/FirmwareStorage/.*', ADMIN, 'POST', rule)).status, 200);
  const fleet = new Fleet({
    acsUrl: `${served.urls.cwmp}/`,
    dataModel: builtInModel('tr181'),
    count: 1,
    oui: '00A1B2',
    productClass: 'HGW-1',
    serialPrefix: 'SIM',
    softwareVersion: '1.0.0',
    periodicIntervalMs: 100,
    rebootMs: 0,
  });
  t.teardown(() => fleet.stop());
  await fleet.start();
  await until('it has had its chances', () => fleet.summary().sessions.ended >= 5);
  t.is(fleet.summary().downloads, 0);

  t.is((await freeze('--lift')).stdout, 'Upgrades are running.\n');
  await until('the Download comes', () => fleet.summary().downloads === 1);
});
