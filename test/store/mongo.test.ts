import test, { type ExecutionContext } from 'ava';
import { type Document as BsonDocument, MongoClient } from 'mongodb';
import { type LogFields, type Logger, silentLogger } from '../../common/index.js';
import {
  type Collection,
  type MongoStoreOptions,
  openMongoStore,
  type Store,
  StoreError,
} from '../../store/index.js';
import { bringSchema } from '../../store/mongo/catalog.js';
import { mongodbUrl, portOf, proxiedUrl, readableTest, testDatabase } from '../support/mongodb.js';
import { commandReader, explainable } from '../support/mongodb-commands.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { conformance } from './conformance.js';
import { given, ids, PASSING_THINGS, THINGS, type Thing } from './things.js';

/** Whether a store is right is asked here, not how fast it is. */
const TIMEOUT_MS = 60_000;
const url = mongodbUrl();
const plainTest = readableTest(url);

function open(
  t: ExecutionContext,
  database: string,
  options: Partial<MongoStoreOptions> = {},
): Promise<Store> {
  return openMongoStore({ url: given(url), database, timeoutMs: TIMEOUT_MS, ...options }).then((store) => {
    t.teardown(() => store.close());
    return store;
  });
}

async function driver(t: ExecutionContext): Promise<MongoClient> {
  const client = new MongoClient(given(url));
  t.teardown(() => client.close());
  return client.connect();
}

