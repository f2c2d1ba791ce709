import process from 'node:process';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { againstCommit } from './builds/against.js';
import { ROWS } from './builds/build-rows.js';
import { compareBatches } from './compare-batches.js';
import { compareLogins } from './compare-logins.js';
import { compareRules } from './compare-rules.js';
import { compareServers } from './compare-servers.js';
import { compareUploads } from './compare-uploads.js';
import { refuseOptions } from './refuse-options.js';

const options = await yargs(hideBin(process.argv))
  .scriptName('npm run bench --')
  .usage(
    '$0 [what]\n\nMeasures Ferry against a baseline taken in the same run, as ratios: machines differ, and are never alike for long.',
  )
  .command('$0 [what]', '', (argv) =>
    argv.positional('what', {
      choices: ['all', 'servers', 'logins', 'rules', 'uploads', 'batches'] as const,
      describe:
        'servers: sessions and upgrades against a bare node:http server; logins: Digest against Basic, and own credentials against shared ones; rules: what rules cost; uploads: images against a bare server that flushes the same bytes, and sessions beside them; batches: starting one against storing as many rules, reading how far it is, and sessions with it [all of it]',
    }),
  )
  .option('rounds', { type: 'number', describe: 'Rounds; medians over them are printed [5; --against: 9]' })
  .option('sessions', { type: 'number', describe: 'Periodic sessions in a round [6000; --against: 3000]' })
  .option('upgrades', { type: 'number', describe: 'Whole upgrades in a round [1500; --against: 600]' })
  .option('cpes', {
    type: 'number',
    describe:
      'Known CPEs that the periodic sessions are of [1000]; batches: known, and in the batch [100000]',
  })
  .option('at-a-time', { type: 'number', default: 20, describe: 'Sessions at a time' })
  .option('store', {
    type: 'string',
    default: '',
    describe:
      'servers, logins, --against: mongodb://… to measure Ferry on, in a database of its own [the embedded store]',
  })
  .option('rules', {
    type: 'number',
    describe: 'Pinned rules, and known CPEs, at most [1000000; --against: rules stored, 10000]',
  })
  .option('image-mib', {
    type: 'number',
    default: 64,
    describe: 'uploads: MiB of each image',
  })
  .option('organizations', {
    type: 'number',
    default: 0,
    describe:
      '--against: organizations that today has beside the default, ten of them with CPEs, each with a rule that the commit has too',
  })
  .option('against', {
    type: 'string',
    describe:
      'Measure instead this work tree against COMMIT, which is built in a temporary git work tree, side by side',
  })
  .option('rows', {
    type: 'string',
    describe:
      '--against: names of the rows to measure, with commas between [all; on MongoDB those marked with *]',
  })
  .option('min-ratio', {
    type: 'number',
    default: 0.97,
    describe: '--against: a row is slower if its ratio is below this and its spread below 1',
  })
  .option('json', {
    type: 'boolean',
    default: false,
    describe:
      '--against: print JSON instead of a table, with p50, p99, processor time and the ratio of each round',
  })
  .group(['against', 'rows', 'organizations', 'min-ratio', 'json'], 'Against a commit:')
  .epilogue(
    `Rows of --against:\n${ROWS.map(({ name, describe, isOfDatabase }) => `  ${`${name}${isOfDatabase ? '*' : ''}`.padEnd(16)} ${describe}`).join('\n')}\n\n` +
      'With --against the exit code is 1 where a row is slower, 2 where nothing could be measured, else 0. Today is the work tree as it is, ' +
      'uncommitted changes too. Six rounds are the fewest for a verdict.',
  )
  .check(({ against, what, rows, json }) => {
    if (against !== undefined && what !== undefined)
      throw new Error(`--against compares whole builds: leave "${what}" out, and choose with --rows`);
    if (against === undefined && (rows !== undefined || json))
      throw new Error('--rows and --json are for --against: name the commit too');
    return true;
  })
  .fail(refuseOptions)
  .strict()
  .parseAsync();

const { what = 'all', rounds = 5, sessions = 6_000, upgrades = 1_500, rules = 1_000_000, against } = options;
const { cpes = 1_000 } = options;
if (against !== undefined) {
  process.exitCode = await againstCommit({ ...options, cpes, against });
} else {
  const sized = { ...options, rounds, sessions, upgrades, cpes };
  if (what === 'all' || what === 'servers') process.stdout.write(`${await compareServers(sized)}\n`);
  if (what === 'all' || what === 'logins') process.stdout.write(`${await compareLogins(sized)}\n`);
  if (what === 'all' || what === 'uploads') process.stdout.write(`${await compareUploads(sized)}\n`);
  if (what === 'all' || what === 'rules')
    process.stdout.write(`${await compareRules({ ...sized, pinnedMax: rules })}\n`);
  if (what === 'all' || what === 'batches')
    process.stdout.write(`${await compareBatches({ ...sized, cpes: options.cpes ?? 100_000 })}\n`);
}
