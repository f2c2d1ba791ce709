// Run as a process of its own by uploads-conformance.ts, which kills it: sends parts of an upload without end, or dies at a step of its validation.
import process from 'node:process';
import { Readable } from 'node:stream';
import { openDiskContents, SharedContents } from '../../../firmware/index.js';
import { openLmdbStore, openMongoStore } from '../../../store/index.js';
import { KNOWN_BYTES, knownContent, partFrom, saying, uploadsOver } from './support.js';

/** A place where it dies, or `part`: in the midst of a part. */
const [place = '', where = '', directory = ''] = process.argv.slice(2);

async function opened() {
  if (where.startsWith('mongodb')) {
    const store = await openMongoStore({ url: where, database: directory, timeoutMs: 60_000 });
    return { store, contents: new SharedContents(store.files) };
  }
  return { store: await openLmdbStore({ directory: where }), contents: await openDiskContents(directory) };
}

const die = () => process.kill(process.pid, 'SIGKILL');
const { store, contents } = await opened();
const move = contents.move.bind(contents);
contents.seal = async (...sealed) => {
  if (place === 'before seal') die();
  const isThere: boolean = await Object.getPrototypeOf(contents).seal.call(contents, ...sealed);
  if (place === 'after seal') die();
  return isThere;
};
contents.move = async (from, to) => {
  if (place === 'before move') die();
  await move(from, to);
  if (place === 'after move') die();
};

const content = knownContent(KNOWN_BYTES);
const { uploads } = uploadsOver(store, contents);
const { id } = await uploads.begin(saying('killed.bin', content.length));
const half = Math.floor(content.length / 2) + 1_234;
const outcome = await uploads.receive(id, null, ...partFrom(content, 0, half));
if (outcome.kind === 'waiting') console.log(`${id} ${outcome.upload.receivedBytes}`);

async function* midst(): AsyncGenerator<Buffer> {
  yield content.subarray(half, half + 500_000);
  // Long enough for it to be written, and to be told.
  setInterval(async () => {
    const { receivedBytes } = await uploads.get(id, null);
    if (receivedBytes > half) die();
  }, 50);
  for (let at = half + 500_000; ; at += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    yield content.subarray(at, at + 1);
  }
}

if (place === 'part') {
  const range = { part: { from: half, to: content.length - 1 }, totalBytes: content.length };
  await uploads.receive(id, null, range, Readable.from(midst()));
} else {
  await uploads.receive(id, null, ...partFrom(content, half));
}
