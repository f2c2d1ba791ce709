import { buffer } from 'node:stream/consumers';
import { type Document, MongoClient } from 'mongodb';
import { openMongoStore } from '../../store/index.js';
import { mongodbUrl, portOf, proxiedUrl, readableTest, testDatabase } from '../support/mongodb.js';
import { commandReader, explainable } from '../support/mongodb-commands.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { given, THINGS } from './things.js';

// What files are kept by is tested with the library of images; this is what they cost the database.
const url = mongodbUrl();
const plainTest = readableTest(url);
const TIMEOUT_MS = 60_000;

if (url !== null) {
  plainTest('every find of files, and of what fills and inspects a store, uses an index', async (t) => {
    const database = testDatabase(t, url);
    const proxy = await startTcpProxy(t, portOf(url));
    const finds: Document[] = [];
    const read = commandReader((command) => {
      if ('find' in command || 'aggregate' in command) finds.push(command);
    });
    proxy.onRequest = (bytes, client) => {
      read(bytes, client);
      return true;
    };
    const store = await openMongoStore({
      url: proxiedUrl(url, proxy.port),
      database,
      timeoutMs: TIMEOUT_MS,
    });
    t.teardown(() => store.close());
    const { files } = store;
    const content = Buffer.alloc(700_000, 'firmware');
    await files.write('incoming/a', inOnePiece(content));
    for await (const { name } of files.listIncoming()) t.is(name, 'incoming/a');
    await files.move('incoming/a', 'content/a');
    for await (const { name } of files.list('content/')) t.is(name, 'content/a');
    const file = given(await files.open('content/a', content.length));
    t.true(content.equals(await buffer(file.read({ start: 0, end: content.length - 1 }))));
    await files.remove('content/a');
    await store.clear(THINGS);
    await store.load(THINGS, [{ id: 'a' }, { id: 'b' }]);
    await store.clear(THINGS);
    await store.inspect();

    const direct = new MongoClient(url);
    t.teardown(() => direct.close());
    const collections = new Set(finds.map((command) => command['find'] ?? command['aggregate']));
    for (const name of ['ferry.files.files', 'ferry.files.chunks', 'ferry.files.incoming', 'ferry.meta'])
      t.true(collections.has(name), `${name} was not read`);
    for (const command of finds.filter((each) => !isLookForAny(each))) {
      const plan = await direct
        .db(database)
        .command({ explain: explainable(command), verbosity: 'queryPlanner' });
      const text = JSON.stringify(plan['queryPlanner'] ?? plan['stages'] ?? plan);
      // The driver sorts the versions of one file, of which there is one.
      t.notRegex(text, /COLLSCAN/, JSON.stringify(command));
      t.regex(text, /IXSCAN|IDHACK|EXPRESS|COUNT_SCAN|EOF/, JSON.stringify(command));
    }
  });
}

/** What the driver asks before it writes the first file: is there any document? */
function isLookForAny({ filter, limit }: Document): boolean {
  return limit === 1 && Object.keys(filter).length === 0;
}

async function* inOnePiece(content: Uint8Array): AsyncGenerator<Uint8Array> {
  yield content;
}
