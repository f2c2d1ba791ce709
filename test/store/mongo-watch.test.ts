import test, { type ExecutionContext } from 'ava';
import { type Document as BsonDocument, type Db, MongoClient } from 'mongodb';
import { type Logger, silentLogger } from '../../common/index.js';
import { type Collection, openMongoStore, type Store, type Watch } from '../../store/index.js';
import { ChangeWatch } from '../../store/mongo/change-watch.js';
import type { StoredRecord } from '../../store/mongo/layout.js';
import { until } from '../support/ferry.js';
import { mongodbUrl, portOf, proxiedUrl, readableTest, testDatabase } from '../support/mongodb.js';
import { commandReader, refusalOf } from '../support/mongodb-commands.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { given, type Thing } from './things.js';

// A watched collection, on the change streams of the real database, behind a network that is played.
const url = mongodbUrl();
const plainTest = readableTest(url);
const TIMEOUT_MS = 60_000;
const WATCHED = { name: 'watched', indexes: {} };
const HISTORY_LOST = 286;

interface Watched {
  readonly database: string;
  readonly proxy: TcpProxy;
  readonly store: Store;
  readonly watch: Watch;
  /** The same collection at another node, not by way of the proxy. */
  readonly things: Collection<Thing>;
  readonly events: readonly string[];
  /** Commands about the collection that went through the proxy, if one can read them. */
  readonly commands: readonly BsonDocument[];
}

async function watched(t: ExecutionContext): Promise<Watched> {
  const database = testDatabase(t, given(url));
  const proxy = await startTcpProxy(t, portOf(given(url)));
  const commands: BsonDocument[] = [];
  const read = commandReader((command) => {
    if (JSON.stringify(command).includes(WATCHED.name)) commands.push(command);
  });
  proxy.onRequest = (bytes, client) => {
    if (plainTest !== test.skip) read(bytes, client);
    return true;
  };
  const events: string[] = [];
  const record = (event: string) => void events.push(event);
  const logger: Logger = { ...silentLogger, warn: record, error: record, info: record };
  const store = await openMongoStore({
    url: proxiedUrl(given(url), proxy.port),
    database,
    timeoutMs: TIMEOUT_MS,
    logger,
  });
  const direct = await openMongoStore({ url: given(url), database, timeoutMs: TIMEOUT_MS });
  t.teardown(async () => {
    proxy.heal();
    await Promise.all([store.close(), direct.close()]);
  });
  const things = direct.collection<Thing>(WATCHED);
  await things.put({ id: 'first' });
  const watch = store.collection<Thing>(WATCHED).watch();
  return { database, proxy, store, watch, things, events, commands };
}

/** The position, as soon as there is one. */
async function live(watch: Watch): Promise<number> {
  await until('the watch knows', () => watch.position() !== null);
  return given(watch.position());
}

const silent = (watch: Watch) => until('nothing is known', () => watch.position() === null, 20_000);

async function moved(watch: Watch, from: number): Promise<void> {
  await until('the watch has moved', () => ![null, from].includes(watch.position()));
}

