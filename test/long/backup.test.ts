import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { MongoClient } from 'mongodb';
import { restoreBackup, verifyBackup } from '../../cli/backup/restore.js';
import { DATABASE_TIMEOUT_MS } from '../../cli/backup/restoring.js';
import { writeBackup } from '../../cli/backup/write.js';
import type { Installation } from '../../cli/installation.js';
import { silentLogger, systemClock } from '../../common/index.js';
import { compareStores, compareWithDatabase } from '../cli/backup/compare.js';
import { temporaryDirectory } from '../cli/support.js';
import { BY } from '../support/actor.js';
import { openTestInstallation, populate } from '../support/installation.js';
import { mongodbUrl, testDatabase, urlOfDatabase } from '../support/mongodb.js';

const asked = process.env['FERRY_BACKUP_CPES'];
/** Many pages of everything; `npm run test:hunt` moves 100,000. */
const CPES = Number(asked ?? 20_000);
/** The stand-in for MongoDB that CI uses takes its time. */
const CPES_INTO_MONGODB = Number(asked ?? 5_000);
const TIMEOUT_MS = 3 * 60 * 60 * 1_000;
const url = mongodbUrl();

test(`a backup of ${CPES} CPEs and rules goes from one data directory to another, document by document`, (t) =>
  moved(t, CPES, {}, (from, to) => compareStores(t, from, to)));

if (url !== null) {
  test(`a backup of ${CPES_INTO_MONGODB} CPEs and rules goes from LMDB into MongoDB, document by document`, async (t) => {
    const database = testDatabase(t, url);
    const client = new MongoClient(url);
    t.teardown(() => client.close());
    await moved(t, CPES_INTO_MONGODB, { store: urlOfDatabase(url, database) }, (from, to) =>
      compareWithDatabase(t, from, to, client.db(database)),
    );
  });
}

async function moved(
  t: ExecutionContext,
  cpes: number,
  target: { readonly store?: string },
  compare: (from: Installation, to: Installation) => Promise<number>,
): Promise<void> {
  t.timeout(TIMEOUT_MS);
  const directory = await temporaryDirectory(t);
  const secretFile = join(directory, 'secret.key');
  const from = await openTestInstallation(join(directory, 'from'), { secretFile });
  const startedMs = performance.now();
  const took = (what: string) => t.log(`${what} after ${Math.round(performance.now() - startedMs)} ms`);
  await populate(from, cpes);
  took('populated');
  const file = join(directory, 'b');
  const onDocument = () => {};
  await writeBackup(file, from, {
    ferryVersion: '0',
    images: true,
    key: null,
    mustBeAtRest: false,
    onDocument,
  });
  took('backed up');
  const to = await openTestInstallation(
    join(directory, 'to'),
    { secretFile, ...target },
    { databaseTimeoutMs: DATABASE_TIMEOUT_MS },
  );
  const backup = await verifyBackup(file, null, () => {});
  took('verified');
  await restoreBackup(file, backup, to, {
    overwrite: false,
    freeze: false,
    by: BY,
    onDocument,
    clock: systemClock,
    logger: silentLogger,
  });
  took(`restored, at ${Math.round(process.memoryUsage().rss / 2 ** 20)} MiB`);
  const compared = await compare(from, to);
  t.true(compared > 4 * cpes);
  took(`${compared} documents compared`);
}