function define(): void {
  plainTest('every find uses an index, and none sorts', async (t) => {
    const database = testDatabase(t, given(url));
    const proxy = await startTcpProxy(t, portOf(given(url)));
    const commands: BsonDocument[] = [];
    const read = commandReader((command) => commands.push(command));
    proxy.onRequest = (bytes, client) => {
      read(bytes, client);
      return true;
    };
    const store = await open(t, database, { url: proxiedUrl(given(url), proxy.port) });
    const things = store.collection<Thing>({ ...THINGS, sequenced: true });
    await store.commit(
      Array.from({ length: 50 }, (_, at) =>
        things.putting({ id: `d${at}`, n: at, s: `${at % 3}`, tags: [at, 'all', at % 5] }),
      ),
    );
    await store.commit([things.requiring('none', null), things.counting('d1', { n: 1 })]);
    await things.get('d1');
    await things.getMany(['d1', 'd2']);
    await things.sequence();
    for (const order of ['ascending', 'descending'] as const) {
      for (const index of ['id', ...Object.keys(THINGS.indexes)]) {
        const first = await things.find({ index, order, limit: 5 });
        if (first.next !== null) await things.find({ index, order, limit: 5, after: first.next });
        await things.find({ index, order, atLeast: 'a', below: 'x', limit: 5 });
        await things.find({ index, order, equals: ['all'], limit: 5 });
        await things.count({ index });
        await things.count({ index, prefix: 'x'.repeat(300) });
      }
    }
    await Promise.all([1, 2, 3].map((n) => things.find({ index: 'n', equals: [n], limit: 5 })));
    await Promise.all(['d1', 'd2'].map((id) => things.get(id)));
    const direct = (await driver(t)).db(database);
    const finds = commands.filter((command) => 'find' in command || 'aggregate' in command);
    t.true(finds.length > 80);
    for (const command of finds) {
      const plan = await direct.command({ explain: explainable(command), verbosity: 'queryPlanner' });
      const text = JSON.stringify(plan['queryPlanner'] ?? plan['stages'] ?? plan);
      t.notRegex(text, /COLLSCAN/, JSON.stringify(command));
      t.notRegex(text, /"stage":"SORT"/, JSON.stringify(command));
      t.regex(text, /IXSCAN|IDHACK|EXPRESS|COUNT_SCAN|EOF/, JSON.stringify(command));
    }
  });

  plainTest(
    'documents asked for at once are read in one request, and show what was committed before',
    async (t) => {
      const database = testDatabase(t, given(url));
      const proxy = await startTcpProxy(t, portOf(given(url)));
      const store = await open(t, database, { url: proxiedUrl(given(url), proxy.port) });
      const direct = (await open(t, database)).collection<Thing>(THINGS);
      const things = store.collection<Thing>(THINGS);
      const names = Array.from({ length: 20 }, (_, at) => `d${at}`);
      await store.commit(names.filter((_, at) => at % 2 === 0).map((id) => things.putting({ id })));
      const finds: BsonDocument[] = [];
      const read = commandReader((command) => {
        if ('find' in command) finds.push(command);
      });
      const asked: ReturnType<typeof things.get>[] = [];
      let isWritten = false;
      proxy.onRequest = async (bytes, client) => {
        read(bytes, client);
        if (isWritten || finds.length === 0) return true;
        isWritten = true;
        // The request is on its way: what is asked for from now on must not join it.
        await direct.put({ id: 'd1', n: 'later' });
        asked.push(things.get('d1'));
        return true;
      };
      const found = await Promise.all([...names, 'd0'].map((id) => things.get(id)));
      t.deepEqual(
        found.filter((_, at) => at !== 1).map((stored) => stored?.document.id ?? null),
        [...names, 'd0'].map((id, at) => (at % 2 === 0 ? id : null)).filter((_, at) => at !== 1),
      );
      t.is(given(await given(asked[0])).document.n, 'later');
      t.is(finds.length, 2);
    },
  );

  plainTest(
    'commits of one passing change made at once are one request, without a transaction',
    async (t) => {
      const database = testDatabase(t, given(url));
      const proxy = await startTcpProxy(t, portOf(given(url)));
      const store = await open(t, database, { url: proxiedUrl(given(url), proxy.port) });
      const things = store.collection<Thing>(PASSING_THINGS);
      // So that there are revisions to give.
      await things.replace({ id: 'first' }, given(await things.insert({ id: 'first' })));
      const commands: BsonDocument[] = [];
      const read = commandReader((command) => commands.push(command));
      proxy.onRequest = (bytes, client) => {
        read(bytes, client);
        return true;
      };
      const names = Array.from({ length: 20 }, (_, at) => `d${at}`);
      const inserted = await Promise.all(names.map((id) => things.insert({ id })));
      const replaced = await Promise.all(names.map((id, at) => things.replace({ id }, given(inserted[at]))));
      t.true(
        (await Promise.all(names.map((id, at) => things.delete(id, given(replaced[at]))))).every(Boolean),
      );
      const writes = commands.filter((command) => command['lsid'] !== undefined && !('find' in command));
      t.deepEqual(
        writes
          .filter((command) => !('delete' in command))
          .map((command) => [Object.keys(command)[0], command['writeConcern'], command['startTransaction']]),
        [
          ['insert', { w: 1, j: false }, undefined],
          ['update', { w: 1, j: false }, undefined],
          ['update', { w: 1, j: false }, undefined],
        ],
      );
      await store.close();
      const records = (await driver(t)).db(database).collection(PASSING_THINGS.name);
      t.is(await records.countDocuments(), 1, 'marks of deleted documents are left');
    },
  );

  plainTest('a node that finds an index in the catalog writes its keys, also what is passing', async (t) => {
    const database = testDatabase(t, given(url));
    const old = (await open(t, database)).collection<Thing>(PASSING_THINGS);
    const before = given(await old.insert({ id: 'before', n: 1 }));
    const young = await open(t, database, { indexWaitMs: 1_500 });
    const after = young.collection<Thing>({ ...PASSING_THINGS, indexes: { tags: ['tags'] } });
    await after.count({ index: 'tags' });
    t.truthy(await old.replace({ id: 'before', tags: ['a', 'b'] }, before));
    t.truthy(await old.insert({ id: 'later', tags: ['a', 'c'] }));
    t.deepEqual(await ids(after, { index: 'tags', equals: ['a'] }), ['before', 'later']);
    t.is(await after.count({ index: 'tags' }), 2);
  });

  test.serial(
    'documents written before an index, or by a node that does not know of it yet, are found in it',
    async (t) => {
      const database = testDatabase(t, given(url));
      const old = await open(t, database);
      const before = old.collection<Thing>({ name: 'things', indexes: { n: ['n'] } });
      await old.commit(
        Array.from({ length: 450 }, (_, at) => before.putting({ id: `d${at}`, n: at, s: `s${at % 2}` })),
      );
      let running = true;
      let written = 0;
      const writing = (async () => {
        for (; running; written++)
          await before.put({ id: `later${written}`, n: 1, s: 's0', tags: ['a', 'b'] });
      })();
      const young = await open(t, database, { indexWaitMs: 2_000 });
      const after = young.collection<Thing>({ name: 'things', indexes: { s: ['s'], tags: ['tags'] } });
      await after.count({ index: 's' });
      running = false;
      await writing;
      t.true(written > 0);
      t.is(await after.count({ index: 's', equals: ['s0'] }), 225 + written);
      t.is(await after.count({ index: 'tags' }), written);
      t.is((await ids(after, { index: 'tags', equals: ['b'] })).length, written);
      t.is(await before.count({ index: 'n' }), 450 + written);
      await before.delete('later0');
      t.is(await after.count({ index: 'tags', equals: ['b'] }), written - 1);
      // It is whole now: the next to open the collection has nothing to wait for.
      const next = await open(t, database, { indexWaitMs: 24 * 3_600_000 });
      t.is(
        await next.collection<Thing>({ name: 'things', indexes: { s: ['s'] } }).count({ index: 's' }),
        450 + written - 1,
      );
    },
  );

  test.serial('an index that a stored document does not fit is refused when it is made', async (t) => {
    const database = testDatabase(t, given(url));
    const store = await open(t, database);
    const things = store.collection<Thing>({ name: 'things', indexes: {} });
    await things.put({ id: 'a', n: [1, 2], tags: ['x'] });
    const next = await open(t, database, { indexWaitMs: 0 });
    const both = next.collection<Thing>({ name: 'things', indexes: { both: ['n', 'tags'] } });
    const error = await t.throwsAsync(both.get('a'), { instanceOf: StoreError });
    t.regex(error?.message ?? '', /only one of them may be an array/);
    t.truthy(await things.get('a'));
  });

  test.serial('nodes that start at once on an empty database make one store', async (t) => {
    const database = testDatabase(t, given(url));
    const stores = await Promise.all(Array.from({ length: 4 }, () => open(t, database)));
    await Promise.all(
      stores.map((store) => store.commit([store.collection<Thing>(THINGS).counting('counter', { n: 1 })])),
    );
    const things = given(stores[0]).collection<Thing>(THINGS);
    t.is((await things.get('counter'))?.document.n, 4);
    t.is(await things.count({ index: 'n' }), 1);
  });

  test.serial(
    'a database of a newer schema is refused, and an older one is brought forward once',
    async (t) => {
      const database = testDatabase(t, given(url));
      const store = await open(t, database);
      await store.collection<Thing>(THINGS).put({ id: 'kept' });
      const direct = (await driver(t)).db(database);
      let runs = 0;
      const step = { from: 1, run: async () => void runs++ };
      await bringSchema(direct, 2, [step]);
      await bringSchema(direct, 2, [step]);
      t.is(runs, 1);
      const refused = await t.throwsAsync(open(t, database), { instanceOf: StoreError });
      t.regex(refused?.message ?? '', /schema version 2, this version of Ferry knows 1/);
      await t.throwsAsync(bringSchema(direct, 3, [step]), {
        message: /version 2, this version of Ferry knows 3/,
      });
    },
  );

  plainTest('who writes a document deletes the shares in it, also one taken since it was read', async (t) => {
    const database = testDatabase(t, given(url));
    const proxy = await startTcpProxy(t, portOf(given(url)));
    const one = await open(t, database);
    const other = await open(t, database, { url: proxiedUrl(given(url), proxy.port) });
    const [things, hot] = [one, other].map((store) => store.collection<Thing>(THINGS)) as [Things, Things];
    const revision = await hot.put({ id: 'hot' });
    const use = async (id: string) => {
      t.true((await one.commit([things.requiring('hot', revision), things.inserting({ id })])).committed);
    };
    for (let at = 0; at < 8; at++) await use(`d${at}`);
    const records = (await driver(t)).db(database).collection<{ _id: string }>('things');
    const shares = () => records.countDocuments({ _id: { $gte: '\0hot\0\0', $lt: '\0hot\0\x01' } });
    t.is(await shares(), 0);
    // The other node has read the document and is about to write it when this one takes a share.
    let isTaken = false;
    proxy.onRequest = async (bytes) => {
      if (!isTaken && bytes.includes('startTransaction')) {
        isTaken = true;
        await use('with a share');
        t.is(await shares(), 1);
      }
      return true;
    };
    t.truthy(await hot.replace({ id: 'hot', n: 1 }, revision));
    t.true(isTaken);
    t.is(await shares(), 0);
    t.false(
      (await one.commit([things.requiring('hot', revision), things.inserting({ id: 'late' })])).committed,
    );
  });

  test.serial(
    'a document that another node changes all the time does not hold up the commits of its group',
    async (t) => {
      const database = testDatabase(t, given(url));
      const one = await open(t, database, { groupCommitMs: 20 });
      const other = await open(t, database, { groupCommitMs: 0 });
      const [things, hot] = [one, other].map((store) => store.collection<Thing>(THINGS)) as [Things, Things];
      let running = true;
      let others = 0;
      const heating = (async () => {
        for (; running; others++) await other.commit([hot.counting('hot', { n: 1 })]);
      })();
      for (let round = 0; round < 5; round++) {
        await Promise.all(
          Array.from({ length: 10 }, async (_, at) => {
            await one.commit([things.counting('hot', { n: 1 })]);
            await things.put({ id: `own${round}-${at}`, n: at });
          }),
        );
      }
      running = false;
      await heating;
      t.is((await things.get('hot'))?.document.n, 50 + others);
      t.is(await things.count({ prefix: 'own' }), 50);
    },
  );
}

