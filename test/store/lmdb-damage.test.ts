import { mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { openLmdbStore, type Store } from '../../store/index.js';
import { recordingLogger } from '../support/ferry.js';
import { overwrite } from '../support/store.js';
import { given, ids, rejects, SEQUENCED_THINGS, type Thing } from './things.js';

const META_LAST_PAGE_AT = 144;
const META_TRANSACTION_AT = 152;
const PAGE_BYTES = 4_096;

async function place(t: ExecutionContext): Promise<{ directory: string; file: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'ferry-damage-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  return { directory, file: join(directory, 'data.mdb') };
}

async function fill(directory: string, things: number): Promise<void> {
  const store = await openLmdbStore({ directory });
  await store.commit(
    Array.from({ length: things }, (_, at) =>
      store.collection<Thing>(SEQUENCED_THINGS).putting({ id: `t${at}`, n: at, s: `marker-${at}-` }),
    ),
  );
  await store.close();
}

test('a file that is shorter than its first pages say is refused before it is mapped, wherever it is cut', async (t) => {
  const { directory, file } = await place(t);
  await fill(directory, 500);
  const { size } = await stat(file);
  const whole = await readFile(file);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: size - 1 }), async (cutAt) => {
      await writeFile(file, whole);
      await truncate(file, cutAt);
      await rejects(
        t,
        openLmdbStore({ directory }),
        'unavailable',
        /data\.mdb is (cut short|damaged).*restore/,
      );
    }),
    { numRuns: 10, examples: [[size - 1], [Math.floor(size / 2)], [PAGE_BYTES], [2 * PAGE_BYTES], [1]] },
  );
  await writeFile(file, whole);
  const store = await openLmdbStore({ directory });
  t.is(await store.collection(SEQUENCED_THINGS).count(), 500);
  await store.close();
});

test('a sound file that ends in pages which were given back at once is opened, and one that ends before is not', async (t) => {
  const { directory, file } = await place(t);
  const store = await openLmdbStore({ directory });
  const things = store.collection<Thing>(SEQUENCED_THINGS);
  const missingPages = async () => {
    const bytes = await readFile(file);
    const [a = 0, b = 0] = [0, PAGE_BYTES].map((at) =>
      Number(bytes.readBigUInt64LE(at + META_TRANSACTION_AT)),
    );
    const last = Number(bytes.readBigUInt64LE((a > b ? 0 : PAGE_BYTES) + META_LAST_PAGE_AT));
    return last + 1 - bytes.length / PAGE_BYTES;
  };
  for (let round = 0; round < 10; round++) await things.put({ id: `a${round % 3}`, s: 'x'.repeat(30_000) });
  // A put and a delete that share a transaction: the pages of the document are taken and given back in one.
  for (let round = 0; round < 100 && (await missingPages()) === 0; round++) {
    await Promise.all([
      things.put({ id: 'big', s: 'y'.repeat(400_000 + round * 5_000) }),
      things.delete('big'),
    ]);
  }
  t.true((await missingPages()) > 0, 'such a file was made');
  await store.close();
  const again = await openLmdbStore({ directory });
  t.is(await again.collection(SEQUENCED_THINGS).count(), 3);
  await again.close();
  await truncate(file, (await stat(file)).size - PAGE_BYTES);
  await rejects(t, openLmdbStore({ directory }), 'unavailable', /data\.mdb is cut short/);
});

test('a file that says it has had more pages than there can be is cut short, and that is soon known', async (t) => {
  const { directory, file } = await place(t);
  await fill(directory, 50);
  const bytes = await readFile(file);
  for (const at of [0, PAGE_BYTES]) bytes.writeBigUInt64LE(2n ** 39n, at + META_LAST_PAGE_AT);
  await writeFile(file, bytes);
  await rejects(t, openLmdbStore({ directory }), 'unavailable', /data\.mdb is cut short/);
});

