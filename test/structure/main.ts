import process from 'node:process';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { HOUSE } from './house.js';
import { readSources } from './imports.js';
import { breaches } from './laws.js';
import { sheetOf, tableOf } from './sheets.js';

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
    default: '.',
    requiresArg: true,
    describe: 'Another checkout to look at, of any commit',
  })
  .example('$0', 'All folders, and what breaks the order of the house')
  .example('$0 rules', 'The rooms of the rules, from the top floor down')
  .wrap(80)
  .strict()
  .parseAsync();

const folders: readonly string[] = Array.isArray(folder) ? folder.map(String) : [];
const sources = readSources(tree);
const unknown = folders.filter((place) => !sources.files.some((file) => file.startsWith(`${place}/`)));
const found = breaches(sources, HOUSE);
if (unknown.length > 0) {
  process.stderr.write(
    `No TypeScript lies below ${unknown.join(', ')}; folders are named as in "acs/session".\n`,
  );
  process.exitCode = 1;
} else if (folders.length > 0) {
  process.stdout.write(`${folders.map((place) => sheetOf(sources, place)).join('\n\n')}\n`);
} else {
  const law = found.length === 0 ? ['The order of the house holds.'] : found;
  process.stdout.write(`${[tableOf(sources), '', ...law].join('\n')}\n`);
  process.exitCode = found.length === 0 ? 0 : 1;
}
