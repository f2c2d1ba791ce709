import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { loopbackConfig } from '../../cli/config.js';
import { deepCheck } from '../../cli/deep-check/deep-check.js';
import { cpeidOf, openTestInstallation, populate } from '../support/installation.js';
import { ferry, temporaryDirectory } from './support.js';

const PAGE_BYTES = 4_096;
const CPES = 60;

async function populated(t: ExecutionContext): Promise<{ dataDir: string; file: string }> {
  const dataDir = join(await temporaryDirectory(t), 'data');
  const installation = await openTestInstallation(dataDir);
  await populate(installation, CPES);
  await installation.close();
  return { dataDir, file: join(dataDir, 'store', 'data.mdb') };
}

const configOf = (dataDir: string) => loopbackConfig(dataDir, { secretFile: join(dataDir, 'secret.key') });

/** Spoils the document of a CPE wherever the file has it, and no other. */
async function spoilDevice(file: string, index: number): Promise<void> {
  const bytes = await readFile(file);
  const text = `{"id":"${cpeidOf(index)}","manufacturer"`;
  let spoilt = 0;
  for (let at = bytes.indexOf(text); at !== -1; at = bytes.indexOf(text, at + 1)) {
    bytes.write('!', at);
    spoilt++;
  }
  if (spoilt === 0) throw new Error(`${text} is not in ${file}`);
  await writeFile(file, bytes);
}

test('store check --deep reads every document and names those that are bad; without, it says that it only counts', async (t) => {
  const { dataDir, file } = await populated(t);
  const good = await deepCheck(configOf(dataDir));
  t.like(good, { badTotal: 0, problems: [] });
  t.true(good.documents > CPES);
  for (const index of [7, 41]) await spoilDevice(file, index);
  const deep = await ferry(['store', 'check', '--deep', `--data-dir=${dataDir}`]);
  t.is(deep.exitCode, 1);
  t.regex(deep.stdout, /Read \d+ documents, by id and by every index\.\n$/);
  for (const index of [7, 41])
    t.regex(deep.stderr, new RegExp(`devices ${cpeidOf(index)}: .*it is not JSON`));
  t.is(deep.stderr.match(/^(ferry: )?devices 00A1B2/gm)?.length, 2);
  const json = await ferry(['store', 'check', '--deep', '--json', `--data-dir=${dataDir}`]);
  t.like(JSON.parse(json.stdout), { badTotal: 2, problems: [] });
  const plain = await ferry(['store', 'check', `--data-dir=${dataDir}`]);
  t.is(plain.exitCode, 0);
  t.regex(plain.stdout, /Documents were counted, not read: --deep reads them\.\n$/);
});

test('a backup of a store with a bad document has all others, names it, and fails', async (t) => {
  const { dataDir, file } = await populated(t);
  await spoilDevice(file, 7);
  const backup = await ferry(['backup', `${dataDir}.backup`, `--data-dir=${dataDir}`]);
  t.is(backup.exitCode, 1);
  t.regex(backup.stderr, /1 document could not be read and is not in the backup/);
  t.regex(backup.stderr, new RegExp(`^The document ${cpeidOf(7)} of devices is damaged`, 'm'));
  t.notRegex(backup.stderr, /^ +at /m);
  const there = await ferry(['restore', `${dataDir}.backup`, '--verify-only', `--data-dir=${dataDir}`]);
  t.is(there.exitCode, 0, there.stderr);
});

// Of a page: LMDB's header has its kind at 18, and 1 is a branch.
const FLAGS_AT = 18;
const BRANCH = 0x01;

/** Kinds of pages, of each of which some are in use: others of the file may be free, and nobody misses those. */
const PAGES: Readonly<Record<string, (page: Buffer) => boolean>> = {
  'with documents of CPEs': (page) => page.includes(`{"id":"${cpeidOf(20)}"`),
  'with entries of an index': (page) => page.includes(cpeidOf(20)) && !page.includes('{"id":"'),
  'with the catalogs': (page) => page.includes('catalog:devices'),
  'that lead to others': (page) => (page.readUInt16LE(FLAGS_AT) & BRANCH) !== 0,
};

/** The store with these pages blank. */
async function withBlankPages(dataDir: string, copy: string, isBlank: (page: Buffer) => boolean) {
  await cp(dataDir, copy, { recursive: true });
  const bytes = await readFile(join(dataDir, 'store', 'data.mdb'));
  let blank = 0;
  // The first two describe the file, and have a test of their own.
  for (let at = 2 * PAGE_BYTES; at < bytes.length; at += PAGE_BYTES) {
    const page = bytes.subarray(at, at + PAGE_BYTES);
    if (!isBlank(page)) continue;
    page.fill(0);
    blank++;
  }
  await writeFile(join(copy, 'store', 'data.mdb'), bytes);
  return blank;
}

for (const [which, isBlank] of Object.entries(PAGES)) {
  test(`where pages ${which} are blank, a check of every document ends by itself and says that the store is damaged`, async (t) => {
    t.timeout(300_000);
    const { dataDir } = await populated(t);
    const copy = `${dataDir}-blank`;
    t.true((await withBlankPages(dataDir, copy, isBlank)) > 0);
    // As the command has it, which says what it cannot even open.
    const words = await deepCheck(configOf(copy)).then(
      ({ bad, problems }) => [...bad.map(({ how }) => how), ...problems],
      (error: unknown) => [error instanceof Error ? error.message : String(error)],
    );
    t.true(words.length > 0);
    for (const said of words) {
      t.regex(said, /damaged|without a document/);
      t.notRegex(said, /^ +at /m);
    }
  });
}

test('a store that was cut short is refused in words by whatever would open it', async (t) => {
  const { dataDir, file } = await populated(t);
  const bytes = await readFile(file);
  await writeFile(file, bytes.subarray(0, Math.floor(bytes.length / 2)));
  for (const command of [
    ['serve'],
    ['store', 'check'],
    ['store', 'check', '--deep'],
    ['backup', `${dataDir}.b`],
  ]) {
    const ended = await ferry([...command, `--data-dir=${dataDir}`]);
    t.is(ended.exitCode, 1, `${command.join(' ')}: ${ended.signal}`);
    t.regex(ended.stderr, /^ferry: .*data\.mdb is cut short: it has \d+ bytes .*ferry restore/m);
  }
});
