import process from 'node:process';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { HOUSE } from './house.js';
import { readSources } from './imports.js';
import { breaches, circlesIn } from './laws.js';
import { sheetOf, tableOf } from './sheets.js';

const HERE = '.';

// What `npm run structure` runs, from the folder of package.json.
const { folder, tree } = await yargs(hideBin(process.argv))
  .scriptName('npm run structure --')
  .usage(
    '$0 [folder..]\n\nCounts what stands in each folder: its files and folders as rooms, the imports between them as arrows. A room stands a floor above the highest that it imports. Arrows that run back up, and circles, are what no folder should have.',
  )
  .command('$0 [folder..]', '', (argv) =>
    argv.positional('folder', {
      type: 'string',
      array: true,
      default: [] as string[],
      describe: 'In place of the table: the floors of these (rules, acs/session …), and who imports whom',
    }),
  )
  .option('tree', {
    type: 'string',
    default: HERE,
    requiresArg: true,
    describe: 'Another checkout, of any commit: its counts and its circles',
  })
  .example('$0', 'All folders, and what breaks the order of the house')
  .example('$0 rules', 'The rooms of the rules, from the top floor down')
  .wrap(80)
  .strict()
  .parseAsync();

const folders: readonly string[] = Array.isArray(folder) ? folder.map(String) : [];
const sources = readSources(tree);
const unknown = folders.filter((place) => !sources.files.some((file) => file.startsWith(`${place}/`)));
// The order is this house's own; another commit may have had another.
const isThisHouse = tree === HERE;
const found = isThisHouse ? breaches(sources, HOUSE) : circlesIn(sources);
if (unknown.length > 0) {
  process.stderr.write(
    `No TypeScript lies below ${unknown.join(', ')}; folders are named as in "acs/session".\n`,
  );
  process.exitCode = 1;
} else if (folders.length > 0) {
  process.stdout.write(`${folders.map((place) => sheetOf(sources, place)).join('\n\n')}\n`);
} else {
  const holds = isThisHouse ? 'The order of the house holds.' : 'There is no circle.';
  const law = found.length === 0 ? [holds] : found;
  process.stdout.write(`${[tableOf(sources), '', ...law].join('\n')}\n`);
  process.exitCode = found.length === 0 ? 0 : 1;
}