function define(): void {
  plainTest(
    'the position stays while nothing changes, and moves with each change of another node',
    async (t) => {
      const { watch, things, commands } = await watched(t);
      let position = await live(watch);
      for (let round = 0; round < 5; round++) {
        await things.put({ id: 'first', n: round });
        await moved(watch, position);
        position = await live(watch);
        const answers = commands.length + 3;
        await until('the stream has answered again and again', () => commands.length >= answers);
        t.is(await live(watch), position);
      }
    },
  );

  test.serial('while the database is cut off nothing is known; after it everything is', async (t) => {
    const { proxy, watch, things } = await watched(t);
    const position = await live(watch);
    proxy.cut();
    await silent(watch);
    await things.put({ id: 'first', n: 1 });
    proxy.heal();
    await moved(watch, position);
    const after = await live(watch);
    t.true(after > position);
    await things.delete('first');
    await moved(watch, after);
  });

  test.serial(
    'of a connection that is half open nothing is known, though nobody says that it is',
    async (t) => {
      const { proxy, watch, events } = await watched(t);
      await live(watch);
      proxy.stall();
      await silent(watch);
      t.deepEqual(events, []);
      proxy.heal();
      await live(watch);
    },
  );

  plainTest('a stream whose connection is lost goes on where it was', async (t) => {
    const { proxy, watch, things, commands } = await watched(t);
    const position = await live(watch);
    const pass = proxy.onRequest;
    let isLost = false;
    proxy.onRequest = async (bytes, client) => {
      if (isLost || !bytes.includes('getMore')) return pass(bytes, client);
      isLost = true;
      await things.put({ id: 'first', n: 1 });
      return false;
    };
    await moved(watch, position);
    const streams = commands.filter((command) => 'aggregate' in command);
    t.is(streams.length, 2);
    const last = given(streams.at(-1)?.['pipeline']?.[0]?.['$changeStream'] as BsonDocument | undefined);
    t.truthy(last['resumeAfter']);
  });

  plainTest('a stream that the database no longer remembers begins anew, and has moved', async (t) => {
    const { proxy, watch, things, commands, events } = await watched(t);
    const position = await live(watch);
    const pass = proxy.onRequest;
    let isForgotten = false;
    proxy.onRequest = async (bytes, client) => {
      if (isForgotten) return pass(bytes, client);
      if (bytes.includes('getMore')) return false;
      if (!bytes.includes('resumeAfter')) return pass(bytes, client);
      isForgotten = true;
      await things.put({ id: 'first', n: 1 });
      client.write(refusalOf(bytes, HISTORY_LOST, 'ChangeStreamHistoryLost'));
      return 'answered';
    };
    await moved(watch, position);
    t.deepEqual(events, ['store.watch-lost', 'store.watch-resumed']);
    const anew = commands.filter((command) => 'aggregate' in command).at(-1);
    t.false(JSON.stringify(anew).includes('resumeAfter'));
    const after = await live(watch);
    await things.put({ id: 'first', n: 2 });
    await moved(watch, after);
  });

  test.serial('a collection that was dropped is watched on', async (t) => {
    const { database, watch, things, events } = await watched(t);
    const position = await live(watch);
    const client = await new MongoClient(given(url)).connect();
    t.teardown(() => client.close());
    await client.db(database).collection(WATCHED.name).drop();
    await until('it is watched anew', () => events.includes('store.watch-resumed'));
    t.deepEqual(events, ['store.watch-lost', 'store.watch-resumed']);
    t.true((await live(watch)) > position);
    const after = await live(watch);
    await things.put({ id: 'new' });
    await moved(watch, after);
  });

  plainTest('closing the store ends the stream in the database too', async (t) => {
    const { watch, store, commands } = await watched(t);
    await live(watch);
    await store.close();
    const cursor = given(commands.findLast((command) => 'getMore' in command)?.['getMore']);
    const killed = commands
      .filter((command) => 'killCursors' in command)
      .flatMap((command) => command['cursors']);
    t.true(JSON.stringify(killed).includes(JSON.stringify(cursor)), JSON.stringify(commands.slice(-3)));
    t.is(watch.position(), null);
  });

  plainTest('who does not ask for a position costs the database no stream', async (t) => {
    const { store, commands } = await watched(t);
    await store.collection<Thing>(WATCHED).get('first');
    t.deepEqual(
      commands.filter((command) => 'aggregate' in command),
      [],
    );
  });

  test.serial('on a sharded cluster nothing is known, as its empty answers prove nothing', async (t) => {
    const client = await new MongoClient(given(url)).connect();
    t.teardown(() => client.close());
    const name = testDatabase(t, given(url));
    let asked = 0;
    // There is no cluster here: a replica set that says it is one.
    const database = new Proxy(client.db(name), {
      get(target, property) {
        if (property !== 'command') return Reflect.get(target, property);
        return async (command: BsonDocument) => {
          asked++;
          return { ...(await target.command(command)), msg: 'isdbgrid' };
        };
      },
    });
    const records = database.collection<StoredRecord>(WATCHED.name);
    records.watch = () => t.fail('a stream was begun') as never;
    const watch = new ChangeWatch({ database: database as Db, records, logger: silentLogger });
    t.is(watch.position(), null);
    await until('it has been asked what it is', () => asked > 0);
    await watch.close();
    t.is(watch.position(), null);
    t.is(asked, 1);
  });
}

if (url !== null) define();
