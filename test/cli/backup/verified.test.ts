import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { BackupError } from '../../../cli/backup/format.js';
import { verifyBackup } from '../../../cli/backup/restore.js';
import { writeBackup } from '../../../cli/backup/write.js';
import type { Secrets } from '../../../common/index.js';
import { openTestInstallation, populate } from '../../support/installation.js';
import { ferry, temporaryDirectory } from '../support.js';

interface Made {
  readonly directory: string;
  readonly dataDir: string;
  readonly file: string;
  readonly secrets: Secrets;
  readonly lines: readonly string[];
}

async function made(t: ExecutionContext): Promise<Made> {
  const directory = await temporaryDirectory(t);
  const dataDir = join(directory, 'from');
  const installation = await openTestInstallation(dataDir);
  await populate(installation, 12);
  const file = join(directory, 'b');
  const { secrets } = installation;
  const options = { ferryVersion: '0', images: false, key: null, mustBeAtRest: false, onDocument() {} };
  await writeBackup(file, installation, options);
  await installation.close();
  return { directory, dataDir, file, secrets, lines: linesOf(await readFile(file)) };
}

function linesOf(bytes: Buffer): string[] {
  return gunzipSync(bytes).toString().trimEnd().split('\n');
}

/** What somebody without the master key can make of lines: checksum and counts at the end are right again. */
function resealed(lines: readonly string[], end: Record<string, unknown>): Buffer {
  const hash = createHash('sha256');
  const documents: Record<string, number> = {};
  for (const line of lines) {
    hash.update(`${line}\n`);
    const { in: collection } = JSON.parse(line);
    if (collection !== undefined) documents[collection] = (documents[collection] ?? 0) + 1;
  }
  const last = JSON.stringify({ end: { ...end, documents, sha256: hash.digest('hex') } });
  return gzipSync(`${[...lines, last].join('\n')}\n`);
}

/** A change of the lines between the header and the end. */
const changes = (count: number) =>
  fc.oneof(
    fc.record({ kind: fc.constant('altered' as const), at: fc.nat(count - 1) }),
    fc.record({ kind: fc.constant('left out' as const), at: fc.nat(count - 1) }),
    fc.record({ kind: fc.constant('twice' as const), at: fc.nat(count - 1) }),
    fc.record({ kind: fc.constant('moved' as const), at: fc.integer({ min: 1, max: count - 1 }) }),
    fc.record({ kind: fc.constant('added' as const), at: fc.nat(count - 1) }),
    fc.record({ kind: fc.constant('cut' as const), at: fc.nat(count - 1) }),
  );

