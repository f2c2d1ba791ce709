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

test('whichever page of a store is blank, a check of every document ends by itself and in words', async (t) => {
  t.timeout(300_000);
  const { dataDir, file } = await populated(t);
  const whole = await readFile(file);
  const pages = whole.length / PAGE_BYTES;
  const withDevices = Math.floor(whole.lastIndexOf(cpeidOf(20)) / PAGE_BYTES);
  let said = 0;
  for (const page of [withDevices, Math.floor(pages / 2)]) {
    const copy = `${dataDir}-${page}`;
    await cp(dataDir, copy, { recursive: true });
    const bytes = Buffer.from(whole);
    bytes.fill(0, page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
    await writeFile(join(copy, 'store', 'data.mdb'), bytes);
    // As the command has it, which says what it cannot even open.
    const words = await deepCheck(configOf(copy)).then(
      ({ bad, problems }) => [...bad.map(({ how }) => how), ...problems],
      (error: unknown) => [String(error)],
    );
    t.notRegex(words.join('\n'), /^ +at /m);
    if (words.length === 0) continue;
    said++;
    t.regex(words.join('\n'), /damaged|could not be written/, `page ${page}`);
  }
  t.true(said >= 1);
});

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
