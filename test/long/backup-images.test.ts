import { createHash, randomBytes } from 'node:crypto';
import { copyFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { BackupError } from '../../cli/backup/format.js';
import { restoreBackup, verifyBackup } from '../../cli/backup/restore.js';
import { silentLogger, systemClock } from '../../common/index.js';
import { compareStores } from '../cli/backup/compare.js';
import { FerryCommand, ferry, temporaryDirectory } from '../cli/support.js';
import { BY } from '../support/actor.js';
import { startTestFerry } from '../support/ferry.js';
import { openTestInstallation, populate } from '../support/installation.js';
import { mongodbUrl, portOf, proxiedUrl, testDatabase, urlOfDatabase } from '../support/mongodb.js';
import { startTcpProxy } from '../support/tcp-proxy.js';

/** Several chunks of GridFS, the last of them short. */
const IMAGE_BYTES = 1_234_567;
const RANGE_BYTES = 300_001;
const FILE_AUTH = 'files:a file password';

/** An installation with a few images, its key apart, and a backup of it. */
async function backedUp(t: ExecutionContext, cpes: number) {
  const directory = await temporaryDirectory(t);
  const [dataDir, key, file] = ['from', 'key', 'b'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  const installation = await openTestInstallation(dataDir);
  await populate(installation, cpes);
  await installation.close();
  await writeFile(join(directory, 'large.bin'), randomBytes(IMAGE_BYTES));
  await run(t, ['image', 'add', join(directory, 'large.bin'), `--data-dir=${dataDir}`]);
  await copyFile(join(dataDir, 'secret.key'), key);
  await run(t, ['backup', file, `--data-dir=${dataDir}`]);
  return { directory, dataDir, key, file };
}

async function run(t: ExecutionContext, args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await ferry(args);
  t.is(exitCode, 0, stderr);
  return stdout;
}

/** Fetches every image of an installation from a server of it, in ranges, and holds it to its SHA-256. */
async function fetchAll(
  t: ExecutionContext,
  dataDir: string,
  config: Record<string, unknown>,
): Promise<void> {
  const server = await startTestFerry(t, { dataDir, config: { fileAuth: FILE_AUTH, ...config } });
  const { items } = await server.installation.images.list({ limit: 100 });
  t.deepEqual(
    items.map(({ name }) => name),
    ['a.bin', 'b.bin', 'c.bin', 'large.bin', 'a.bin', 'b.bin'],
  );
  for (const { id, name, organization, sizeBytes, sha256 } of items) {
    const path = organization === undefined ? name : `${organization}/${name}`;
    const hash = createHash('sha256');
    for (let from = 0; from < sizeBytes; from += RANGE_BYTES) {
      const headers = {
        Authorization: `Basic ${Buffer.from(FILE_AUTH).toString('base64')}`,
        Range: `bytes=${from}-${from + RANGE_BYTES - 1}`,
      };
      const answer = await fetch(`${server.urls.files}/files/${path}`, { headers });
      t.is(answer.status, 206);
      const last = Math.min(sizeBytes, from + RANGE_BYTES) - 1;
      t.is(answer.headers.get('content-range'), `bytes ${from}-${last}/${sizeBytes}`);
      hash.update(Buffer.from(await answer.arrayBuffer()));
    }
    t.is(hash.digest('hex'), sha256, id);
  }
  await server.close();
}

function define(url: string): void {
  test('images go with a backup into GridFS, from there into GridFS and onto disk again, and are served in ranges', async (t) => {
    const { directory, dataDir, key, file } = await backedUp(t, 300);
    const [one, other] = [urlOfDatabase(url, testDatabase(t, url)), urlOfDatabase(url, testDatabase(t, url))];
    const disk = join(directory, 'disk');
    const node = join(directory, 'node');
    const secret = `--secret-file=${key}`;
    const at = (store: string) => [`--store=${store}`, `--data-dir=${node}`, secret];
    await run(t, ['restore', file, ...at(one), '--no-freeze']);
    await run(t, ['backup', `${file}.2`, ...at(one)]);
    await run(t, ['restore', `${file}.2`, ...at(other), '--no-freeze']);
    await run(t, ['backup', `${file}.3`, ...at(other)]);
    await run(t, ['restore', `${file}.3`, `--data-dir=${disk}`, secret, '--no-freeze']);
    t.deepEqual(await readdir(node).catch(() => []), []);
    for (const to of [{ store: one }, { store: other }, {}]) {
      const source = await openTestInstallation(dataDir);
      const target = await openTestInstallation('store' in to ? node : disk, { secretFile: key, ...to });
      await compareStores(t, source, target);
    }
    await fetchAll(t, node, { store: other, secretFile: key });
    await fetchAll(t, disk, { secretFile: key });
  });

  for (const [where, stallAtBytes] of [
    ['in an image', 900_000],
    ['among the documents', 2_200_000],
  ] as const) {
    test(`a restore into MongoDB that is killed ${where} is not taken for whole, and goes to its end when begun again`, async (t) => {
      const { directory, dataDir, key, file } = await backedUp(t, 600);
      const database = testDatabase(t, url);
      const store = urlOfDatabase(url, database);
      const proxy = await startTcpProxy(t, portOf(url));
      const node = join(directory, 'node');
      const options = [`--data-dir=${node}`, `--secret-file=${key}`];
      const through = urlOfDatabase(proxiedUrl(url, proxy.port), database);
      const command = new FerryCommand(['restore', file, `--store=${through}`, ...options, '--no-freeze']);
      let sentBytes = 0;
      proxy.onRequest = ({ length }) => {
        sentBytes += length;
        if (sentBytes > stallAtBytes && sentBytes - length <= stallAtBytes) {
          proxy.stall();
          command.kill('SIGKILL');
        }
        return true;
      };
      t.is((await command.ended).signal, 'SIGKILL', command.stderr);
      for (const args of [
        ['serve', '--cwmp-listen=127.0.0.1:0'],
        ['backup', `${file}.half`],
      ]) {
        const refused = await ferry([...args, `--store=${store}`, ...options]);
        t.is(refused.exitCode, 1);
        t.regex(refused.stderr, /restore into this store was cut off/);
      }
      await run(t, ['restore', file, `--store=${store}`, ...options, '--no-freeze']);
      await compareStores(
        t,
        await openTestInstallation(dataDir),
        await openTestInstallation(node, { secretFile: key, store }),
      );
      await fetchAll(t, node, { store, secretFile: key });
    });
  }
}

const url = mongodbUrl();
if (url !== null) define(url);

test('a restore onto disk that is killed is not taken for whole, and goes to its end when begun again', async (t) => {
  const { directory, dataDir, key, file } = await backedUp(t, 1_000);
  const to = join(directory, 'to');
  const options = [`--data-dir=${to}`, `--secret-file=${key}`];
  const command = new FerryCommand(['restore', file, ...options, '--no-freeze']);
  await command.complains(/Restoring: /);
  command.kill('SIGKILL');
  t.is((await command.ended).signal, 'SIGKILL');
  const served = await ferry(['serve', ...options, '--cwmp-listen=127.0.0.1:0']);
  t.is(served.exitCode, 1);
  t.regex(served.stderr, /restore into this store was cut off/);
  await run(t, ['restore', file, ...options, '--no-freeze']);
  await compareStores(
    t,
    await openTestInstallation(dataDir),
    await openTestInstallation(to, { secretFile: key }),
  );
  await fetchAll(t, to, { secretFile: key });
});

test('an image whose bytes are not those it is described with stops a restore, which is not taken for whole', async (t) => {
  const { directory, file, key } = await backedUp(t, 5);
  await altered(file, (line) =>
    line.includes('"image"') ? line.replace(/"sha256":"../, '"sha256":"00') : line,
  );
  const installation = await openTestInstallation(join(directory, 'to'), { secretFile: key });
  t.teardown(() => installation.close());
  const backup = await verifyBackup(file, null, () => {});
  const options = {
    overwrite: false,
    freeze: false,
    by: BY,
    onDocument() {},
    clock: systemClock,
    logger: silentLogger,
  };
  await t.throwsAsync(restoreBackup(file, backup, installation, options), {
    instanceOf: BackupError,
    message: /^The image \S+\.bin of the backup cannot be added: .*sha256/i,
  });
  t.truthy(await installation.store.collection({ name: 'installation', indexes: {} }).get('restore'));
  t.deepEqual((await installation.images.list({ limit: 10 })).items, []);
});

/** Alters the lines of a backup, and its checksum with them, as a faulty writer would. */
async function altered(path: string, change: (line: string) => string): Promise<void> {
  const lines = gunzipSync(await readFile(path))
    .toString()
    .trimEnd()
    .split('\n');
  const end = JSON.parse(lines.pop() ?? '').end;
  const body = lines.map((line) => `${change(line)}\n`).join('');
  const sha256 = createHash('sha256').update(body).digest('hex');
  await writeFile(path, gzipSync(`${body}${JSON.stringify({ end: { ...end, sha256 } })}\n`));
}
