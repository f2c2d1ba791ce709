import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { WrittenBehind } from '../../firmware/written-behind.js';
import { temporaryDirectory } from '../cli/support.js';
import { MEBIBYTE, randomContent } from './support.js';

async function openFile(t: ExecutionContext, flags: string) {
  const path = join(await temporaryDirectory(t), 'content');
  const file = await open(path, flags);
  t.teardown(() => file.close());
  return { path, file };
}

test('what is given is in the file once it has ended, in order, whatever its portions and however often it is flushed', async (t) => {
  const { path, file } = await openFile(t, 'wx');
  const content = randomContent(20 * MEBIBYTE + 1);
  const written = new WrittenBehind(file);
  let at = 0;
  for (let size = 1; at < content.length; size = (size * 3) % 3_000_001) {
    await written.write(content.subarray(at, at + size));
    at += size;
  }
  await written.end();
  t.true((await readFile(path)).equals(content));
});

test('a write that fails is told of to whoever writes next, or ends; and is kept for whoever asks', async (t) => {
  const { path } = await openFile(t, 'wx');
  const readOnly = await open(path, 'r');
  t.teardown(() => readOnly.close());
  for (const next of ['write', 'end'] as const) {
    const written = new WrittenBehind(readOnly);
    await written.write(Buffer.from('first'));
    await t.throwsAsync(next === 'end' ? written.end() : written.write(Buffer.from('second')), {
      code: 'EBADF',
    });
    t.like(await written.failure(), { code: 'EBADF' });
  }
  const fine = new WrittenBehind(readOnly);
  t.is(await fine.failure(), null);
  t.is((await readFile(path)).length, 0);
});
