import type { Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { MongoClient } from 'mongodb';
import { type CommitOutcome, openMongoStore, type Store, StoreError } from '../../store/index.js';
import { CATALOG_RANGE, catalogId } from '../../store/mongo/catalog.js';
import { idText, META, type StoredRecord } from '../../store/mongo/layout.js';
import { until } from '../support/ferry.js';
import { mongodbUrl, portOf, proxiedUrl, readableTest, testDatabase } from '../support/mongodb.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { given, ids, PASSING_THINGS, rejects, THINGS, type Thing } from './things.js';

// What a bad network does to the store, played by a proxy in front of the real database.
const url = mongodbUrl();
const plainTest = readableTest(url);

interface Faulty {
  readonly proxy: TcpProxy;
  readonly store: Store;
  /** The same database, not by way of the proxy. */
  readonly direct: Store;
  /** Its name. */
  readonly database: string;
}

async function faulty(t: ExecutionContext, timeoutMs: number): Promise<Faulty> {
  const direct = given(url);
  const database = testDatabase(t, direct);
  const proxy = await startTcpProxy(t, portOf(direct));
  const stores = [
    await openMongoStore({ url: proxiedUrl(direct, proxy.port), database, timeoutMs }),
    await openMongoStore({ url: direct, database, timeoutMs: 60_000 }),
  ] as const;
  t.teardown(async () => {
    proxy.heal();
    await Promise.all(stores.map((store) => store.close()));
  });
  const [store, other] = stores;
  // A first write makes connections and collections, which a busy machine may not do in the time of one.
  await written(store, 'before');
  await other.collection<Thing>(THINGS).get('before');
  return { proxy, store, direct: other, database };
}

const things = (store: Store) => store.collection<Thing>(THINGS);

/** Waits until a document can be put. */
async function written(store: Store, id: string): Promise<void> {
  const put = () =>
    things(store)
      .put({ id })
      .then(
        () => true,
        () => false,
      );
  await until(`${id} is written`, put);
}

/** Waits until the store works again, however long a cut pool takes to notice. */
async function resumed(t: ExecutionContext, store: Store): Promise<void> {
  await t.notThrowsAsync(written(store, 'after'));
}

type Fate = 'committed' | 'not committed' | 'open';

function fateOf(outcome: PromiseSettledResult<CommitOutcome>): Fate {
  if (outcome.status === 'fulfilled') return outcome.value.committed ? 'committed' : 'not committed';
  const error: unknown = outcome.reason;
  if (!(error instanceof StoreError) || error.code !== 'unavailable') throw error;
  return /outcome is open/.test(error.message) ? 'open' : 'not committed';
}

function define(): void {
  test.serial(
    'commits while the connection is cut again and again are done once or not at all, as they are told',
    async (t) => {
      const { proxy, store, direct } = await faulty(t, 5_000);
      const fates = new Map<string, Fate>();
      for (let round = 0; round < 12; round++) {
        // Somewhere in reading, writing or committing, on the way there or back.
        let left = 1 + ((round * 5) % 13);
        const count = () => --left > 0;
        if (round % 2 === 0) proxy.onRequest = count;
        else proxy.onReply = count;
        const names = Array.from({ length: 10 }, (_, at) => `${round}-${at}`);
        const outcomes = await Promise.allSettled(
          names.map((id) =>
            store.commit([
              things(store).inserting({ id, n: 1 }),
              things(store).counting('total', { total: 1 }),
            ]),
          ),
        );
        proxy.onRequest = proxy.onReply = () => true;
        for (const [at, outcome] of outcomes.entries()) fates.set(given(names[at]), fateOf(outcome));
        await resumed(t, store);
      }
      t.true(new Set(fates.values()).size >= 2, 'no cut hit anything');
      const there = new Set(await ids(things(direct), { index: 'n' }));
      for (const [id, fate] of fates) {
        if (fate === 'committed') t.true(there.has(id), `${id} was answered but is not there`);
        if (fate === 'not committed')
          t.false(there.has(id), `${id} is there though nothing was said to be changed`);
      }
      const total = await things(direct).get('total');
      t.is((total?.document as { total?: number } | undefined)?.total ?? 0, there.size);
    },
  );

  test.serial(
    'a commit that the network takes no more bytes of ends with its connection, and the store resumes',
    async (t) => {
      const { proxy, store } = await faulty(t, 1_000);
      // Only where the large document is on its way: a TLS handshake that came no further would hold up a whole secantusd.
      proxy.onRequest = (bytes, client) => {
        if (bytes.length >= 16 * 1024) client.pause();
        return true;
      };
      const text = 'x'.repeat(7_000_000);
      const outcome = await store.commit([things(store).inserting({ id: 'large', deep: text })]).then(
        () => 'committed',
        (error: unknown) => (error instanceof StoreError ? error.code : String(error)),
      );
      t.is(outcome, 'unavailable');
      proxy.onRequest = () => true;
      await resumed(t, store);
    },
  );

  test.serial(
    'single passing changes while the connection is cut are done once or not at all, as they are told',
    async (t) => {
      const { proxy, store, direct } = await faulty(t, 5_000);
      const sessions = (one: Store) => one.collection<Thing>(PASSING_THINGS);
      await sessions(store).insert({ id: 'warm' });
      const told = new Set<string>();
      for (let round = 0; round < 12; round++) {
        const names = Array.from({ length: 12 }, (_, at) => `${round}-${at}`);
        const before = await Promise.all(
          names.map(async (id, at) => (at % 3 === 0 ? null : sessions(direct).insert({ id, n: 'old' }))),
        );
        let left = 1 + ((round >> 1) % 4);
        const count = () => --left > 0;
        if (round % 2 === 0) proxy.onRequest = count;
        else proxy.onReply = count;
        const outcomes = await Promise.allSettled(
          names.map((id, at) =>
            store.commit([
              at % 3 === 0
                ? sessions(store).inserting({ id, n: 'new' })
                : at % 3 === 1
                  ? sessions(store).replacing({ id, n: 'new' }, given(before[at]))
                  : sessions(store).deleting(id, given(before[at])),
            ]),
          ),
        );
        proxy.onRequest = proxy.onReply = () => true;
        for (const [at, outcome] of outcomes.entries()) {
          const fate = fateOf(outcome);
          told.add(fate);
          const left = (await sessions(direct).get(given(names[at])))?.document.n;
          const isDone = at % 3 === 2 ? left === undefined : left === 'new';
          if (fate !== 'open') t.is(isDone, fate === 'committed', `${names[at]}: ${fate}, found ${left}`);
        }
        await resumed(t, store);
      }
      t.true(told.has('committed'));
    },
  );

  plainTest('where the answer to a passing change stays away, the outcome is said to be open', async (t) => {
    const { proxy, store } = await faulty(t, 1_000);
    const sessions = store.collection<Thing>(PASSING_THINGS);
    const revision = given(await sessions.insert({ id: 'a' }));
    proxy.onRequest = (bytes) => {
      if (bytes.includes('journal') || bytes.includes('updates')) proxy.stall();
      return true;
    };
    await rejects(t, sessions.replace({ id: 'a', n: 1 }, revision), 'unavailable', /outcome is open/);
    proxy.onRequest = () => true;
    proxy.heal();
    await resumed(t, store);
    t.truthy(await sessions.insert({ id: 'b' }));
  });

  plainTest('a passing change that is said to be undone is not done later, by another way', async (t) => {
    const { proxy, store, direct, database } = await faulty(t, 1_000);
    const sessions = store.collection<Thing>(PASSING_THINGS);
    await sessions.insert({ id: 'warm' });
    const client = await new MongoClient(given(url)).connect();
    t.teardown(() => client.close());
    // A node of a newer version adds an index, so it is to be written the ordinary way once that is known.
    await client
      .db(database)
      .collection<StoredRecord>(META)
      .updateOne(
        { _id: catalogId(PASSING_THINGS.name) },
        { $set: { 'indexes.n': { fields: ['n'], ready: false } } },
      );
    let asking: Socket | null = null;
    proxy.onRequest = (bytes, from) => {
      // Its answer never comes, so the driver asks again when the time of the change is over.
      if (asking === null && bytes.includes(CATALOG_RANGE.$lt)) asking = from;
      return true;
    };
    proxy.onReply = (_, to) => (to === asking ? new Promise<never>(() => {}) : true);
    let id = '';
    let told: unknown = null;
    for (let at = 0; told === null; at++) {
      id = `d${at}`;
      told = await sessions.insert({ id }).then(
        () => null,
        (error: unknown) => error,
      );
    }
    t.regex(String(told), /nothing was changed/i);
    await store.close();
    t.is(await direct.collection<Thing>(PASSING_THINGS).get(id), null);
  });

  plainTest(
    'who takes away the marks of what it deleted leaves those of others, who may still ask',
    async (t) => {
      const { proxy, store, database } = await faulty(t, 60_000);
      const sessions = store.collection<Thing>(PASSING_THINGS);
      const revisions = await Promise.all(['a', 'b'].map((id) => sessions.insert({ id })));
      const client = await new MongoClient(given(url)).connect();
      t.teardown(() => client.close());
      const records = client.db(database).collection<StoredRecord>(PASSING_THINGS.name);
      let isReplaced = false;
      proxy.onRequest = async (bytes) => {
        if (isReplaced || !bytes.includes('deletes')) return true;
        isReplaced = true;
        // Meanwhile another process has inserted and deleted it once more.
        await records.updateOne({ _id: idText('a') }, { $inc: { r: 1_000_000 } });
        return true;
      };
      t.deepEqual(await Promise.all(['a', 'b'].map((id, at) => sessions.delete(id, given(revisions[at])))), [
        true,
        true,
      ]);
      await until('the marks are swept', async () => (await records.findOne({ _id: idText('b') })) === null);
      t.true(isReplaced);
      t.truthy(await records.findOne({ _id: idText('a') }));
    },
  );

  plainTest(
    'a commit whose answer is lost again and again is done once, and its caller is told',
    async (t) => {
      const { proxy, store, direct } = await faulty(t, 60_000);
      let commits = 0;
      const losing = new Set<Socket>();
      proxy.onRequest = (bytes, client) => {
        // The driver asks again once by itself, and then we do.
        if (bytes.includes('commitTransaction') && ++commits <= 3) losing.add(client);
        return true;
      };
      proxy.onReply = (_, client) => !losing.delete(client);
      const { committed } = await store.commit([things(store).counting('counter', { n: 1 })]);
      t.true(committed);
      t.true(commits > 3);
      t.is((await things(direct).get('counter'))?.document.n, 1);
    },
  );

  plainTest(
    'a commit whose answer is lost with a connection that the driver has given up is done once',
    async (t) => {
      const { proxy, store, direct } = await faulty(t, 60_000);
      let committing: Socket | null = null;
      let finds = 0;
      let isFoundAgain: () => void = () => {};
      const foundAgain = new Promise<void>((resolve) => {
        isFoundAgain = resolve;
      });
      proxy.onRequest = (bytes, client) => {
        if (committing === null && bytes.includes('commitTransaction')) committing = client;
        if (committing === null || !bytes.includes('find\0')) return true;
        finds++;
        // The first is cut, and with it the driver gives up all connections there were; then it asks again on a new one.
        if (finds > 1) isFoundAgain();
        return finds > 1;
      };
      let lost = 0;
      proxy.onReply = async (_, client) => {
        if (client !== committing || lost > 0) return true;
        lost++;
        const found = things(store).get('before');
        await foundAgain;
        t.truthy(await found);
        return false;
      };
      const { committed } = await store.commit([things(store).counting('counter', { n: 1 })]);
      t.true(committed);
      t.is(lost, 1);
      t.is((await things(direct).get('counter'))?.document.n, 1);
    },
  );

  plainTest(
    'what a process that died in a transaction has locked is free long before MongoDB frees it',
    async (t) => {
      const { proxy, store, database } = await faulty(t, 1_000);
      await things(store).put({ id: 'locked' });
      proxy.onRequest = (bytes) => {
        if (!bytes.includes('commitTransaction')) return true;
        proxy.cut();
        return false;
      };
      await t.throwsAsync(things(store).put({ id: 'locked', n: 1 }));
      // Each is given half of the 60 s that the lock lasts by itself.
      const survivor = await openMongoStore({ url: given(url), database, timeoutMs: 30_000 });
      t.teardown(() => survivor.close());
      await things(survivor).put({ id: 'free' });
      t.truthy(await things(survivor).put({ id: 'locked', n: 2 }));
    },
  );

  test.serial('a commit that another process has locked out holds up no others', async (t) => {
    const { store, database } = await faulty(t, 30_000);
    await things(store).put({ id: 'locked' });
    const client = await new MongoClient(given(url)).connect();
    t.teardown(() => client.close());
    const records = client.db(database).collection<StoredRecord>(THINGS.name);
    const session = client.startSession();
    session.startTransaction();
    await records.updateOne({ _id: idText('locked') }, { $set: { t: 1 } }, { session });
    let isDone = false;
    const locked = things(store)
      .put({ id: 'locked', n: 1 })
      .finally(() => {
        isDone = true;
      });
    for (let free = 0; free < 10; free++) await things(store).put({ id: `free-${free}` });
    t.false(isDone);
    await session.abortTransaction();
    await locked;
    t.is((await things(store).get('locked'))?.document.n, 1);
  });

  plainTest('a commit that never reaches the database is done once', async (t) => {
    const { proxy, store, direct } = await faulty(t, 60_000);
    let isLost = false;
    proxy.onRequest = (bytes) => {
      if (isLost || !bytes.includes('commitTransaction')) return true;
      isLost = true;
      return false;
    };
    const { committed } = await store.commit([things(store).counting('counter', { n: 1 })]);
    t.true(committed);
    t.true(isLost);
    t.is((await things(direct).get('counter'))?.document.n, 1);
  });

  plainTest(
    'where the answer to a commit stays away, its caller is told that the outcome is open',
    async (t) => {
      const { proxy, store } = await faulty(t, 1_000);
      proxy.onRequest = (bytes) => {
        if (bytes.includes('commitTransaction')) proxy.stall();
        return true;
      };
      await rejects(t, things(store).put({ id: 'open' }), 'unavailable', /outcome is open/);
      proxy.onRequest = () => true;
      proxy.heal();
      await resumed(t, store);
    },
  );

  test.serial(
    'a database that does not answer leaves nobody waiting, and the store resumes by itself',
    async (t) => {
      const { proxy, store } = await faulty(t, 1_000);
      proxy.stall();
      await Promise.all([
        rejects(t, things(store).get('before'), 'unavailable', /does not answer/),
        rejects(t, things(store).find({ limit: 1 }), 'unavailable', /does not answer/),
        rejects(t, things(store).count(), 'unavailable', /does not answer/),
        rejects(t, things(store).put({ id: 'during' }), 'unavailable', /nothing was changed/i),
      ]);
      proxy.heal();
      await resumed(t, store);
      t.is(await things(store).get('during'), null);
      t.truthy(await things(store).get('before'));
    },
  );

  test.serial(
    'a database that refuses connections is unavailable, and the store resumes by itself',
    async (t) => {
      const { proxy, store } = await faulty(t, 1_000);
      proxy.cut();
      await t.throwsAsync(things(store).get('before'), { instanceOf: StoreError });
      const error = await t.throwsAsync(things(store).put({ id: 'during' }), { instanceOf: StoreError });
      t.is(error instanceof StoreError ? error.code : '', 'unavailable');
      t.regex(error?.message ?? '', /nothing was changed/i);
      proxy.heal();
      await resumed(t, store);
      t.is(await things(store).get('during'), null);
    },
  );

  test.serial('a collection opened while the database is away has its indexes when it is back', async (t) => {
    const { proxy, store } = await faulty(t, 1_000);
    proxy.cut();
    const late = store.collection<Thing>({ ...THINGS, name: 'late' });
    const error = await t.throwsAsync(late.put({ id: 'a', n: 1 }), { instanceOf: StoreError });
    t.is(error instanceof StoreError ? error.code : '', 'unavailable');
    proxy.heal();
    await resumed(t, store);
    await until('the collection is there', () => late.put({ id: 'a', n: 1 }).catch(() => null));
    t.deepEqual(await ids(late, { index: 'n', equals: [1] }), ['a']);
  });

  test.serial('what waits for a database that does not answer is bounded, and answered', async (t) => {
    const { proxy, store } = await faulty(t, 1_000);
    proxy.stall();
    const answers = Array.from({ length: 21_000 }, (_, at) =>
      things(store)
        .put({ id: `d${at}` })
        .then(
          () => 'done',
          (error: unknown) => (error instanceof StoreError ? error.message : String(error)),
        ),
    );
    const messages = await Promise.all(answers);
    t.true(messages.every((message) => /nothing was changed/i.test(message)));
    t.true(messages.filter((message) => /waiting already/.test(message)).length >= 700);
    proxy.heal();
    await resumed(t, store);
    proxy.stall();
    const large = Array.from({ length: 40 }, () =>
      things(store)
        .put({ id: 'large', deep: 'x'.repeat(8_000_000) })
        .catch((error: unknown) => String(error)),
    );
    t.true((await Promise.all(large)).some((message) => /waiting already/.test(String(message))));
    proxy.heal();
    await resumed(t, store);
  });

  test.serial('a slow network only makes it slow', async (t) => {
    const { proxy, store } = await faulty(t, 60_000);
    proxy.delayMs = 20;
    await Promise.all(
      Array.from({ length: 20 }, () => store.commit([things(store).counting('counter', { n: 1 })])),
    );
    t.is((await things(store).get('counter'))?.document.n, 20);
  });

  test.serial('closing while the database does not answer ends', async (t) => {
    const { proxy, store } = await faulty(t, 500);
    proxy.stall();
    const put = things(store).put({ id: 'during' });
    await Promise.all([rejects(t, put, 'unavailable', /nothing was changed/i), store.close()]);
  });
}

if (url !== null) define();
