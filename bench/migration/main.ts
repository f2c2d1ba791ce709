import process from 'node:process';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { countOf, sizeText, tableText } from '../../cli/io.js';
import { interruptible } from '../builds/interruption.js';
import { refuseOptions } from '../refuse-options.js';
import { type BuildFigures, type Migration, migrate } from './migrate.js';

const options = await yargs(hideBin(process.argv))
  .scriptName('npm run bench:migration --')
  .usage(
    '$0 --from COMMIT\n\nHas COMMIT, built in a temporary git work tree, fill a store, starts it and this work tree on a copy each, and ' +
      'compares what scripts are answered, byte for byte.',
  )
  .option('from', { type: 'string', demandOption: true, describe: 'Whose store is taken over' })
  .option('cpes', { type: 'number', default: 100_000, describe: 'Known CPEs' })
  .option('rules', { type: 'number', default: 100_000, describe: 'Rules, each for one of them' })
  .option('upgrades', { type: 'number', default: 300, describe: 'Upgrades done before' })
  .option('json', { type: 'boolean', default: false, describe: 'Print JSON with every answer that differs' })
  .epilogue('The exit code is 1 where an answer differs, 2 where nothing could be compared, else 0.')
  .check(({ cpes, rules, upgrades }) => {
    for (const [name, count] of Object.entries({ cpes, rules, upgrades })) {
      if (!Number.isInteger(count) || count < 100)
        throw new Error(`--${name} is ${count}, where a whole number from 100 on should be`);
    }
    if (upgrades > cpes) throw new Error('--upgrades has to be at most --cpes');
    return true;
  })
  .fail(refuseOptions)
  .strict()
  .parseAsync();

const DIFFERENT_SHOWN_MAX = 10;
const COLUMNS = 120;

process.exitCode = await interruptible(async (signal) => {
  const migration = await migrate(options, signal);
  const text = options.json ? JSON.stringify(migration, null, 2) : report(migration);
  process.stdout.write(`${text}\n`);
  return migration.different.length === 0 ? 0 : 1;
}, 'The temporary work tree and the stores are gone.');

function report({ options: { cpes, rules }, before, today, answers, different }: Migration): string {
  const row = ({ commit, startMs, rssAnonBytes, rssAnonBytesAfter, askingMs }: BuildFigures) => [
    commit,
    `${(startMs / 1_000).toFixed(2)} s`,
    sizeText(rssAnonBytes),
    `${(askingMs / 1_000).toFixed(1)} s`,
    sizeText(rssAnonBytesAfter),
  ];
  const table = tableText(
    ['Build', 'start', 'RssAnon', 'all answers', 'RssAnon then'],
    [row(before), row(today)],
    COLUMNS,
  );
  const shown = different.slice(0, DIFFERENT_SHOWN_MAX).map(({ before: answer, today: other }) => {
    return `${answer.call}\n  before: ${answer.status} ${answer.beginning.slice(0, 300)}\n  today: ${other?.status} ${other?.beginning.slice(0, 300)}`;
  });
  return [
    `${countOf(cpes, 'CPE')}, ${countOf(rules, 'rule')}`,
    table,
    `${countOf(answers, 'answer')} compared, ${different.length} differ`,
    ...shown,
  ].join('\n');
}
