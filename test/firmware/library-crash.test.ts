import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { PassThrough, Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { DAY_MS, ownProcessMark, silentLogger, systemClock } from '../../common/index.js';
import { INCOMING_IMAGES_MAX } from '../../firmware/incoming.js';
import { ImageError, type ImageLibrary, openDiskContents, openImageLibrary } from '../../firmware/index.js';
import { openLmdbStore, type Store, StoreError } from '../../store/index.js';
import { until } from '../support/ferry.js';
import { contentOf, MEBIBYTE, openTestLibrary, randomContent, sha256Of, uploadOf } from './support.js';

const run = promisify(execFile);
const CHILD = fileURLToPath(new URL('./upload-child.js', import.meta.url));
const limits = { imageBytesMax: 64 * MEBIBYTE };

/** Lets a child upload until it has acknowledged `count` images and is in the middle of another, and kills it. */
async function uploadAndKill(
  count: number,
  ...[storeDirectory, directory, prefix]: [string, string, string]
): Promise<Map<string, string>> {
  const child = spawn(process.execPath, [CHILD, storeDirectory, directory, prefix], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const acknowledged = new Map<string, string>();
  let isHalf = false;
  for await (const line of createInterface(child.stdout)) {
    const [name = '', sha256] = line.split(' ');
    if (sha256 === undefined) isHalf = true;
    else acknowledged.set(name, sha256);
    if (isHalf && acknowledged.size >= count) child.kill('SIGKILL');
  }
  const [, signal] = await exited;
  if (signal !== 'SIGKILL') throw new Error(`The child ended by itself (${signal})`);
  return acknowledged;
}

async function isWhole(library: ImageLibrary, name: string, sha256: string): Promise<boolean> {
  const image = await library.get(name);
  return image !== null && sha256Of(await contentOf(library, image)) === sha256;
}

test('after kill -9 in mid-upload every acknowledged image is whole, the half one is not there, and cleanUp removes its bytes', async (t) => {
  const storeDirectory = await mkdtemp(join(tmpdir(), 'ferry-store-'));
  const directory = await mkdtemp(join(tmpdir(), 'ferry-images-'));
  const acknowledged = new Map<string, string>();
  for (const [round, count] of [1, 4, 9].entries()) {
    const fresh = await uploadAndKill(count, storeDirectory, directory, `r${round}`);
    for (const [name, sha256] of fresh) acknowledged.set(name, sha256);
  }
  const store = await openLmdbStore({ directory: storeDirectory });
  t.teardown(async () => {
    await store.close();
    await rm(storeDirectory, { recursive: true, force: true });
    await rm(directory, { recursive: true, force: true });
  });
  const clock = () => Date.now() + DAY_MS;
  const contents = await openDiskContents(directory);
  const library = openImageLibrary({ contents, store, limits, clock, logger: silentLogger });
  for (const [name, sha256] of acknowledged) t.true(await isWhole(library, name, sha256), name);
  const { items } = await library.list({ limit: 1_000 });
  for (const image of items) t.true(await isWhole(library, image.id, image.sha256), image.id);
  t.deepEqual(
    items.filter((image) => image.id.endsWith('-half')),
    [],
  );
  t.true((await readdir(join(directory, 'incoming'))).length >= 3);

  await library.cleanUp();

  t.deepEqual(await readdir(join(directory, 'incoming')), []);
  const files = await readdir(join(directory, 'content'));
  t.deepEqual(files.sort(), items.map((image) => image.contentFile).sort());
});

test('parts of uploads that were killed go at the next start, however young, and those of a process that still uploads stay', async (t) => {
  const storeDirectory = await mkdtemp(join(tmpdir(), 'ferry-store-'));
  const directory = await mkdtemp(join(tmpdir(), 'ferry-images-'));
  const store = await openLmdbStore({ directory: storeDirectory });
  t.teardown(async () => {
    await store.close();
    await rm(storeDirectory, { recursive: true, force: true });
    await rm(directory, { recursive: true, force: true });
  });
  const contents = await openDiskContents(directory);
  const library = openImageLibrary({ contents, store, limits, clock: systemClock, logger: silentLogger });
  const parts = () => readdir(join(directory, 'incoming'));
  const own = new PassThrough();
  own.write('half');
  const uploading = library.upload(uploadOf('own', own));
  await until('there is a part of it', async () => (await parts()).length > 0);
  const ownPart = await parts();
  await uploadAndKill(1, storeDirectory, directory, 'r');
  t.true((await parts()).length > 1);
  await library.cleanUp();
  t.deepEqual(await parts(), ownPart);
  own.end();
  t.is((await uploading).outcome, 'created');
});

test('what is incoming is bounded in all: what killed processes left makes room, and what may be under way does not', async (t) => {
  const imageBytesMax = 1_000;
  const { library, directory } = await openTestLibrary(t, { imageBytesMax });
  const [place, processes, pid, start] = (await ownProcessMark()).split('-');
  const leave = (count: number, mark: string) =>
    Promise.all(
      Array.from({ length: count }, () =>
        writeFile(
          join(directory, 'incoming', `${randomBytes(16).toString('hex')}.${mark}`),
          randomContent(1_000),
        ),
      ),
    );
  await leave(20, [place, processes, pid, `${Number(start) + 1}`].join('-'));
  t.is((await library.upload(uploadOf('a', randomContent(900)))).outcome, 'created');
  t.deepEqual(await readdir(join(directory, 'incoming')), []);
  await leave(INCOMING_IMAGES_MAX, [place, '0'.repeat(12), pid, start].join('-'));
  const refused = library.upload(uploadOf('b', randomContent(900), { sizeBytes: 900 }));
  t.like(await t.throwsAsync(refused, { instanceOf: ImageError }), { code: 'no-space' });
  t.is((await readdir(join(directory, 'incoming'))).length, INCOMING_IMAGES_MAX);
});

test('uploads at once never take more together than the bound, nor one user’s more than half of it', async (t) => {
  const { library, directory } = await openTestLibrary(t, { imageBytesMax: 1_000 });
  const begin = (name: string, users: readonly string[], sizeBytes?: number) => {
    const ended: unknown[] = [];
    const contents = users.map((uploadedBy, index) => {
      const content = new PassThrough();
      const more = sizeBytes === undefined ? {} : { sizeBytes };
      void library.upload(uploadOf(`${name}${index}`, content, { uploadedBy, ...more })).then(
        ({ outcome }) => ended.push(outcome),
        (error: unknown) => ended.push(error instanceof ImageError ? error.code : error),
      );
      return content;
    });
    return { ended, contents };
  };
  const refused = Array.from({ length: 4 }, () => 'no-space');
  const stored = Array.from({ length: INCOMING_IMAGES_MAX }, () => 'created');
  // Nothing has come of any of them.
  const users = Array.from({ length: 12 }, (_, index) => (index % 3 === 0 ? 'bob' : 'ann'));
  const announced = begin('announced', users, 1_000);
  await until('four are refused', () => announced.ended.length >= 4);
  t.deepEqual(announced.ended, refused);
  const another = library.upload(uploadOf('another', randomContent(900), { uploadedBy: 'eve' }));
  t.like(await t.throwsAsync(another, { instanceOf: ImageError }), { code: 'no-space' });
  for (const content of announced.contents) content.end(randomContent(1_000));
  await until('all have ended', () => announced.ended.length === 12);
  t.deepEqual(announced.ended, [...refused, ...stored]);
  const unknown = begin(
    'unknown',
    users.map((_, index) => `user${index}`),
  );
  for (const content of unknown.contents) content.write(randomContent(900));
  await until('four are refused', () => unknown.ended.length >= 4);
  for (const content of unknown.contents) content.end();
  await until('all have ended', () => unknown.ended.length === 12);
  t.deepEqual(unknown.ended, [...refused, ...stored]);
  t.deepEqual(await readdir(join(directory, 'incoming')), []);
});

/** A file system of one mebibyte; null where this user may not mount one (but CI must). */
async function mountSmall(t: ExecutionContext): Promise<string | null> {
  const directory = await mkdtemp(join(tmpdir(), 'ferry-small-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  try {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', directory]);
  } catch (error) {
    if (process.env['CI'] === 'true') throw error;
    t.log(`Not tested, as mounting a tmpfs is not allowed here: ${error}`);
    return null;
  }
  t.teardown(() => run('umount', [directory]));
  return directory;
}

test('a full disk refuses an upload with no-space, leaves no part of it, and takes the next one that fits', async (t) => {
  const directory = await mountSmall(t);
  if (directory === null) {
    t.pass();
    return;
  }
  const { library } = await openTestLibrary(t, { directory });
  const kept = randomContent(300_000);
  await library.upload(uploadOf('kept', kept));

  const tooMuch = uploadOf('big', randomContent(2 * MEBIBYTE));
  t.like(await t.throwsAsync(library.upload(tooMuch), { instanceOf: ImageError }), { code: 'no-space' });

  t.is(await library.get('big'), null);
  t.deepEqual(await readdir(join(directory, 'incoming')), []);
  t.true(await isWhole(library, 'kept', sha256Of(kept)));
  t.is((await library.upload(uploadOf('small', randomContent(500_000)))).outcome, 'created');
});

test('an upload announced larger than the free space is refused unread', async (t) => {
  const directory = await mountSmall(t);
  if (directory === null) {
    t.pass();
    return;
  }
  const { library } = await openTestLibrary(t, { directory });
  const content = new PassThrough();
  const announced = uploadOf('big', content, { sizeBytes: 2 * MEBIBYTE });
  t.like(await t.throwsAsync(library.upload(announced), { instanceOf: ImageError }), { code: 'no-space' });
  t.false(content.destroyed);
});

/** The same store, but that a commit fails: before it is done, or after. */
function failing(store: Store, code: 'no-space' | 'unavailable'): Store {
  return {
    collection: (definition) => store.collection(definition),
    clear: (definition) => store.clear(definition),
    load: (definition, documents) => store.load(definition, documents),
    inspect: () => store.inspect(),
    sizeBytes: () => store.sizeBytes(),
    damage: store.damage,
    close: () => store.close(),
    async commit(changes) {
      if (code === 'unavailable') await store.commit(changes);
      throw new StoreError(code, 'the test says so');
    },
  };
}

test('a store without room refuses an upload with no-space and leaves no content behind', async (t) => {
  const { store, directory, contents } = await openTestLibrary(t);
  const full = failing(store, 'no-space');
  const library = openImageLibrary({
    contents,
    store: full,
    limits,
    clock: systemClock,
    logger: silentLogger,
  });
  const upload = uploadOf('a', Readable.from([Buffer.from('content')]));
  t.like(await t.throwsAsync(library.upload(upload), { instanceOf: ImageError }), { code: 'no-space' });
  t.deepEqual(await readdir(join(directory, 'content')), []);
});

test('where the store cannot say whether a commit was done, the content stays', async (t) => {
  const { store, contents, library } = await openTestLibrary(t);
  const uncertain = failing(store, 'unavailable');
  const other = openImageLibrary({
    contents,
    store: uncertain,
    limits,
    clock: systemClock,
    logger: silentLogger,
  });
  const content = Buffer.from('content');
  await t.throwsAsync(other.upload(uploadOf('a', content)), { instanceOf: StoreError });
  t.true(await isWhole(library, 'a', sha256Of(content)));
});