type Things = Collection<Thing>;

test('no credentials of the address are in errors or logs', async (t) => {
  const logged: unknown[] = [];
  const log = (event: string, fields?: LogFields) => void logged.push(event, fields);
  const logger: Logger = { ...silentLogger, error: log, warn: log, info: log, debug: log };
  const secrets = /geheim|ge\/heim|ge%2Fheim|chef/;
  for (const address of [
    'mongodb://chef:geheim@127.0.0.1:1/',
    'mongodb://chef:ge%2Fheim@127.0.0.1:1/?replicaSet=x',
    'mongodb://chef:ge/heim@127.0.0.1:1/',
    'mongodb://chef:geheim@127.0.0.1:x:y/',
    'mongo://chef:geheim@127.0.0.1/',
    'mongodb://chef:geheim@127.0.0.1:1/?authMechanism=NONE',
    'mongodb+srv://chef:geheim@127.0.0.1/',
  ]) {
    const error = await t.throwsAsync(openMongoStore({ url: address, timeoutMs: 300, logger }), {
      instanceOf: StoreError,
    });
    t.is(error instanceof StoreError ? error.code : '', 'unavailable');
    t.notRegex(error?.message ?? '', secrets, address);
    t.notRegex(error?.stack ?? '', secrets, address);
  }
  t.notRegex(JSON.stringify(logged), secrets);
});

if (url !== null) {
  conformance('mongodb', {
    place: async (t) => testDatabase(t, url),
    open: (database) => openMongoStore({ url, database, timeoutMs: TIMEOUT_MS }),
    opensTwice: true,
    isSerial: true,
    numRuns: 30,
  });
  define();
}
