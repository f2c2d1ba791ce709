import { appendFile, copyFile, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { DEVICES, type Device, UPGRADES, type Upgrade } from '../../../acs/index.js';
import { BackupError } from '../../../cli/backup/format.js';
import { verifyBackup } from '../../../cli/backup/restore.js';
import { writeBackup } from '../../../cli/backup/write.js';
import { ALL_COLLECTIONS } from '../../../cli/collections.js';
import { silentLogger, systemClock } from '../../../common/index.js';
import {
  CATEGORIES,
  type CategoryDocument,
  removeCategoryWithImages,
  TAKEN_NAMES,
  type TakenName,
} from '../../../firmware/index.js';
import { CAMPAIGN_SHARES, type CampaignShare } from '../../../rules/index.js';
import { takeInUse } from '../../../store/index.js';
import { BY } from '../../support/actor.js';
import { startTestFerry, until } from '../../support/ferry.js';
import { cpeidOf, deviceOf, openTestInstallation, populate, upgradeOf } from '../../support/installation.js';
import { mongodbUrl, testDatabase } from '../../support/mongodb.js';
import { ferry, temporaryDirectory } from '../support.js';
import { compareStores, contentOf } from './compare.js';

const CPES = 2_000;
const WHOLE = { ferryVersion: '0', images: true, key: null, mustBeAtRest: false, onDocument() {} };

/** A populated installation and a backup of it. */
async function backedUp(t: ExecutionContext, cpes: number, args: readonly string[] = []) {
  const directory = await temporaryDirectory(t);
  const dataDir = join(directory, 'from');
  const installation = await openTestInstallation(dataDir);
  await populate(installation, cpes);
  await installation.close();
  const file = join(directory, 'ferry.backup');
  const ended = await ferry(['backup', file, `--data-dir=${dataDir}`, ...args]);
  t.is(ended.exitCode, 0, ended.stderr);
  return { directory, dataDir, file, ended };
}

async function withKey(from: string, to: string): Promise<string> {
  const key = `${to}.key`;
  await copyFile(join(from, 'secret.key'), key);
  return `--secret-file=${key}`;
}

test('what is restored into an empty directory is what was backed up, document by document and byte by byte', async (t) => {
  const { directory, dataDir, file } = await backedUp(t, CPES);
  const to = join(directory, 'to');
  const restored = await ferry([
    'restore',
    file,
    `--data-dir=${to}`,
    await withKey(dataDir, to),
    '--no-freeze',
  ]);
  t.is(restored.exitCode, 0, restored.stderr);
  const compared = await compareStores(
    t,
    await openTestInstallation(dataDir),
    await openTestInstallation(to, { secretFile: `${to}.key` }),
  );
  t.true(compared > 4 * CPES);
});

const url = mongodbUrl();
if (url !== null) {
  test('a backup goes from the embedded store into MongoDB and back', async (t) => {
    const { directory, dataDir, file } = await backedUp(t, 200);
    const address = new URL(url);
    address.pathname = `/${testDatabase(t, url)}`;
    const key = await withKey(dataDir, join(directory, 'to'));
    const store = `--store=${address}`;
    const images = join(directory, 'mongo');
    const there = await ferry(['restore', file, store, `--data-dir=${images}`, key, '--no-freeze']);
    t.is(there.exitCode, 0, there.stderr);
    const again = `${file}.again`;
    t.is((await ferry(['backup', again, store, `--data-dir=${images}`, key])).exitCode, 0);
    const back = join(directory, 'back');
    t.is((await ferry(['restore', again, `--data-dir=${back}`, key, '--no-freeze'])).exitCode, 0);
    await compareStores(
      t,
      await openTestInstallation(dataDir),
      await openTestInstallation(back, { secretFile: `${join(directory, 'to')}.key` }),
    );
    const check = await ferry(['store', 'check', '--json', store, `--data-dir=${images}`, key]);
    t.is(check.exitCode, 0, check.stderr);
    t.like(JSON.parse(check.stdout), { engine: 'mongodb', schemaVersion: 1, problems: [] });
  });
}

test('a backup is lines of JSON that gunzip shows, for its owner alone', async (t) => {
  const { file } = await backedUp(t, 10);
  const lines = gunzipSync(await readFile(file))
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  t.like(lines[0], { ferryBackup: 1, images: true });
  t.is(lines[0].key, undefined);
  t.is(lines.at(-1).end.documents.devices, 10);
  t.is((await stat(file)).mode & 0o777, 0o600);
});

test('the master key is in a backup only where it is asked for, and is put in its place by a restore', async (t) => {
  const { directory, dataDir, file } = await backedUp(t, 10, ['--include-key']);
  const to = join(directory, 'to');
  t.is((await ferry(['restore', file, `--data-dir=${to}`])).exitCode, 0);
  t.is(await readFile(join(to, 'secret.key'), 'utf8'), await readFile(join(dataDir, 'secret.key'), 'utf8'));
});

test('a backup into a directory that is not there, and a restore of a file that is not, are refused in words', async (t) => {
  const { directory, dataDir } = await backedUp(t, 1);
  const missing = join(directory, 'none');
  const backup = await ferry(['backup', join(missing, 'b'), `--data-dir=${dataDir}`]);
  t.is(backup.exitCode, 1);
  t.true(
    backup.stderr.endsWith(
      `ferry: The backup cannot be written to ${join(missing, 'b')}: there is no directory ${missing}.\n`,
    ),
    backup.stderr,
  );
  const restore = await ferry(['restore', join(missing, 'b'), `--data-dir=${join(directory, 'to')}`]);
  t.is(restore.exitCode, 1);
  t.regex(restore.stderr, /^ferry: \S+ cannot be read: ENOENT/);
});

test('a restore without the master key, or with another, changes nothing and says which is needed', async (t) => {
  const { directory, file } = await backedUp(t, 10);
  const to = join(directory, 'to');
  const without = await ferry(['restore', file, `--data-dir=${to}`]);
  t.is(without.exitCode, 1);
  t.regex(without.stderr, /no master key in .*secret\.key/);
  await writeFile(join(directory, 'other.key'), `${'ab'.repeat(32)}\n`);
  const other = await ferry([
    'restore',
    file,
    `--data-dir=${to}`,
    `--secret-file=${join(directory, 'other.key')}`,
  ]);
  t.is(other.exitCode, 1);
  t.regex(other.stderr, /another master key/);
});

test('a restore refuses a target that holds something, and replaces all of it with --overwrite', async (t) => {
  const { directory, dataDir, file } = await backedUp(t, 20);
  const to = join(directory, 'to');
  const key = await withKey(dataDir, to);
  const target = await openTestInstallation(to, { secretFile: `${to}.key` });
  await target.store.collection<Device>(DEVICES).put(deviceOf(cpeidOf(9_999), null));
  await target.users.add({ name: 'other', password: 'a test password', role: 'viewer' });
  await target.close();
  const refused = await ferry(['restore', file, `--data-dir=${to}`, key]);
  t.is(refused.exitCode, 1);
  t.regex(refused.stderr, /not empty: it holds users, devices, events\./);
  t.is((await ferry(['restore', file, `--data-dir=${to}`, key, '--overwrite', '--no-freeze'])).exitCode, 0);
  await compareStores(
    t,
    await openTestInstallation(dataDir),
    await openTestInstallation(to, { secretFile: `${to}.key` }),
  );
});

test('a restore leaves upgrades frozen, unless they were at rest when the backup was taken', async (t) => {
  const moving = await backedUp(t, 10, ['--include-key']);
  t.regex(moving.ended.stdout, /not at rest/);
  const to = join(moving.directory, 'to');
  t.is((await ferry(['restore', moving.file, `--data-dir=${to}`])).exitCode, 0);
  const { stdout } = await ferry(['freeze', '--status', '--json', `--data-dir=${to}`]);
  t.like(JSON.parse(stdout), { frozen: true, by: 'ferry restore' });
  const refused = await ferry(['backup', `${moving.file}.2`, '--at-rest', `--data-dir=${moving.dataDir}`]);
  t.is(refused.exitCode, 1);
  t.regex(refused.stderr, /not at rest: stop them with ferry freeze/);
  t.deepEqual((await readdir(moving.directory)).sort(), ['ferry.backup', 'from', 'to']);
});

for (const [what, damage, says] of [
  ['cut short', (path) => truncate(path, 3_000), /is cut short/],
  ['cut at a line', (path) => rewritten(path, (lines) => lines.slice(0, -1)), /is cut short/],
  [
    'altered',
    (path) => rewritten(path, (lines) => lines.map((line) => line.replace('Acme', 'Acne'))),
    /checksum/,
  ],
  [
    'short of a document',
    (path) => rewritten(path, (lines) => lines.filter((_, at) => at !== 20)),
    /checksum/,
  ],
  ['followed by more', (path) => appendFile(path, gzipSync('{"bytes":""}\n')), /something follows its end/],
  ['no backup', (path) => writeFile(path, 'hello'), /not a backup of Ferry's/],
  ['another gzip file', (path) => writeFile(path, gzipSync('hello\n')), /not JSON/],
  ['empty', (path) => writeFile(path, ''), /cut short|not a backup/],
  [
    'a newer format',
    (path) => rewritten(path, (lines) => ['{"ferryBackup":2,"ferryVersion":"9.0.0"}', ...lines.slice(1)]),
    /format 2, written by Ferry 9\.0\.0/,
  ],
] as [string, (path: string) => Promise<unknown>, RegExp][]) {
  test(`a backup that is ${what} is found out before anything is written`, async (t) => {
    const directory = await temporaryDirectory(t);
    const installation = await openTestInstallation(directory);
    await populate(installation, 20);
    const file = join(directory, 'b');
    await writeBackup(file, installation, WHOLE);
    const { secrets } = installation;
    await installation.close();
    await verifyBackup(
      file,
      () => secrets,
      () => {},
    );
    await damage(file);
    await t.throwsAsync(
      verifyBackup(
        file,
        () => secrets,
        () => {},
      ),
      { instanceOf: BackupError, message: says },
    );
  });
}

async function rewritten(path: string, change: (lines: string[]) => string[]): Promise<void> {
  const lines = gunzipSync(await readFile(path))
    .toString()
    .trimEnd()
    .split('\n');
  await writeFile(path, gzipSync(`${change(lines).join('\n')}\n`));
}

test('a restore that was cut off keeps servers away, and the same command takes it to its end', async (t) => {
  const { directory, dataDir, file } = await backedUp(t, 50, ['--include-key']);
  const end =
    gunzipSync(await readFile(file))
      .toString()
      .trimEnd()
      .split('\n')
      .at(-1) ?? '';
  const to = join(directory, 'to');
  const key = await withKey(dataDir, to);
  const half = await openTestInstallation(to, { secretFile: `${to}.key` });
  await half.store
    .collection({ name: 'installation', indexes: {} })
    .put({ id: 'restore', sha256: JSON.parse(end).end.sha256 } as never);
  await half.store.collection<Device>(DEVICES).put(deviceOf(cpeidOf(9_999), null));
  await half.close();
  const served = await ferry(['serve', `--data-dir=${to}`, key, '--cwmp-listen=127.0.0.1:0']);
  t.is(served.exitCode, 1);
  t.regex(served.stderr, /restore into this store was cut off/);
  const checked = await ferry(['store', 'check', `--data-dir=${to}`, key]);
  t.is(checked.exitCode, 1);
  t.regex(checked.stderr, /restore was cut off/);
  t.is((await ferry(['restore', file, `--data-dir=${to}`, key, '--no-freeze'])).exitCode, 0);
  await compareStores(
    t,
    await openTestInstallation(dataDir),
    await openTestInstallation(to, { secretFile: `${to}.key` }),
  );
});

test('a backup is not restored under a server that is at work', async (t) => {
  const { file, dataDir } = await backedUp(t, 10, ['--include-key']);
  const target = await openTestInstallation(`${dataDir}2`, { secretFile: join(dataDir, 'secret.key') });
  t.teardown(() => target.close());
  const hold = await takeInUse({ ...target, clock: systemClock, logger: silentLogger, isOneMachine: true });
  const refused = await ferry([
    'restore',
    file,
    `--data-dir=${dataDir}2`,
    `--secret-file=${join(dataDir, 'secret.key')}`,
  ]);
  t.is(refused.exitCode, 1);
  t.regex(refused.stderr, /A server works on this store/);
  await hold.release();
});

test('a device and its upgrade are of one moment, though the upgrade ends while they are read', async (t) => {
  const directory = await temporaryDirectory(t);
  const installation = await openTestInstallation(directory);
  t.teardown(() => installation.close());
  const upgrade = upgradeOf(cpeidOf(0), 0);
  const devices = installation.store.collection<Device>(DEVICES);
  const upgrades = installation.store.collection<Upgrade>(UPGRADES);
  await installation.store.commit([
    devices.putting(deviceOf(cpeidOf(0), upgrade)),
    upgrades.putting(upgrade),
  ]);
  const getMany = upgrades.getMany.bind(upgrades);
  let ended = false;
  upgrades.getMany = async (ids) => {
    const found = await getMany(ids);
    if (!ended) {
      ended = true;
      const over: Upgrade = { ...upgrade, state: 'verified', status: true };
      await installation.store.commit([devices.putting(deviceOf(cpeidOf(0), null)), upgrades.putting(over)]);
    }
    return found;
  };
  const file = join(directory, 'b');
  await writeBackup(file, installation, WHOLE);
  const content = contentOf(await readFile(file));
  t.true(ended);
  t.is((content.get(`devices/${cpeidOf(0)}`) as Device).inFlight, undefined);
  t.true((content.get(`upgrades/${upgrade.id}`) as Upgrade).status);
});

test('builds are counted and their names taken again, so that a backup between two changes keeps none from coming or going', async (t) => {
  const { directory, dataDir } = await backedUp(t, 1);
  const from = await openTestInstallation(dataDir);
  const category = await from.images.builds.categories.add({ name: 'Gateways' }, BY, null);
  await from.images.builds.categories.add({ name: 'Boxes' }, BY, null);
  const said = { category: category.id, version: '1', os: 'HGW 1' };
  const { id } = await from.images.builds.add(said, BY, null);
  const categories = from.store.collection<CategoryDocument>(CATEGORIES);
  const read = (await categories.get(category.id))?.document as CategoryDocument;
  await categories.put({ ...read, builds: 5 });
  const names = from.store.collection<TakenName>(TAKEN_NAMES);
  const { items } = await names.find({ limit: 10 });
  t.is(items.length, 4);
  for (const { document } of items) await names.delete(document.id);
  await names.put({ id: `version/${category.id}/2`, of: 'one that was not read' });
  await from.close();
  const file = join(directory, 'second');
  t.is((await ferry(['backup', file, `--data-dir=${dataDir}`, '--include-key'])).exitCode, 0);
  const to = join(directory, 'to');
  t.is((await ferry(['restore', file, `--data-dir=${to}`])).exitCode, 0);
  const target = await openTestInstallation(to);
  t.teardown(() => target.close());
  const { builds } = target.images;
  t.is((await builds.categories.find('Gateways', null))?.builds, 1);
  t.is((await builds.ofOs('HGW 1', null))?.id, id);
  await t.throwsAsync(builds.add(said, BY, null), { code: 'version-taken' });
  await builds.add({ category: 'Gateways', version: '2' }, BY, null);
  await removeCategoryWithImages(target.images, category, { by: BY, within: null });
  t.is(await builds.categories.find('Gateways', null), null);
  t.is((await builds.categories.find('Boxes', null))?.builds, 0);
});

test('upgrades under way are counted again, so that no slot of a limit is lost or won by a restore', async (t) => {
  const { directory, dataDir } = await backedUp(t, 30);
  const from = await openTestInstallation(dataDir);
  const shares = from.store.collection<CampaignShare>(CAMPAIGN_SHARES);
  await shares.put({
    id: 'key.0',
    started: 9,
    running: 7,
    runningOver: 2,
    runningAt5: 6,
    startedAt5: 6,
    runningAt7: 1,
  });
  // One of those under way is of an address.
  const upgrades = from.store.collection<Upgrade>(UPGRADES);
  const [underWay] = (await upgrades.find({ index: 'status', equals: [false], limit: 1 })).items;
  if (underWay === undefined) return t.fail();
  await upgrades.put({ ...underWay.document, addressBucket: 5 });
  await from.close();
  const file = join(directory, 'second');
  t.is((await ferry(['backup', file, `--data-dir=${dataDir}`, '--include-key'])).exitCode, 0);
  const to = join(directory, 'to');
  t.is((await ferry(['restore', file, `--data-dir=${to}`])).exitCode, 0);
  const target = await openTestInstallation(to);
  t.teardown(() => target.close());
  const stored = await target.store.collection<CampaignShare>(CAMPAIGN_SHARES).get('key.0');
  t.deepEqual(stored?.document, {
    id: 'key.0',
    started: 9,
    running: 3,
    runningOver: -2,
    runningAt5: 1,
    startedAt5: 6,
    runningAt7: 0,
  });
});

test('every collection that a server opens is known to backups', async (t) => {
  // With all that opens one of its own.
  const config = { shareSessions: true, allowAnonymousCpe: false, cpeAuth: 'cpe:a cpe password' };
  const server = await startTestFerry(t, { config });
  // They are made as they are opened, one after another.
  const collections = await until('all collections are made', async () => {
    const found = (await server.installation.store.inspect()).collections;
    return found.length >= ALL_COLLECTIONS.length && found;
  });
  t.deepEqual(collections.map(({ name }) => name).sort(), ALL_COLLECTIONS.map(({ name }) => name).sort());
});

test('a store with a collection that this version does not know is not backed up in part', async (t) => {
  const { dataDir, file } = await backedUp(t, 5);
  const from = await openTestInstallation(dataDir);
  await from.store.collection({ name: 'from-the-future', indexes: {} }).put({ id: 'x' });
  await from.close();
  const ended = await ferry(['backup', `${file}.2`, `--data-dir=${dataDir}`]);
  t.is(ended.exitCode, 1);
  t.regex(ended.stderr, /does not know \(from-the-future\)/);
  const checked = await ferry(['store', 'check', `--data-dir=${dataDir}`]);
  t.is(checked.exitCode, 1);
  t.regex(checked.stderr, /from-the-future: no collection of this version/);
});

test('store check tells what there is, and migrate that there is nothing to do', async (t) => {
  const { dataDir } = await backedUp(t, 5);
  const check = await ferry(['store', 'check', '--json', `--data-dir=${dataDir}`]);
  t.is(check.exitCode, 0, check.stderr);
  const report = JSON.parse(check.stdout);
  t.like(report, { engine: 'lmdb', schemaVersion: 1, clockAheadMs: null, problems: [] });
  t.like(
    report.collections.find(({ name }: { name: string }) => name === 'devices'),
    { documents: 5 },
  );
  t.is((await ferry(['store', 'check', `--data-dir=${dataDir}`])).exitCode, 0);
  t.is((await ferry(['migrate', `--data-dir=${dataDir}`])).stdout, 'Schema 1: nothing to do.\n');
});