test('a backup whose lines were changed without the master key is refused, though its checksum was made anew', async (t) => {
  const { directory, secrets, lines } = await made(t);
  const [header = '', ...rest] = lines;
  const { end } = JSON.parse(rest.pop() ?? '');
  const file = join(directory, 'changed');
  await writeFile(file, resealed([header, ...rest], end));
  await verifyBackup(
    file,
    () => secrets,
    () => {},
  );
  await fc.assert(
    fc.asyncProperty(changes(rest.length), async ({ kind, at }) => {
      const changed = [...rest];
      const line = rest[at] ?? '';
      if (kind === 'altered') changed[at] = line.replace(/"id":"/, '"id":"z');
      if (kind === 'left out') changed.splice(at, 1);
      if (kind === 'twice') changed.splice(at, 0, line);
      if (kind === 'moved') changed.splice(at - 1, 2, line, rest[at - 1] ?? '');
      if (kind === 'added') changed.splice(at, 0, '{"in":"users","doc":{"id":"mallory","role":"admin"}}');
      if (kind === 'cut') changed.length = at;
      await writeFile(file, resealed([header, ...changed], end));
      await t.throwsAsync(
        verifyBackup(
          file,
          () => secrets,
          () => {},
        ),
        {
          instanceOf: BackupError,
          message: /is not as it was written: somebody who does not have the master key has changed it/,
        },
      );
      const { mac, ...without } = end;
      t.is(typeof mac, 'string');
      await writeFile(file, resealed([header, ...changed], without));
      await t.throwsAsync(
        verifyBackup(
          file,
          () => secrets,
          () => {},
        ),
        { message: /--no-verify-key/ },
      );
    }),
    { numRuns: 20 },
  );
});

test('whatever bytes of a backup are changed, cut off or added, it is refused or says exactly what was written', async (t) => {
  const { directory, file: original, secrets, lines } = await made(t);
  const whole = await readFile(original);
  const file = join(directory, 'changed');
  const at = fc.nat(whole.length - 1);
  const change = fc.oneof(
    fc.tuple(fc.constant('bit' as const), at, fc.nat(7)),
    fc.tuple(fc.constant('cut' as const), at, fc.constant(0)),
    fc.tuple(fc.constant('added' as const), fc.nat(100), fc.nat(255)),
  );
  await fc.assert(
    fc.asyncProperty(change, async ([kind, where, what]) => {
      let bytes = Buffer.from(whole);
      if (kind === 'bit') bytes.writeUInt8(bytes.readUInt8(where) ^ (1 << what), where);
      if (kind === 'cut') bytes = bytes.subarray(0, where);
      if (kind === 'added') bytes = Buffer.concat([bytes, Buffer.alloc(where + 1, what)]);
      await writeFile(file, bytes);
      const verified = await verifyBackup(
        file,
        () => secrets,
        () => {},
      ).catch((error: unknown) => error);
      if (verified instanceof Error) {
        t.true(verified instanceof BackupError, String(verified));
      } else {
        t.is(kind, 'bit');
        t.deepEqual(linesOf(bytes), [...lines]);
      }
    }),
    { numRuns: 50 },
  );
});

test('a backup without the master key’s mark, as older versions wrote it, is restored only with --no-verify-key, which says what that gives up', async (t) => {
  const { directory, dataDir, lines } = await made(t);
  const [, ...others] = [...lines].reverse();
  const { end } = JSON.parse(lines.at(-1) ?? '');
  const { mac: _, ...without } = end;
  const file = join(directory, 'older');
  await writeFile(file, resealed(others.reverse(), without));
  const to = [file, `--data-dir=${join(directory, 'to')}`, `--secret-file=${join(dataDir, 'secret.key')}`];
  for (const more of [['--verify-only'], []]) {
    const refused = await ferry(['restore', ...to, ...more]);
    t.is(refused.exitCode, 1);
    t.regex(refused.stderr, /an older Ferry wrote it, or somebody has changed it/);
  }
  const only = await ferry(['restore', ...to, '--verify-only', '--no-verify-key']);
  t.is(only.exitCode, 0, only.stderr);
  const restored = await ferry(['restore', ...to, '--no-verify-key']);
  t.is(restored.exitCode, 0, restored.stderr);
  t.regex(restored.stderr, /^Not verified with the master key: whoever could write this file/);
});

test('to verify a backup takes its master key, and with a key that the backup brought says that it proves no writer', async (t) => {
  const { directory, dataDir, file } = await made(t);
  const elsewhere = `--data-dir=${join(directory, 'none')}`;
  const without = await ferry(['restore', file, '--verify-only', elsewhere]);
  t.is(without.exitCode, 1);
  t.regex(without.stderr, /There is no master key in/);
  t.is((await ferry(['restore', file, '--verify-only', `--data-dir=${dataDir}`])).exitCode, 0);
  const withKey = join(directory, 'with-key');
  t.is((await ferry(['backup', withKey, '--include-key', `--data-dir=${dataDir}`])).exitCode, 0);
  const own = await ferry(['restore', withKey, '--verify-only', elsewhere]);
  t.is(own.exitCode, 0, own.stderr);
  t.regex(own.stderr, /the master key that the backup brought: it is whole, and nothing shows who wrote it/);
});
