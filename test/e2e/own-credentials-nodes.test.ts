import test from 'ava';
import { ferry as run } from '../cli/support.js';
import { mongodbUrl, testDatabase, urlOfDatabase } from '../support/mongodb.js';
import { SET_DONE, SHARED, startWithShared, valueIn } from '../support/own-credentials.js';
import { inform } from '../support/raw-cpe.js';

const X = '00A1B2-HGW-1';
const LOST = { events: ['0 BOOTSTRAP', '1 BOOT'] } as const;

const mongo = mongodbUrl();
define('one data directory', () => ({ shareSessions: true }));
if (mongo !== null) {
  define('MongoDB', (t) => ({ store: urlOfDatabase(mongo, testDatabase(t, mongo)) }));
}

/** What two nodes that share `store` hold of a CPE's own credentials. */
function define(store: string, configOf: (t: Parameters<typeof testDatabase>[0]) => object): void {
  test(`what a CPE logs in with, changes to and has lost is the same on every node, on ${store}`, async (t) => {
    t.timeout(180_000);
    const config = configOf(t);
    const one = await startWithShared(t, config);
    const other = await startWithShared(t, config, { dataDir: one.ferry.dataDir });

    // At first contact both hold, on either, until the CPE has used its own.
    await one.set(X, 'one', 'first');
    for (const node of [one, other]) t.is(await node.session(SHARED), 204);
    t.is(await one.session('one:first'), 204);
    t.is(await other.session(SHARED), 401);

    // A change: the one that it has, and the one that it is to have, until it has used that.
    await other.set(X, 'one', 'second');
    for (const node of [one, other]) t.is(await node.session('one:first'), 204);
    t.is(await other.session('one:second'), 204);
    for (const node of [one, other]) t.is(await node.session('one:first'), 401);

    // One more, which it never came to use before the next: it has the second still.
    await one.set(X, 'one', 'third');
    await one.set(X, 'one', 'fourth');
    t.is(await other.session('one:third'), 401);
    t.is(await one.session('one:second'), 204);
    t.is(await other.session('one:fourth'), 204);
    for (const node of [one, other]) t.is(await node.session('one:second'), 401);

    // After a factory reset, until somebody readmits it, wherever.
    t.is(await one.session(SHARED, LOST), 204);
    const lostSince = ((await other.device())['identity'] as Record<string, unknown>)['credentialsLost'];
    t.is(typeof lostSince, 'number');
    for (const node of [one, other]) t.is(await node.session(SHARED), 401, 'without 0 BOOTSTRAP');
    const where = [`--data-dir=${one.ferry.dataDir}`, ...storeOption(config)];
    t.is((await run(['device', 'readmit', X, ...where])).exitCode, 0);
    const given: string[] = [];
    for (const node of [one, other]) {
      const cpe = node.cpeWith(SHARED);
      await cpe.post(inform(LOST));
      const { body } = await cpe.post('');
      given.push(`${valueIn(body, 'Username')}:${valueIn(body, 'Password')}`);
      if (node === other) t.is((await cpe.post(SET_DONE)).status, 204);
    }
    t.is(given[0], given[1], 'the same until it has used them, since either may have reached it');
    t.is(await one.session(given[0] ?? ''), 204);
    for (const node of [one, other]) {
      t.is(await node.session('one:fourth'), 401);
      t.is(await node.session(SHARED), 401);
      t.deepEqual((await node.device())['identity'], { proven: true });
    }
  });
}

function storeOption(config: object): readonly string[] {
  return 'store' in config ? [`--store=${String(config.store)}`] : [];
}
