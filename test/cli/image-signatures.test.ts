import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { DEVICES } from '../../acs/device/device.js';
import type { Device } from '../../acs/index.js';
import { openLmdbStore } from '../../store/index.js';
import { newSigner } from '../firmware/signatures/signer.js';
import { deviceOf } from '../nbi/support.js';
import { ferry, nbi, serve, temporaryDirectory } from './support.js';

const CONTENT = Buffer.from('the bytes of a firmware image');

/** Files of somebody who signs, and commands on an installation of their own. */
async function begun(t: ExecutionContext) {
  const directory = await temporaryDirectory(t);
  const dataDir = join(directory, 'data');
  const signer = newSigner();
  const file = async (name: string, content: string | Buffer) => {
    await writeFile(join(directory, name), content);
    return join(directory, name);
  };
  const files = {
    image: await file('a.bin', CONTENT),
    key: await file('minisign.pub', signer.minisignPub),
    signature: await file('a.bin.minisig', signer.minisig(CONTENT, 'ED', 'version 2')),
    another: await file('b.bin.minisig', signer.minisig(Buffer.from('other bytes'))),
  };
  const run = async (...args: readonly string[]) => {
    const { exitCode, stdout, stderr } = await ferry([...args, `--data-dir=${dataDir}`]);
    return { exitCode, told: exitCode === 0 ? stdout : stderr };
  };
  return { dataDir, signer, files, run };
}

test('ferry image key, add --signature, verify and gc do what they say', async (t) => {
  const { signer, files, run } = await begun(t);
  const steps: readonly (readonly [args: readonly string[], exitCode: number, told: RegExp])[] = [
    [
      ['key', 'add', 'release', files.key],
      0,
      new RegExp(`^Added release, ${signer.keyId} \\(minisign\\)\n$`),
    ],
    [['key', 'add', 'release', files.key], 0, /^Unchanged: release/],
    [['key', 'list'], 0, /Name +│ For +│ Number[\s\S]*release │ all /],
    [
      ['add', files.image, `--signature=${files.another}`],
      1,
      /by the key \w+ it is not a signature of this content/,
    ],
    [['add', files.image], 0, /^Added a\.bin/],
    [['verify', 'a.bin'], 1, /the signature is refused: there is none/],
    [
      ['add', files.image, `--signature=${files.signature}`],
      0,
      /^Unchanged: a\.bin[\s\S]*Signed by release \(\w+, minisign\), with the comment: version 2/,
    ],
    [['verify', 'a.bin'], 0, /^a\.bin has the bytes that came, SHA-256 \w+\nSigned by release /],
    [['key', 'remove', 'release'], 0, /^Removed release\.\n$/],
    [['key', 'remove', 'release'], 1, /There is no key release/],
    [['verify', 'a.bin'], 1, /there are no keys by which it could be verified/],
    [['gc'], 0, /a\.bin │ added lately[\s\S]*\n0 images removed \(0 B\), 1 stay\.\n$/],
    [['gc', '--unused-for=0d', '--dry-run'], 0, /a\.bin │ would be removed[\s\S]*\n1 image would be removed/],
    [['gc', '--unused-for=soon'], 2, /--unused-for must be a number of days/],
    [['gc', '--unused-for=0', '--json'], 0, /"removed": \[\s*\{\s*"name": "a\.bin"/],
    [['list'], 0, /^No images yet/],
  ];
  for (const [args, exitCode, told] of steps) {
    const ended = await run('image', ...args);
    t.is(ended.exitCode, exitCode, `${args.join(' ')}: ${ended.told}`);
    t.regex(ended.told, told, args.join(' '));
  }
});

test('a server that is told to requires signatures of all rules, by the images that it has', async (t) => {
  const { dataDir, files, run } = await begun(t);
  t.is((await run('image', 'add', files.image)).exitCode, 0);
  t.is((await run('image', 'key', 'add', 'release', files.key)).exitCode, 0);
  const environment = { FERRY_ADMIN_PASSWORD: 'a long password' };
  const served = await serve(t, dataDir, ['--require-signature'], { environment });
  const store = await openLmdbStore({ directory: join(dataDir, 'store') });
  await store.collection<Device>(DEVICES).put(deviceOf({ serialNumber: '1' }));
  await store.close();
  const rules = ['a.bin', 'http://files.example.net/a.bin'].map((file, index) => ({
    id: `r${index}`,
    file,
    target: { softwareVersion: '9' },
    condition: { productClass: 'HGW' },
  }));
  const ask = async (path: string, body: unknown) => {
    const answer = await nbi(served, path, 'admin:a long password', 'POST', body);
    t.is(answer.status, 200, JSON.stringify(answer));
    return JSON.stringify(answer);
  };
  await ask('/v1/dyn/FirmwareStorage/.*', rules);
  const explained = () => ask('/v1/method/ExplainRules', { cpe_id: '00A1B2-HGW-1' });
  t.regex(await explained(), /image has no signature[\s\S]*the file is elsewhere/);
  t.is((await run('image', 'add', files.image, `--signature=${files.signature}`)).exitCode, 0);
  t.regex(await explained(), /"kind\W+upgrade/);
  t.is((await run('image', 'key', 'remove', 'release')).exitCode, 0);
  t.regex(await explained(), /a key that does not hold any more/);
  const own = await run('rules', 'explain', '--cpe=00A1B2-HGW-1', '--require-signature');
  t.regex(own.told, /image-not-signed|does not hold/);
});

test('image sync takes a signature along where its key holds there too, at once or once it has been added', async (t) => {
  const { dataDir, files, run } = await begun(t);
  t.is((await run('image', 'key', 'add', 'release', files.key)).exitCode, 0);
  t.is((await run('image', 'add', files.image, `--signature=${files.signature}`)).exitCode, 0);
  const to = await temporaryDirectory(t);
  const sync = (...more: string[]) => ferry(['image', 'sync', `--from=${dataDir}`, `--to=${to}`, ...more]);
  const verified = async () => (await ferry(['image', 'verify', 'a.bin', `--data-dir=${to}`])).exitCode === 0;

  const without = await sync();
  t.is(without.exitCode, 0, without.stderr);
  t.regex(without.stdout, /^Copied 1 image; [\s\S]*\n1 image without the signature .*\n {2}a\.bin: /);
  t.false(await verified());
  const added = await ferry(['image', 'key', 'add', 'release', files.key, `--data-dir=${to}`]);
  t.is(added.exitCode, 0, added.stderr);
  const again = await sync('--json');
  t.deepEqual(JSON.parse(again.stdout), { copied: [], unchanged: ['a.bin'], unsigned: [], failed: [] });
  t.true(await verified());
});
