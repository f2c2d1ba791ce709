import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, stat } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import test from 'ava';
import { ferry, nbi, serve, temporaryDirectory } from './support.js';

const SECRETS = {
  FERRY_CPE_AUTH: 'cpe:TOPSECRET-of-cpes',
  FERRY_FILE_AUTH: 'files:TOPSECRET-of-files',
  FERRY_CONNECTION_REQUEST_AUTH: 'calls:TOPSECRET-of-calls',
  FERRY_ADMIN_PASSWORD: 'TOPSECRET-of-admin',
};

test('what a server makes is its user’s alone, also within a directory of everybody, and neither log, figures nor documents hold a secret', async (t) => {
  const at = await temporaryDirectory(t);
  await chmod(at, 0o755);
  const dataDir = join(at, 'data');
  const served = await serve(t, dataDir, ['--log-format=json', '--log-level=debug'], {
    environment: SECRETS,
  });
  const modes = await Promise.all(
    ['', 'store', 'images', 'secret.key'].map(async (name) => (await stat(join(dataDir, name))).mode & 0o777),
  );
  t.deepEqual(modes, [0o700, 0o700, 0o700, 0o600]);
  const told = [];
  for (const path of ['/metrics', '/v1/openapi.json', '/healthz', '/v1/dyn/DeviceStorage/.*'])
    told.push(await nbi(served, path, 'admin:TOPSECRET-of-admin'));
  await nbi(served, '/metrics', 'admin:TOPSECRET-that-is-wrong');
  served.command.kill('SIGTERM');
  const { stdout, stderr } = await served.command.ended;
  t.notRegex(JSON.stringify(told) + stdout + stderr, /TOPSECRET/);
  for (const line of stderr.trim().split('\n')) t.notThrows(() => JSON.parse(line), line);
});

test('the configuration is shown without its secrets, unless they are asked for', async (t) => {
  const environment = {
    ...SECRETS,
    FERRY_STORE: 'mongodb://ferry:TOPSECRET@a,b/ferry?replicaSet=x&tlsCertificateKeyFilePassword=TOPSECRET',
  };
  for (const words of [['config'], ['config', '--json']]) {
    const { exitCode, stdout, stderr } = await ferry(words, { environment });
    t.is(exitCode, 0, stderr);
    t.notRegex(stdout + stderr, /TOPSECRET/);
  }
  t.regex((await ferry(['config', '--json', '--secrets'], { environment })).stdout, /TOPSECRET-of-files/);
});

test('what libraries say to a console, and warnings of Node.js, are lines of the log', async (t) => {
  const url = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
  const script = `
    const { createLogger } = await import(${url('../../common/index.js')});
    const { logWordsOfLibraries } = await import(${url('../../cli/library-words.js')});
    logWordsOfLibraries(createLogger({ level: 'info', format: 'json' }));
    console.error(new Error('no space'));
    console.error('In callback', { code: 28 });
    console.warn('%s is old', 'this');
    console.log('to nobody');
    process.emitWarning('too many', 'MaxListenersExceededWarning');
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data) => {
    stdout += data;
  });
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  await once(child, 'close');
  t.is(stdout, '');
  const events = stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  t.deepEqual(
    events.map(({ level, message, text }) => [level, message, text]),
    [
      ['error', 'library.said', 'Error: no space'],
      ['error', 'library.said', 'In callback { code: 28 }'],
      ['warn', 'library.said', 'this is old'],
      ['info', 'library.said', 'to nobody'],
      ['warn', 'library.warned', 'too many'],
    ],
  );
  t.regex(events[0].stack, /^ +at /);
});
