import process from 'node:process';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { compareRules } from './compare-rules.js';
import { compareServers } from './compare-servers.js';

const options = await yargs(hideBin(process.argv))
  .scriptName('npm run bench --')
  .usage(
    '$0 [what]\n\nMeasures Ferry against a baseline taken in the same run, as ratios: machines differ, and are never alike for long.',
  )
  .command('$0 [what]', '', (argv) =>
    argv.positional('what', {
      choices: ['all', 'servers', 'rules'] as const,
      default: 'all' as const,
      describe: 'servers: sessions and upgrades against a bare node:http server; rules: what rules cost',
    }),
  )
  .option('rounds', { type: 'number', default: 5, describe: 'Rounds; medians over them are printed' })
  .option('sessions', { type: 'number', default: 6_000, describe: 'Periodic sessions in a round' })
  .option('upgrades', { type: 'number', default: 1_500, describe: 'Whole upgrades in a round' })
  .option('cpes', {
    type: 'number',
    default: 1_000,
    describe: 'Known CPEs that the periodic sessions are of',
  })
  .option('at-a-time', { type: 'number', default: 20, describe: 'Sessions at a time' })
  .option('store', {
    type: 'string',
    default: '',
    describe: 'servers: mongodb://… to measure Ferry on, in a database of its own [the embedded store]',
  })
  .option('rules', { type: 'number', default: 1_000_000, describe: 'Pinned rules, and known CPEs, at most' })
  .strict()
  .parseAsync();

const { what } = options;
if (what !== 'rules') process.stdout.write(`${await compareServers(options)}\n`);
if (what !== 'servers')
  process.stdout.write(`${await compareRules({ ...options, pinnedMax: options.rules })}\n`);
