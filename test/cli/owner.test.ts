import { chown, link, lstat, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import test from 'ava';
import { giveToOwner } from '../../cli/owner.js';
import { ferry, temporaryDirectory } from './support.js';

const UID = 54_321;
/** Only root can make files that are another's. */
const asRoot = process.getuid?.() === 0 ? test : test.skip;

async function ownersIn(directory: string): Promise<ReadonlySet<number>> {
  const entries = await readdir(directory, { recursive: true });
  return new Set(await Promise.all(entries.map(async (name) => (await lstat(join(directory, name))).uid)));
}

asRoot("what a command of root's writes in the data directory of another is that one's", async (t) => {
  const directory = await temporaryDirectory(t);
  const dataDir = join(directory, 'data');
  await mkdir(dataDir, { mode: 0o700 });
  await chown(dataDir, UID, UID);
  const image = join(directory, 'x.bin');
  await writeFile(image, 'firmware');
  const { exitCode, stderr } = await ferry(['image', 'add', image, `--data-dir=${dataDir}`]);
  t.is(exitCode, 0, stderr);
  t.true((await readdir(join(dataDir, 'images', 'content'))).length > 0);
  t.deepEqual(await ownersIn(dataDir), new Set([UID]));
  t.is((await lstat(image)).uid, 0, 'nothing else is given away');
});

asRoot(
  'what is of a third user stays so, and no link is followed, nor given what has another name elsewhere',
  async (t) => {
    const directory = await temporaryDirectory(t);
    const outside = join(await temporaryDirectory(t), 'outside');
    await writeFile(outside, '');
    await chown(directory, UID, UID);
    await writeFile(join(directory, 'third'), '');
    await chown(join(directory, 'third'), 12_345, 12_345);
    await symlink(outside, join(directory, 'link'));
    await symlink(join(outside, '..'), join(directory, 'elsewhere'));
    await link(outside, join(directory, 'second-name'));
    await giveToOwner(directory);
    t.is((await lstat(join(directory, 'third'))).uid, 12_345);
    t.is((await lstat(outside)).uid, 0);
  },
);

test('a data directory that is not there, or whose owner is who runs the command, is left as it is', async (t) => {
  const directory = await temporaryDirectory(t);
  await writeFile(join(directory, 'file'), '');
  await giveToOwner(directory);
  await giveToOwner(join(directory, 'none'));
  t.deepEqual(await ownersIn(directory), new Set([process.getuid?.() ?? 0]));
});
