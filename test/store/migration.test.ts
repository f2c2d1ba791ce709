import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { open } from 'lmdb';
import { type Db, MongoClient } from 'mongodb';
import { openLmdbStore, openMongoStore, type Store, StoreError } from '../../store/index.js';
import { bringFormat } from '../../store/lmdb/format.js';
import { metaKey, type Trees } from '../../store/lmdb/layout.js';
import { bringSchema } from '../../store/mongo/catalog.js';
import { META, type StoredRecord } from '../../store/mongo/layout.js';
import { mongodbUrl, testDatabase, urlOfDatabase } from '../support/mongodb.js';
import { ids, THINGS, type Thing } from './things.js';

/** What a store of the version before would hold; that version kept revision and document the other way round. */
const KEPT: readonly Thing[] = Array.from({ length: 50 }, (_, at) => ({
  id: `d${at}`,
  n: at,
  tags: ['all', at % 3],
}));

async function fill(store: Store): Promise<void> {
  await store.load(THINGS, KEPT);
  await store.close();
}

async function holdsAll(t: ExecutionContext, store: Store, migratedFrom: number): Promise<void> {
  const things = store.collection<Thing>(THINGS);
  t.deepEqual(
    (await things.getMany(KEPT.map(({ id }) => id))).map((stored) => stored?.document),
    KEPT,
  );
  t.is((await ids(things, { index: 'tags', equals: ['all'] })).length, KEPT.length);
  t.true((await things.put({ id: 'new' })) > 0);
  t.like(await store.inspect(), { schemaVersion: 1, migratedFrom });
  await store.close();
}

async function temporary(t: ExecutionContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'ferry-migration-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Runs `act` on the trees of a store that nobody else has open. */
async function withTrees(directory: string, act: (trees: Trees) => Promise<unknown>): Promise<void> {
  const root = open<string, Buffer>({
    path: directory,
    noSubdir: false,
    encoding: 'string',
    keyEncoding: 'binary',
  });
  const tree = (name: string) =>
    root.openDB<string, Buffer>(name, { encoding: 'string', keyEncoding: 'binary' });
  try {
    await act({ root, documents: tree('documents'), indexes: tree('indexes'), meta: tree('meta') });
  } finally {
    await root.close();
  }
}

/** Every record, its two parts in the other order. */
function turn({ documents }: Trees, swap: (record: string) => string): void {
  for (const { key, value } of [...documents.getRange({})]) documents.putSync(key, swap(value));
}

const toOlder = (record: string) => record.replace(/^(\d+)\n(.*)$/s, '$2\n$1');
const toNewer = (record: string) => record.replace(/^(.*)\n(\d+)$/s, '$2\n$1');

test('lmdb: an older layout is refused without its migration, brought forward with it, and then read like any other', async (t) => {
  const directory = await temporary(t);
  await fill(await openLmdbStore({ directory }));
  await withTrees(directory, async (trees) => {
    turn(trees, toOlder);
    await trees.meta.put(metaKey('format'), '0');
  });
  await t.throwsAsync(openLmdbStore({ directory }), {
    instanceOf: StoreError,
    message: /format 0, this version of Ferry knows 1/,
  });
  await withTrees(directory, async (trees) => {
    const write = async <R>(change: (within: Trees) => R) => trees.root.transactionSync(() => change(trees));
    const killed = () => {
      turn(trees, toNewer);
      throw new Error('killed');
    };
    await t.throwsAsync(bringFormat(trees, write, 1, [{ from: 0, run: killed }]), { message: 'killed' });
    t.is(trees.meta.get(metaKey('format')), '0');
    t.is(await bringFormat(trees, write, 1, [{ from: 0, run: (within) => turn(within, toNewer) }]), 0);
  });
  await holdsAll(t, await openLmdbStore({ directory }), 1);
});

function define(url: string): void {
  test('mongodb: an older layout is refused without its migration, brought forward with it, also after one was cut off and by two nodes at once', async (t) => {
    const name = testDatabase(t, url);
    const at = urlOfDatabase(url, name);
    await fill(await openMongoStore({ url: at }));
    const client = new MongoClient(url);
    t.teardown(() => client.close());
    const database = client.db(name);
    const records = database.collection<StoredRecord>('things');
    await records.updateMany({ d: { $exists: true } }, { $rename: { d: 'json' } });
    const meta = database.collection<StoredRecord>(META);
    await meta.updateOne({ _id: 'schema' }, { $set: { version: 0 } });
    await t.throwsAsync(openMongoStore({ url: at }), {
      instanceOf: StoreError,
      message: /schema version 0, this version of Ferry knows 1/,
    });
    let runs = 0;
    const run = async (db: Db) => {
      // Half of it, as one that is killed leaves it; the others find that half done.
      const isFirst = runs++ === 0;
      const older = { json: { $exists: true }, ...(isFirst && { _id: { $lt: 'd3' } }) };
      await db.collection<StoredRecord>('things').updateMany(older, { $rename: { json: 'd' } });
      if (isFirst) throw new Error('killed');
    };
    await t.throwsAsync(bringSchema(database, 1, [{ from: 0, run }]), { message: 'killed' });
    t.is((await meta.findOne({ _id: 'schema' }))?.['version'], 0);
    t.true((await records.countDocuments({ json: { $exists: true } })) > 0);
    const both = [bringSchema(database, 1, [{ from: 0, run }]), bringSchema(database, 1, [{ from: 0, run }])];
    t.true((await Promise.all(both)).includes(0));
    t.is((await meta.findOne({ _id: 'schema' }))?.['version'], 1);
    await holdsAll(t, await openMongoStore({ url: at }), 1);
  });
}

const url = mongodbUrl();
if (url !== null) define(url);
