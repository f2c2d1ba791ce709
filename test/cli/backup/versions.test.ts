import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { open } from 'lmdb';
import { type Db, MongoClient } from 'mongodb';
import { metaKey } from '../../../store/lmdb/layout.js';
import { META, type StoredRecord } from '../../../store/mongo/layout.js';
import { openTestInstallation, populate } from '../../support/installation.js';
import { mongodbUrl, testDatabase, urlOfDatabase } from '../../support/mongodb.js';
import { ferry, temporaryDirectory } from '../support.js';

const COMMANDS = ['migrate', 'store check', 'serve --cwmp-listen=127.0.0.1:0', 'backup b', 'user list'];

async function refusesNewer(t: ExecutionContext, args: readonly string[], says: RegExp): Promise<void> {
  const cwd = await temporaryDirectory(t);
  for (const command of COMMANDS) {
    const { exitCode, stdout, stderr } = await ferry([...command.split(' '), ...args], { cwd });
    t.is(exitCode, 1, command);
    t.is(stdout, '');
    t.regex(stderr, says);
    t.notRegex(stderr, /^ +at /m);
  }
}

test('a directory that a newer version wrote is refused in words by every command', async (t) => {
  const dataDir = await temporaryDirectory(t);
  const installation = await openTestInstallation(dataDir);
  await populate(installation, 1);
  await installation.close();
  const root = open<string, Buffer>({
    path: join(dataDir, 'store'),
    noSubdir: false,
    encoding: 'string',
    keyEncoding: 'binary',
  });
  const meta = root.openDB<string, Buffer>('meta', { encoding: 'string', keyEncoding: 'binary' });
  await meta.put(metaKey('format'), '2');
  await root.close();
  await refusesNewer(
    t,
    [`--data-dir=${dataDir}`],
    /^ferry: The store has format 2, this version of Ferry knows 1: use the version that wrote it or a newer one/m,
  );
});

function define(url: string): void {
  /** A populated database. */
  async function populated(t: ExecutionContext): Promise<{ args: readonly string[]; database: Db }> {
    const dataDir = await temporaryDirectory(t);
    const name = testDatabase(t, url);
    const store = urlOfDatabase(url, name);
    const installation = await openTestInstallation(dataDir, { store });
    await populate(installation, 3);
    await installation.close();
    const key = join(await temporaryDirectory(t), 'key');
    await copyFile(join(dataDir, 'secret.key'), key);
    const client = new MongoClient(url);
    t.teardown(() => client.close());
    return { args: [`--store=${store}`, `--secret-file=${key}`], database: client.db(name) };
  }

  test('a database that a newer version wrote is refused in words by every command', async (t) => {
    const { args, database } = await populated(t);
    await database.collection<StoredRecord>(META).updateOne({ _id: 'schema' }, { $set: { version: 2 } });
    await refusesNewer(
      t,
      args,
      /^ferry: The database has schema version 2, this version of Ferry knows 1: use the version that wrote it or a newer one/m,
    );
  });

  test('store check names an index that is missing or still being made, and makes none itself', async (t) => {
    const { args, database } = await populated(t);
    const good = await ferry(['store', 'check', ...args]);
    t.is(good.exitCode, 0, good.stderr);
    t.regex(good.stdout, /^mongodb \d+\.\d+\.\d+.*, schema 1, its clock \d+ ms (ahead|behind)\n/);
    t.regex(good.stdout, /devices +│ +3 +│ serialNumber, tags, registeredMs/);
    await database.collection('devices').dropIndex('x.tags');
    await database
      .collection<StoredRecord>(META)
      .updateOne({ _id: 'catalog:upgrades' }, { $set: { 'indexes.deadlineAtMs.ready': false } });
    for (let round = 0; round < 2; round++) {
      const bad = await ferry(['store', 'check', ...args]);
      t.is(bad.exitCode, 1);
      t.regex(bad.stdout, /devices +│ +\? +│ serialNumber, tags \(missing\)/);
      t.regex(
        bad.stderr,
        /devices: the index of tags is missing in the database; a server that starts makes/,
      );
      t.regex(bad.stderr, /upgrades: the index of deadlineAtMs is still being made/);
    }
  });
}

const url = mongodbUrl();
if (url !== null) define(url);
