import { spawnSync } from 'node:child_process';
import { chmod, chown, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { PassThrough } from 'node:stream';
import test, { type ExecutionContext } from 'ava';
import type { Io } from '../../cli/io.js';
import { runCommandLine } from '../../cli/run.js';
import { FerryCommand, ferry, serve, temporaryDirectory } from './support.js';

const KEY = `${'0123456789abcdef'.repeat(4)}\n`;

/**
 * What a command that is refused says; should it be carried out, the test runs out of time. A server that gets as far as opening
 * its store ends its process if need be: that takes a process of its own.
 */
async function refusal(
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<{ readonly exitCode: number; readonly said: string }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const io: Io = { stdout, stderr, stdin: process.stdin, environment };
  const exitCode = await runCommandLine(words, io);
  return { exitCode, said: `${stdout.read() ?? ''}${stderr.read() ?? ''}` };
}

/** Files that options may name wrongly. */
async function things(t: ExecutionContext): Promise<string> {
  const at = await mkdtemp(join(tmpdir(), 'ferry-refused-'));
  t.teardown(() => rm(at, { recursive: true, force: true }));
  await mkdir(join(at, 'directory'));
  await writeFile(join(at, 'file'), '');
  await writeFile(join(at, 'broken.json'), '{ "cpeAuth": "cpe:TOPSECRET", }');
  return at;
}

const ADDRESS = 'HOST:PORT';
const CREDENTIALS = /must be USER:PASSWORD, each of at most 256 printable characters\n$/;

/** Each with what is said of it; all say which option, and none is carried out. */
const WRONG: readonly (readonly [flag: string, value: string, says: RegExp])[] = [
  ['admin-password', 'short', /must be a password of at least 8 characters and at most 1024 bytes\n$/],
  ['cpe-auth', 'TOPSECRET', CREDENTIALS],
  ['cpe-auth', `cpe:${'x'.repeat(257)}`, CREDENTIALS],
  ['file-auth', `${'u'.repeat(400)}:p`, CREDENTIALS],
  ['file-auth', 'u:\u0007', CREDENTIALS],
  ['connection-request-auth', ':TOPSECRET', CREDENTIALS],
  [
    'public-file-url',
    'http://u:TOPSECRET@fw.example.net/',
    /must be http.*, not \["http:\/\/\*{8}@fw.example.net\/"\]\n$/,
  ],
  [
    'public-file-url',
    'http://fw.example.net/?key=TOPSECRET',
    /not \["http:\/\/fw.example.net\/\?\*{8}"\]\n$/,
  ],
  ['public-file-url', '10.0.0.0/33=http://a/', /must be http/],
  ['cwmp-listen', '7547', new RegExp(ADDRESS)],
  ['nbi-listen', '::1:7557', new RegExp(ADDRESS)],
  ['file-listen', '0.0.0.0:65536', new RegExp(ADDRESS)],
  ['trusted-proxy', '0.0.0.0/0', /must be addresses or subnets .*, and not everybody \(\/0\)/],
  ['trusted-proxy', 'proxy.example.net', /must be addresses or subnets/],
  ['shared-address', 'cgnat.example.net', /must be addresses or subnets/],
  ['connection-request-subnet', '10.0.0.0/40', /must be addresses or subnets/],
  ['store', 'mysql://u:TOPSECRET@a/b', /must be mongodb:\/\/HOST/],
  ['store', 'mongodb://u:TOP@SECRET@a/b', /must be mongodb:\/\/HOST.*%XX/],
  [
    'store',
    'mongodb://u:TOPSECRET@a:99999/b',
    /The address of the database cannot be used: Unable to parse a:99999/,
  ],
  ['store', 'mongodb://u:TOPSECRET@a/b?tls=maybe', /The address of the database cannot be used: tls/],
  ['workers', '257', /must be a whole number from 0 to 256, not 257\n$/],
  ['log-level', 'loud', /must be error, warn, info or debug, not "loud"\n$/],
  ['config', 'broken.json', /is no JSON \(line 1, column 31: \w+\)\n$/],
  ['config', 'nowhere.json', /ENOENT/],
];

const VARIABLES_TOO: ReadonlySet<string> = new Set(['admin-password', 'trusted-proxy']);

test('what an option can never be is refused with exit code 2 and a sentence that names it, before anything is made', async (t) => {
  const at = await things(t);
  const dataDir = join(at, 'data');
  for (const [flag, value, says] of WRONG) {
    const given = flag === 'config' ? join(at, value) : value;
    for (const way of VARIABLES_TOO.has(flag) ? ['flag', 'variable'] : ['flag']) {
      const variable = `FERRY_${flag.replaceAll('-', '_').toUpperCase()}`;
      // An address is read once a store is opened.
      const command = flag === 'store' ? ['user', 'list'] : ['serve'];
      const words = [...command, '--data-dir', dataDir, ...(way === 'flag' ? [`--${flag}=${given}`] : [])];
      const { exitCode, said } = await refusal(words, way === 'flag' ? {} : { [variable]: given });
      t.is(exitCode, 2, `${flag} ${value}: ${said}`);
      t.regex(said, says);
      t.true(said.startsWith(`ferry: --${flag}`) || said.startsWith(`ferry: ${variable}`), said);
      t.notRegex(said, /TOPSECRET|SECRET@|^ +at /m, said);
    }
  }
  t.deepEqual((await readdir(at)).sort(), ['broken.json', 'directory', 'file']);
});

/** What is on this machine and is not what an option says; `directory`, `file` and `key` are there. */
const NOT_THERE: readonly (readonly [options: string, says: RegExp])[] = [
  [
    '--data-dir=file',
    /^ferry: --data-dir \S*file: there is something else than a directory; name a directory\n$/,
  ],
  ['--data-dir=file/below', /^ferry: --data-dir \S*below: .* name another directory\n$/],
  [
    '--data-dir=data --rules-dir=file',
    /^ferry: --rules-dir \S*file: there is something else than a directory/,
  ],
  [
    '--data-dir=data --secret-file=directory',
    /^ferry: --secret-file \S*directory: there is something else than a file/,
  ],
];

test('a path that is not what its option says is refused with exit code 1 and a sentence, before anything is made', async (t) => {
  const at = await things(t);
  for (const [options, says] of NOT_THERE) {
    const words = options.split(' ').map((option) => option.replace('=', `=${at}/`));
    const { exitCode, said } = await refusal(['serve', ...words]);
    t.is(exitCode, 1, said);
    t.regex(said, says);
    t.notRegex(said, /^ +at /m);
  }
  t.deepEqual((await readdir(at)).sort(), ['broken.json', 'directory', 'file']);
});

test('a file that is no master key, and a data directory of somebody else, are refused without a stack', async (t) => {
  const launcher = ['setpriv', '--bounding-set=-all', '--inh-caps=-all'] as const;
  const at = await things(t);
  const { exitCode, stderr } = await ferry([
    'serve',
    `--data-dir=${at}/data`,
    `--secret-file=${at}/broken.json`,
  ]);
  t.is(exitCode, 1);
  t.regex(stderr, /^ferry: The master key \S*broken\.json is damaged: it must hold 64 hexadecimal digits\n$/);
  // Only root gives a directory away. Without its capabilities it is a user as others are, who may read what the tests consist of.
  if (process.getuid?.() !== 0 || spawnSync(launcher[0], [...launcher.slice(1), 'true']).status !== 0) return;
  await chown(join(at, 'directory'), 65_534, 65_534);
  const other = new FerryCommand(['serve', `--data-dir=${at}/directory`], { launcher });
  const ended = await other.ended;
  t.is(ended.exitCode, 1, ended.stderr);
  t.regex(
    ended.stderr,
    /^ferry: --data-dir \S*directory: this user may not write to \S*directory; make it theirs/,
  );
});

test('a master key in the data directory that others may read is refused, by every command that needs it', async (t) => {
  const at = await temporaryDirectory(t);
  const path = join(at, 'secret.key');
  await mkdir(join(at, 'store'));
  for (const [mode, ...commands] of [
    [0o644, ['serve'], ['user', 'list'], ['freeze']],
    [0o640, ['user', 'list']],
    [0o602, ['user', 'list']],
  ] as const) {
    await writeFile(path, KEY);
    await chmod(path, mode);
    for (const command of commands) {
      const { exitCode, stderr: said } = await ferry([...command, `--data-dir=${at}`]);
      t.is(exitCode, 1, said);
      const shown = mode.toString(8).padStart(4, '0');
      t.regex(
        said,
        new RegExp(
          `^ferry: The master key ${path} may be read by others \\(mode ${shown}\\): chmod 600 ${path};`,
        ),
      );
      t.false(said.includes(KEY.trim()));
    }
  }
  t.deepEqual(await readdir(join(at, 'store')), []);
});

test('a key or configuration file that lies elsewhere is used as it is, and the log says where others may read it', async (t) => {
  const at = await temporaryDirectory(t);
  // As Kubernetes mounts a secret: links to files of another's, read by the group.
  await mkdir(join(at, '..data'));
  const config = { cpeAuth: 'cpe:TOPSECRET-of-cpes', adminPassword: 'TOPSECRET-admin', logFormat: 'json' };
  for (const [name, content] of [
    ['secret.key', KEY],
    ['ferry.json', JSON.stringify(config)],
  ] as const) {
    await writeFile(join(at, '..data', name), content);
    await symlink(join('..data', name), join(at, name));
  }
  const options = [`--secret-file=${at}/secret.key`, `--config=${at}/ferry.json`];
  for (const [mode, told] of [
    [0o440, 0],
    [0o444, 2],
  ] as const) {
    for (const name of ['secret.key', 'ferry.json']) await chmod(join(at, '..data', name), mode);
    const { command } = await serve(t, join(at, `data-${mode}`), options);
    command.kill('SIGTERM');
    const { exitCode, stderr } = await command.ended;
    t.is(exitCode, 0, stderr);
    const events = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const open = events.filter(({ message }) => message === 'secret-file.open-to-others');
    t.is(open.length, told);
    t.notRegex(stderr, /TOPSECRET/);
    if (told === 0) continue;
    t.like(open[0], { path: join(at, 'secret.key'), mode: '0444', holds: 'the master key' });
    t.like(open[1], { path: join(at, 'ferry.json'), holds: 'cpeAuth, adminPassword' });
  }
});

/** Slips of the pen around a secret option. */
const MISTYPED: readonly string[] = [
  'serve --cpe-auht=user:TOPSECRET',
  'serve --cpe-auht user:TOPSECRET',
  'serve --cpe-authuser:TOPSECRET',
  'serve --admin-passwordTOPSECRET',
  'serve --admin-password TOPSECRET TOPSECRET',
  'serve \u2014admin-password TOPSECRET',
  'serve -cpe-auth user:TOPSECRET',
  'serve -TOPSECRET',
  'serve --cpe-auth=TOPSECRET',
  'serve --no-cpe-auth TOPSECRET',
  'serve --cpe-auth=u:TOPSECRET --cpe-auth=v:TOPSECRET',
  'serve --session-idle-seconds TOPSECRET',
  'user add bob TOPSECRET',
  'user add bob --pasword TOPSECRET',
  'image sync --from=mongodb://u:TOPSECRET@a@b/c',
  'sim --acs http://a/ --pasword TOPSECRET',
];

test('a usage error never repeats what may be a secret', async (t) => {
  const at = await temporaryDirectory(t);
  for (const line of MISTYPED) {
    const { exitCode, said } = await refusal([
      ...line.split(' '),
      ...(line.startsWith('serve') ? [`--data-dir=${at}`] : []),
    ]);
    t.is(exitCode, 2, said);
    t.regex(said, /^ferry: /);
    t.notRegex(said, /TOPSECRET|\bT\b.*\bO\b.*\bP\b/s, line);
  }
});
