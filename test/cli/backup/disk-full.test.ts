import { execFileSync } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { BackupError } from '../../../cli/backup/format.js';
import { restoreBackup, verifyBackup } from '../../../cli/backup/restore.js';
import { refuseHalfRestored } from '../../../cli/backup/restoring.js';
import { writeBackup } from '../../../cli/backup/write.js';
import { silentLogger, systemClock } from '../../../common/index.js';
import { BY } from '../../support/actor.js';
import { openTestInstallation, populate } from '../../support/installation.js';
import { temporaryDirectory } from '../support.js';
import { compareStores } from './compare.js';

const WHOLE = { ferryVersion: '0', images: true, key: null, mustBeAtRest: false, onDocument() {} };
const CPES = 1_000;

/** A small file system of the test's own, or null where mounting one is not allowed. */
async function smallDisk(t: ExecutionContext, size: string): Promise<string | null> {
  const path = join(await temporaryDirectory(t), 'small');
  await mkdir(path);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path], { stdio: 'pipe' });
  } catch (error) {
    if (process.env['CI'] === 'true') throw error;
    t.log(`Not tested, as mounting a tmpfs is not allowed here: ${error}`);
    t.pass();
    return null;
  }
  t.teardown(() => execFileSync('umount', ['-l', path]));
  return path;
}

test('a backup that does not fit is refused in words, and no part of it stays', async (t) => {
  const small = await smallDisk(t, '200k');
  if (small === null) return;
  const installation = await openTestInstallation(await temporaryDirectory(t));
  t.teardown(() => installation.close());
  await populate(installation, 10);
  await t.throwsAsync(writeBackup(join(small, 'b'), installation, WHOLE), {
    instanceOf: BackupError,
    message: /^There is no room for the backup in .*small: make some, or write it elsewhere\.$/,
  });
  t.deepEqual(await readdir(small), []);
});

test('a restore onto a disk that runs full is not taken for whole, and goes to its end when there is room', async (t) => {
  const small = await smallDisk(t, '2m');
  if (small === null) return;
  const directory = await temporaryDirectory(t);
  const secretFile = join(directory, 'key');
  const from = await openTestInstallation(join(directory, 'from'), { secretFile });
  await populate(from, CPES);
  const file = join(directory, 'b');
  await writeBackup(file, from, WHOLE);
  const backup = await verifyBackup(file, null, () => {});
  const to = await openTestInstallation(join(small, 'to'), { secretFile });
  const restore = () =>
    restoreBackup(file, backup, to, {
      by: BY,
      overwrite: false,
      freeze: false,
      onDocument() {},
      clock: systemClock,
      logger: silentLogger,
    });
  await t.throwsAsync(restore, { message: /no space left|no room/i });
  await t.throwsAsync(refuseHalfRestored(to.store), { message: /was cut off/ });
  execFileSync('mount', ['-o', 'remount,size=64m', small]);
  await restore();
  await refuseHalfRestored(to.store);
  await compareStores(t, from, to);
});