test('a file of another version of LMDB, and one whose first pages are blank, are refused by name', async (t) => {
  const { directory, file } = await place(t);
  await fill(directory, 5);
  const whole = await readFile(file);
  for (const [change, says] of [
    [(bytes: Buffer) => bytes.writeUInt16LE(3, 28), /data\.mdb is of version 3 of LMDB's files/],
    [(bytes: Buffer) => bytes.fill(0, 0, PAGE_BYTES), /data\.mdb is damaged or not a store/],
    [(bytes: Buffer) => bytes.fill(0, PAGE_BYTES, 2 * PAGE_BYTES), /data\.mdb is damaged or not a store/],
  ] as const) {
    const bytes = Buffer.from(whole);
    change(bytes);
    await writeFile(file, bytes);
    await rejects(t, openLmdbStore({ directory }), 'unavailable', says);
  }
});

async function withOneBad(t: ExecutionContext): Promise<{ store: Store; told: () => readonly unknown[] }> {
  const { directory, file } = await place(t);
  await fill(directory, 20);
  await overwrite(file, '"n":7,', '!!!!!!');
  const { logger, events } = recordingLogger();
  const store = await openLmdbStore({ directory, logger });
  t.teardown(() => store.close());
  return {
    store,
    told: () => events.filter(({ event }) => event === 'store.document-damaged').map(({ fields }) => fields),
  };
}

test('a document that cannot be read is left out of lists, and told of with its collection and id, once in a while', async (t) => {
  const { store, told } = await withOneBad(t);
  const things = store.collection<Thing>(SEQUENCED_THINGS);
  const others = Array.from({ length: 20 }, (_, at) => `t${at}`).filter((id) => id !== 't7');
  t.deepEqual((await ids(things, {})).sort(), others.sort());
  t.deepEqual((await ids(things, { index: 'n' })).sort(), others.sort());
  t.is(store.damage.documents, 1);
  t.is(told().length, 1);
  t.like(told()[0], { collection: 'things', id: 't7' });
});

test('what needs a document that cannot be read fails for it alone, and never takes it for missing', async (t) => {
  const { store } = await withOneBad(t);
  const things = store.collection<Thing>(SEQUENCED_THINGS);
  await rejects(t, things.get('t7'), 'damaged', /The document t7 of things is damaged/);
  await rejects(t, things.getMany(['t6', 't7']), 'damaged', /is damaged/);
  await rejects(t, store.commit([things.counting('t7', { n: 1 })]), 'damaged', /is damaged/);
  const side = await Promise.allSettled([things.put({ id: 't7', n: 1 }), things.put({ id: 't8', n: 88 })]);
  t.deepEqual(
    side.map(({ status }) => status),
    ['rejected', 'fulfilled'],
  );
  t.is(given(await things.get('t8')).document.n, 88);
  t.is(await things.insert({ id: 't7' }), null);
});

test('an index that is made over a document that cannot be read has all the others', async (t) => {
  const { directory, file } = await place(t);
  await fill(directory, 20);
  await overwrite(file, '"n":7,', '!!!!!!');
  const store = await openLmdbStore({ directory });
  t.teardown(() => store.close());
  const indexes = { ...SEQUENCED_THINGS.indexes, renewed: ['n', 's'] };
  const things = store.collection<Thing>({ ...SEQUENCED_THINGS, indexes });
  t.is((await ids(things, { index: 'renewed' })).length, 19);
});

test('a damaged page keeps nobody from what other pages hold: neither readers after it nor commits beside it', async (t) => {
  const { directory, file } = await place(t);
  await fill(directory, 20);
  const bytes = await readFile(file);
  for (let at = 2 * PAGE_BYTES; at < bytes.length; at += PAGE_BYTES) {
    const page = bytes.subarray(at, at + PAGE_BYTES);
    const isOfIndexes = page.includes('t19') && !page.includes('{"id":"');
    if (isOfIndexes) page.fill(0);
  }
  await writeFile(file, bytes);
  const store = await openLmdbStore({ directory });
  t.teardown(() => store.close());
  const things = store.collection<Thing>(SEQUENCED_THINGS);
  for (let round = 0; round < 3; round++) {
    await rejects(t, ids(things, { index: 'n' }), 'damaged', /The store is damaged where things is read/);
    t.is((await ids(things, {})).length, 20);
    t.is(given(await things.get('t8')).document.n, 8);
  }
  // They share a transaction; only the first has entries of indexes to change.
  const onIt = things.put({ id: 't2', n: 222 });
  const beside = things.put({ id: 't3', n: 3, s: 'marker-3-', deep: 'changed' });
  await rejects(t, onIt, 'damaged', /The store is damaged where .* is written/);
  t.not(await beside, null);
  t.is(given(await things.get('t3')).document.deep, 'changed');
});
