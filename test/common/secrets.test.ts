import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { createSecrets, loadSecrets } from '../../common/index.js';

const run = promisify(execFile);

async function directory(t: ExecutionContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'ferry-secrets-'));
  t.teardown(() => rm(path, { recursive: true, force: true }));
  return path;
}

test('what is sealed opens again, and never looks the same twice', (t) => {
  const secrets = createSecrets(Buffer.alloc(32, 1));
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (plain) => {
      const sealed = secrets.seal(plain);
      t.is(secrets.open(sealed), plain);
      t.not(secrets.seal(plain), sealed);
    }),
  );
});

test('a sealed text with any bit changed, or cut short, does not open', (t) => {
  const secrets = createSecrets(Buffer.alloc(32, 1));
  const sealed = Buffer.from(secrets.seal('a secret'), 'base64');
  for (let bit = 0; bit < 8 * sealed.length; bit++) {
    const altered = Buffer.from(sealed);
    altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    t.throws(() => secrets.open(altered.toString('base64')));
  }
  for (let length = 0; length < sealed.length; length++) {
    t.throws(() => secrets.open(sealed.subarray(0, length).toString('base64')));
  }
});

test('what one master key sealed another does not open', (t) => {
  const sealed = createSecrets(Buffer.alloc(32, 1)).seal('a secret');
  t.throws(() => createSecrets(Buffer.alloc(32, 2)).open(sealed));
});

test('a code of one purpose is none of another', (t) => {
  const secrets = createSecrets(Buffer.alloc(32, 1));
  t.deepEqual(secrets.mac('file', 'x'), secrets.mac('file', Buffer.from('x')));
  t.notDeepEqual(secrets.mac('file', 'x'), secrets.mac('session', 'x'));
  t.notDeepEqual(secrets.mac('file', 'x'), secrets.mac('file', 'y'));
  t.is(secrets.mac('file', 'x').length, 32);
});

test('a master key of another length is refused', (t) => {
  t.throws(() => createSecrets(Buffer.alloc(16)), { message: /32 bytes, found 16/ });
});

test('processes that start at once make one key, for its owner alone, and leave nothing beside it', async (t) => {
  const path = join(await directory(t), 'deep', 'secret.key');
  const common = new URL('../../common/index.js', import.meta.url).href;
  const script = `import { loadSecrets } from ${JSON.stringify(common)};
    console.log((await loadSecrets(${JSON.stringify(path)})).mac('test', 'x').toString('hex'));`;
  const starts = Array.from({ length: 4 }, () =>
    run(process.execPath, ['--input-type=module', '-e', script]),
  );
  const macs = new Set((await Promise.all(starts)).map(({ stdout }) => stdout.trim()));
  t.is(macs.size, 1);
  t.true(macs.has((await loadSecrets(path)).mac('test', 'x').toString('hex')));
  t.is((await stat(path)).mode & 0o777, 0o600);
  t.deepEqual(await readdir(join(path, '..')), ['secret.key']);
});

test('loading the key at once within one process makes one key as well', async (t) => {
  const path = join(await directory(t), 'secret.key');
  const all = await Promise.all(Array.from({ length: 8 }, () => loadSecrets(path)));
  t.is(new Set(all.map((secrets) => secrets.mac('test', 'x').toString('hex'))).size, 1);
});

test('a damaged key file is refused and left as it is', async (t) => {
  const path = join(await directory(t), 'secret.key');
  for (const damaged of ['', 'abc\n', `${'0'.repeat(63)}\n`, `${'0'.repeat(65)}\n`, `${'g'.repeat(64)}\n`]) {
    await writeFile(path, damaged);
    await t.throwsAsync(loadSecrets(path), { message: /is damaged: it must hold 64 hexadecimal digits/ });
    t.is(await readFile(path, 'utf8'), damaged);
  }
});
