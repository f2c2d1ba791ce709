import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { OPERATIONS } from '../../client/index.js';
import { ADMIN, startTestFerry } from '../support/ferry.js';
import { ferry } from './support.js';

const RULE = { id: 'CALLED', file: 'https://files.example.net/a.bin', condition: { productClass: 'HGW' } };

test('ferry call makes any call of a running Ferry, by a token or by name and password', async (t) => {
  const { urls, installation } = await startTestFerry(t);
  const { text } = await installation.users.tokens.create({ name: 'cli', user: ADMIN.name }, null);
  const url = `--url=${urls.nbi}`;
  const byToken = { FERRY_CALL_TOKEN: text };

  const data = `--data=${JSON.stringify(RULE)}`;
  const stored = await ferry(['call', 'putRules', 'pattern=.*', data, url], { environment: byToken });
  t.is(stored.exitCode, 0, stored.stderr);
  t.deepEqual(JSON.parse(stored.stdout), {
    code: 204,
    message: 'response from FirmwareStorage',
    details: '',
  });

  const byPassword = { FERRY_CALL_PASSWORD: ADMIN.password };
  const listed = await ferry(
    ['call', 'listRules', 'pattern=CALLED', 'enabled=true', 'enabled=false', '--user=admin', url],
    { environment: byPassword },
  );
  t.is(listed.exitCode, 0, listed.stderr);
  t.like(JSON.parse(listed.stdout), { details: [{ id: 'CALLED' }] });

  const metrics = await ferry(['call', 'metrics', url], { environment: byToken });
  t.regex(metrics.stdout, /^# HELP /);
});

test('a body comes from a file, of whatever kind', async (t) => {
  const { urls } = await startTestFerry(t);
  const directory = await mkdtemp(join(tmpdir(), 'ferry-call-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const image = join(directory, 'hgw.bin');
  await writeFile(image, 'an image');
  const lines = join(directory, 'rules.ndjson');
  await writeFile(lines, `${JSON.stringify(RULE)}\n`);
  const run = (...words: string[]) =>
    ferry(['call', ...words, '--user=admin', `--url=${urls.nbi}`], {
      environment: { FERRY_CALL_PASSWORD: ADMIN.password },
    });

  const uploaded = await run('uploadImage', 'name=hgw.bin', `--data=@${image}`);
  t.is(uploaded.exitCode, 0, uploaded.stderr);
  t.is((await run('downloadImage', 'name=hgw.bin')).stdout, 'an image');
  const stored = await run('putRules', 'pattern=.*', `--data=@${lines}`, '--type=application/x-ndjson');
  t.regex(stored.stdout, /"written":1/);
});

test('what is refused, or not asked for rightly, says so by the exit code', async (t) => {
  const { urls } = await startTestFerry(t);
  const url = `--url=${urls.nbi}`;
  const run = async (...words: string[]) => {
    const { exitCode, stderr } = await ferry(['call', ...words]);
    return [exitCode, stderr.split('\n')[0]];
  };
  t.deepEqual(await run('livenes', url), [
    2,
    'ferry: There is no call named livenes; --list says what there is.',
  ]);
  t.deepEqual(await run(url), [2, 'ferry: Say what is called; --list says what can be.']);
  t.deepEqual(await run('getImage', url), [2, 'ferry: Say name as NAME=VALUE.']);
  t.deepEqual(await run('getImage', 'hgw.bin', url), [2, 'ferry: hgw.bin is no NAME=VALUE.']);
  t.deepEqual(await run('listRules', 'pattern=.*', '--user=admin', url), [
    2,
    'ferry: Set FERRY_CALL_PASSWORD to the password of --user.',
  ]);
  const [code, said] = await run('putRules', 'pattern=.*', '--data={', url);
  t.is(code, 2);
  t.regex(String(said), /^ferry: --data is no JSON: SyntaxError/);
  const refused = await run('listImages', url);
  t.is(refused[0], 1);
  t.regex(String(refused[1]), /^ferry: listImages was answered with HTTP 401: \{"code":401/);
});

test('ferry call --list says what can be called', async (t) => {
  const { stdout } = await ferry(['call', '--list']);
  for (const [name, { method, path }] of Object.entries(OPERATIONS)) {
    t.true(stdout.includes(`${name} `), name);
    t.true(stdout.includes(`${method} ${path}\n`), path);
  }
});
