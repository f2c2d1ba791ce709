import { randomBytes } from 'node:crypto';
import { access, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { watchClock } from '../../cli/clock-watch.js';
import { InstallationError } from '../../cli/first-start.js';
import { silentLogger } from '../../common/index.js';
import { openMongoStore } from '../../store/index.js';
import { startTestFerry, until } from '../support/ferry.js';
import { mongodbUrl, testDatabase, urlOfDatabase } from '../support/mongodb.js';
import { ferry, temporaryDirectory } from './support.js';

test('ferry config shows the address of a database without its password, and in JSON not at all', async (t) => {
  const store =
    'mongodb://ann:s3cr%40t@db1:27017,db2/ferry?replicaSet=rs&tlsCertificateKeyFilePassword=s3cr3t2&w=majority';
  const environment = { FERRY_STORE: store };
  const table = await ferry(['config'], { environment });
  t.is(table.exitCode, 0, table.stderr);
  t.notRegex(table.stdout, /s3cr/);
  const json = await ferry(['config', '--json'], { environment });
  t.false('store' in JSON.parse(json.stdout));
  t.regex(json.stderr, /Left out as secret: store;/);
  const open = await ferry(['config', '--json'], { environment: { FERRY_STORE: 'mongodb://db1/ferry' } });
  t.like(JSON.parse(open.stdout), { store: 'mongodb://db1/ferry' });
  const all = await ferry(['config', '--json', '--secrets', '--allow-anonymous-cpe'], { environment });
  t.like(JSON.parse(all.stdout), { store });
});

test('an address that is none of a database is refused without repeating it', async (t) => {
  for (const store of ['postgres://ann:s3cret@db/ferry', 'mongodb://', 'mongodb://db /ferry']) {
    const { exitCode, stderr } = await ferry(['config'], { environment: { FERRY_STORE: store } });
    t.is(exitCode, 2);
    t.regex(stderr, /^ferry: FERRY_STORE must be mongodb:\/\/HOST/);
    t.notRegex(stderr, /s3cret/);
  }
});

test('image sync takes a directory for a directory, also where its name begins like an address', async (t) => {
  const files = await temporaryDirectory(t);
  const from = join(files, 'from');
  const content = join(files, 'a.bin');
  await writeFile(content, 'firmware');
  const added = await ferry(['image', 'add', content, `--data-dir=${from}`]);
  t.is(added.exitCode, 0, added.stderr);
  const to = 'mongodb-copy';
  const synced = await ferry(['image', 'sync', `--from=${from}`, `--to=${to}`], { cwd: files });
  t.is(synced.exitCode, 0, synced.stderr);
  t.is(synced.stdout, 'Copied 1 image; there already: 0.\n');
  const listed = await ferry(['image', 'list', '--json', `--data-dir=${join(files, to)}`]);
  t.is(JSON.parse(listed.stdout).length, 1, listed.stderr);
});

test('a database that cannot be reached is said so without the password', async (t) => {
  const store = 'mongodb://ann:s3cret@127.0.0.1:1/ferry?serverSelectionTimeoutMS=100';
  const { exitCode, stderr } = await ferry(['image', 'list'], { environment: { FERRY_STORE: store } });
  t.is(exitCode, 1);
  t.regex(stderr, /^ferry: The database at 127\.0\.0\.1:1 cannot be used/);
  t.notRegex(stderr, /s3cret/);
});

function define(url: string): void {
  test('image sync copies what is missing, between any two stores, and says what it cannot copy', async (t) => {
    const [first, second, files] = [
      await temporaryDirectory(t),
      await temporaryDirectory(t),
      await temporaryDirectory(t),
    ];
    const database = urlOfDatabase(url, testDatabase(t, url));
    const contents = new Map<string, Buffer>();
    const add = async (dataDir: string, name: string, sizeBytes: number, ...more: string[]) => {
      const content = randomBytes(sizeBytes);
      await writeFile(join(files, name), content);
      const added = await ferry(['image', 'add', join(files, name), `--data-dir=${dataDir}`, ...more]);
      t.is(added.exitCode, 0, added.stderr);
      contents.set(name, content);
    };
    const sync = (from: string, to: string) =>
      ferry(['image', 'sync', '--json', `--from=${from}`, `--to=${to}`]);
    await add(first, 'a.bin', 700_000, '--software-version=2.0.0', '--product-class=HGW');
    await add(first, 'b.bin', 1);

    const there = await sync(first, database);
    t.is(there.exitCode, 0, there.stderr);
    t.deepEqual(JSON.parse(there.stdout), {
      copied: ['a.bin', 'b.bin'],
      unchanged: [],
      unsigned: [],
      failed: [],
    });
    await add(first, 'c.bin', 5_000);
    t.like(JSON.parse((await sync(first, database)).stdout), {
      copied: ['c.bin'],
      unchanged: ['a.bin', 'b.bin'],
    });
    const back = await sync(database, second);
    t.is(back.exitCode, 0, back.stderr);
    const described = async (dataDir: string) =>
      JSON.parse((await ferry(['image', 'list', '--json', `--data-dir=${dataDir}`])).stdout).map(
        ({ contentFile, uploadedAtMs, ...image }: Record<string, unknown>) => image,
      );
    t.deepEqual(await described(second), await described(first));

    const third = await temporaryDirectory(t);
    await add(third, 'a.bin', 700_000);
    const refused = await sync(third, database);
    t.is(refused.exitCode, 1);
    t.regex(refused.stderr, /1 image not copied:\na\.bin: an image called a\.bin with other content/);
  });

  test('a node without the master key or with another does not start, nor one whose clock is off by more than 30 s', async (t) => {
    const store = urlOfDatabase(url, testDatabase(t, url));
    const first = await startTestFerry(t, { config: { store } });
    const own = await temporaryDirectory(t);
    const ownKey = join(own, 'secret.key');
    const refusal = async () =>
      (
        await t.throwsAsync(startTestFerry(t, { dataDir: own, config: { store } }), {
          instanceOf: InstallationError,
        })
      )?.message ?? '';
    t.regex(await refusal(), /^There is no master key in .*secret\.key, .* name it with --secret-file$/);
    await t.throwsAsync(access(ownKey), { code: 'ENOENT' });
    await writeFile(ownKey, 'CHANGE-64-hexadecimal-digits');
    t.regex(await refusal(), /secret\.key is damaged: it must hold 64 hexadecimal digits$/);
    await writeFile(ownKey, `${randomBytes(32).toString('hex')}\n`);
    t.regex(await refusal(), /secret\.key is not the one .* name it with --secret-file$/);
    const secretFile = join(first.dataDir, 'secret.key');
    t.regex(await readFile(secretFile, 'utf8'), /^[0-9a-f]{64}\n$/);
    const config = { store, secretFile };
    for (const [offMs, direction] of [
      [40_000, 'ahead of'],
      [-40_000, 'behind'],
    ] as const) {
      const off = startTestFerry(t, { dataDir: own, config, clock: () => Date.now() + offMs });
      const tooFar = await t.throwsAsync(off, { instanceOf: InstallationError });
      t.regex(tooFar?.message ?? '', new RegExp(`is 40 s ${direction} the database's`));
    }
    const second = await startTestFerry(t, {
      dataDir: own,
      config,
      clock: () => Date.now() + 20_000,
    });
    await until('both are healthy', async () =>
      (await Promise.all([first, second].map((node) => node.nbi('GET', '/healthz')))).every(
        ({ status }) => status === 200,
      ),
    );
    t.pass();
  });

  test('a clock that goes off while a node runs is seen, and so is that it agrees again', async (t) => {
    const store = await openMongoStore({ url, database: testDatabase(t, url) });
    let offMs = 0;
    const clock = () => Date.now() + offMs;
    const watch = watchClock(store, { clock, logger: silentLogger, checkMs: 20 });
    t.teardown(async () => {
      watch.stop();
      await store.close();
    });
    t.true(watch.isGood);
    offMs = 60_000;
    await until('it is seen', () => !watch.isGood);
    offMs = 0;
    await until('it agrees again', () => watch.isGood);
    t.pass();
  });

  test('a command does not make a database where none is: to freeze an empty one would stop nothing', async (t) => {
    const store = urlOfDatabase(url, testDatabase(t, url));
    const refused = await ferry(['freeze'], { environment: { FERRY_STORE: store } });
    t.is(refused.exitCode, 1);
    t.regex(refused.stderr, /^ferry: There is no Ferry data in the database ferry-test-/);
    const node = await startTestFerry(t, { config: { store } });
    const secretFile = `--secret-file=${join(node.dataDir, 'secret.key')}`;
    const environment = { FERRY_STORE: store };
    const frozen = await ferry(['freeze', '--reason=test', secretFile], { environment });
    t.is(frozen.exitCode, 0, frozen.stderr);
    t.is((await node.rules.freezeState())?.reason, 'test');
  });
}

const url = mongodbUrl();
if (url !== null) define(url);
