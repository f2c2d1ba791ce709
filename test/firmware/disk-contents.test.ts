import { execFile } from 'node:child_process';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { ImageError, openDiskContents } from '../../firmware/index.js';
import { temporaryDirectory } from '../cli/support.js';
import { MEBIBYTE } from './support.js';

const CHILD = fileURLToPath(new URL('./full-disk-child.js', import.meta.url));

test('a disk that takes no more is told of, whatever its sender does at that moment', async (t) => {
  const command = ['-c', 'ulimit -f 128 && exec "$@"', 'sh', process.execPath, CHILD];
  const { stdout } = await promisify(execFile)('sh', [...command, await temporaryDirectory(t)]);
  t.deepEqual(JSON.parse(stdout), { code: 'no-space', told: ['EFBIG'] });
});

test('what other processes receive meanwhile counts for one that is long, also where its size was announced', async (t) => {
  const directory = await temporaryDirectory(t);
  const contents = await openDiskContents(directory);
  const sizeBytes = 80 * MEBIBYTE;
  async function* meanwhile(): AsyncGenerator<Buffer> {
    const portion = Buffer.alloc(MEBIBYTE);
    for (let sent = 0; sent < 60; sent++) yield portion;
    // As large as all may be together, and empty: another process has it open.
    const others = await open(join(directory, 'incoming', `${'0'.repeat(32)}.p1`), 'wx');
    await others.truncate(8 * sizeBytes);
    await others.close();
    for (let sent = 60; sent < 80; sent++) yield portion;
  }
  const options = { bytesMax: sizeBytes, sizeBytes, idleMsMax: 60_000, by: 'tester' };
  const error = await t.throwsAsync(contents.receive(Readable.from(meanwhile()), options));
  t.true(error instanceof ImageError && error.code === 'no-space', String(error));
  t.is((await readdir(join(directory, 'incoming'))).length, 1, 'nothing is left of it but of the other');
});
