// Run by disk-contents.test.ts under a bound on the size of files: receives more than that from a sender that breaks off, and tells what became of it.
import process from 'node:process';
import { Readable } from 'node:stream';
import { ImageError, openDiskContents } from '../../firmware/index.js';
import { MEBIBYTE } from './support.js';

const told: (string | null)[] = [];
const contents = await openDiskContents(process.argv[2] ?? '', (failure) =>
  told.push(failure === null ? null : String(Reflect.get(failure, 'code'))),
);

async function* breakingOff(): AsyncGenerator<Buffer> {
  yield Buffer.alloc(MEBIBYTE);
  throw new Error('the sender has gone');
}

const options = { bytesMax: 64 * MEBIBYTE, idleMsMax: 60_000, by: 'tester' };
const error = await contents
  .receive(Readable.from(breakingOff()), options)
  .catch((thrown: unknown) => thrown);
console.log(JSON.stringify({ code: error instanceof ImageError ? error.code : String(error), told }));
