import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { IMAGES, type ImageDocument } from '../../firmware/index.js';
import { type Collection, openLmdbStore } from '../../store/index.js';
import { ferry, nbi, serve, temporaryDirectory } from './support.js';

/** Runs commands on an installation of their own, with the organization north. */
async function withNorth(t: ExecutionContext) {
  const directory = await temporaryDirectory(t);
  const dataDir = join(directory, 'data');
  const run = async (...args: readonly string[]) => {
    const { exitCode, stdout, stderr } = await ferry([...args, `--data-dir=${dataDir}`]);
    t.is(exitCode, 0, stderr);
    return stdout;
  };
  const refused = async (...args: readonly string[]) => {
    const { exitCode, stderr } = await ferry([...args, `--data-dir=${dataDir}`]);
    t.is(exitCode, 1, stderr);
    return stderr;
  };
  const image = async (content: string) => {
    const path = join(directory, 'a.bin');
    await writeFile(path, content);
    return path;
  };
  await run('image', 'add', await image('shared'));
  await run('organization', 'add', 'north');
  return { dataDir, directory, run, refused, image };
}

const listed = (json: string) =>
  JSON.parse(json).map(({ id, sizeBytes, organization, ...others }: Record<string, unknown>) => {
    if ('name' in others) throw new Error('A script of today knows no name');
    return [id, sizeBytes, organization];
  });

test('image remove refuses what an enabled rule names, as HTTP does, unless it is forced', async (t) => {
  const directory = await temporaryDirectory(t);
  const dataDir = join(directory, 'data');
  const file = join(directory, 'a.bin');
  await writeFile(file, 'firmware');
  const run = (...words: readonly string[]) => ferry([...words, `--data-dir=${dataDir}`]);
  t.is((await run('image', 'add', file)).exitCode, 0);
  const ferryServer = await serve(t, dataDir, [], {
    environment: { FERRY_ADMIN_PASSWORD: 'a long password' },
  });
  const rules = '/v1/dyn/FirmwareStorage/.*';
  const rule = { id: 'UPGRADE_1', file: 'a.bin', condition: { productClass: 'HGW' } };
  const as = 'admin:a long password';
  t.is((await nbi(ferryServer, rules, as, 'POST', rule)).status, 200);
  const refused = await run('image', 'remove', 'a.bin');
  t.is(refused.exitCode, 1);
  t.is(
    refused.stderr,
    'ferry: Enabled rules name the image a.bin: UPGRADE_1. Disable them, or say --force.\n',
  );
  t.is((await run('image', 'remove', 'a.bin', '--force')).stdout, 'Removed a.bin.\n');
});

test('ferry image adds, lists and removes the images of an organization', async (t) => {
  const { run, refused, image } = await withNorth(t);
  // With none of organizations nothing says whose they are.
  t.notRegex(await run('image', 'list'), /Organization|shared/);
  t.regex(await run('image', 'add', await image('of north'), '--organization=north'), /^Added a\.bin, /);
  await run('image', 'add', await image('more'), '--name=b.bin', '--organization=north');
  await run('image', 'add', await image('other'), '--name=c.bin');
  t.deepEqual(listed(await run('image', 'list', '--json')), [
    ['a.bin', 6, undefined],
    ['c.bin', 5, undefined],
    ['a.bin', 8, 'north'],
    ['b.bin', 4, 'north'],
  ]);
  t.deepEqual(listed(await run('image', 'list', '--json', '--organization=north')), [
    ['a.bin', 8, 'north'],
    ['b.bin', 4, 'north'],
    ['c.bin', 5, undefined],
  ]);
  t.regex(await run('image', 'list'), /Organization.*a\.bin +│ shared.*a\.bin +│ north/s);
  t.is(
    await refused('image', 'remove', 'c.bin', '--organization=north'),
    'ferry: There is no image c.bin of north; ferry image list shows them.\n',
  );
  t.regex(await refused('image', 'remove', 'b.bin'), /There is no image b\.bin; /);
  await run('image', 'remove', 'a.bin', '--organization=north');
  await run('image', 'remove', 'a.bin');
  t.deepEqual(listed(await run('image', 'list', '--json')), [
    ['c.bin', 5, undefined],
    ['b.bin', 4, 'north'],
  ]);
  t.regex(await refused('image', 'list', '--organization=nobody'), /There is no organization nobody; /);
  t.regex(
    await refused('image', 'add', await image('x'), `--name=${'n'.repeat(91)}`, '--organization=north'),
    /at most 90 characters: this one has 91/,
  );
});

test('image sync copies an image of an organization to the organization of that slug, and says where there is none', async (t) => {
  const { dataDir, directory, run, image } = await withNorth(t);
  await run('image', 'add', await image('of north'), '--organization=north');
  const to = join(directory, 'to');
  const sync = () => ferry(['image', 'sync', '--json', `--from=${dataDir}`, `--to=${to}`]);
  const missing = await sync();
  t.is(missing.exitCode, 1);
  t.deepEqual(JSON.parse(missing.stdout).copied, ['a.bin']);
  t.regex(missing.stderr, /north\/a\.bin: where it is to be there is no organization north: add it first/);
  t.is((await ferry(['organization', 'add', 'north', `--data-dir=${to}`])).exitCode, 0);
  t.deepEqual(JSON.parse((await sync()).stdout), {
    copied: ['north/a.bin'],
    unchanged: ['a.bin'],
    unsigned: [],
    failed: [],
  });
  t.deepEqual(JSON.parse((await sync()).stdout).unchanged, ['a.bin', 'north/a.bin']);
  const there = await ferry(['image', 'list', '--json', '--organization=north', `--data-dir=${to}`]);
  t.deepEqual(listed(there.stdout), [['a.bin', 8, 'north']]);
});

test('image sync copies what waits to be listed as that', async (t) => {
  const { dataDir, directory } = await withNorth(t);
  const to = join(directory, 'to');
  const stored = async <T>(
    where: string,
    work: (images: Collection<ImageDocument>) => Promise<T>,
  ): Promise<T> => {
    const store = await openLmdbStore({ directory: join(where, 'store') });
    try {
      return await work(store.collection<ImageDocument>(IMAGES));
    } finally {
      await store.close();
    }
  };
  await stored(dataDir, async (images) => {
    const found = await images.get('a.bin');
    if (found !== null) await images.put({ ...found.document, unlistedAtMs: 1 });
  });
  const { exitCode, stderr } = await ferry(['image', 'sync', `--from=${dataDir}`, `--to=${to}`]);
  t.is(exitCode, 0, stderr);
  const copy = await stored(to, (images) => images.get('a.bin'));
  // From when it came there.
  t.is(copy?.document.unlistedAtMs, copy?.document.uploadedAtMs ?? -1);
});
