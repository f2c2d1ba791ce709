import test from 'ava';
import { MongoClient } from 'mongodb';
import { silentLogger } from '../../common/index.js';
import { prepareCommit } from '../../store/changes.js';
import type { CommitOutcome } from '../../store/index.js';
import { Catalog } from '../../store/mongo/catalog.js';
import { Committer } from '../../store/mongo/committer.js';
import { PendingCommit } from '../../store/mongo/group-commit.js';
import { META, type StoredRecord } from '../../store/mongo/layout.js';
import { RevisionSource } from '../../store/mongo/revisions.js';
import { mongodbUrl, testDatabase } from '../support/mongodb.js';
import { given } from './things.js';

const url = mongodbUrl();

function define(): void {
  test('a commit whose caller was told that nothing was changed is not done any more', async (t) => {
    const client = await new MongoClient(given(url)).connect();
    const database = client.db(testDatabase(t, given(url)));
    const catalog = new Catalog(database, 1_000);
    await catalog.make('things', []);
    const committer = new Committer({
      client,
      database,
      catalog,
      revisions: new RevisionSource(database.collection<StoredRecord>(META)),
      logger: silentLogger,
      isSequenced: () => false,
      records: (name) => database.collection(name),
    });
    t.teardown(() => committer.close().then(() => client.close()));
    const { prepared, sizeBytes } = prepareCommit([
      { kind: 'insert', collection: 'things', document: { id: 'a' } },
    ]);
    let commit: PendingCommit | null = null;
    const told = new Promise<CommitOutcome>((resolve, reject) => {
      commit = new PendingCommit(prepared, sizeBytes, performance.now(), { resolve, reject });
    });
    const left = committer.run([given<PendingCommit>(commit)], performance.now() + 60_000);
    given<PendingCommit>(commit).expire();
    await t.throwsAsync(told, { message: /nothing was changed/ });
    t.deepEqual(await left, []);
    t.is(await database.collection('things').countDocuments(), 0);
  });
}

if (url !== null) define();
