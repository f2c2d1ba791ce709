import yargs, { type Argv } from 'yargs';
import { simulatorOptions } from '../cpe-sim/index.js';
import { type Arguments, CommandError, packageVersion } from './command.js';
import { auditCommand } from './commands/audit.js';
import { backupCommand } from './commands/backup.js';
import { batchCommands } from './commands/batch/index.js';
import { callCommand } from './commands/call.js';
import { configCommand } from './commands/config.js';
import { cpeAuthCommands } from './commands/cpe-auth.js';
import { demoCommand } from './commands/demo.js';
import { deviceCommands } from './commands/device/index.js';
import { freezeCommand } from './commands/freeze.js';
import { imageCommands } from './commands/image.js';
import { migrateCommand } from './commands/migrate.js';
import { organizationCommands } from './commands/organization/index.js';
import { restoreCommand } from './commands/restore.js';
import { rulesCommands } from './commands/rules/index.js';
import { serveCommand } from './commands/serve.js';
import { simCommand } from './commands/sim.js';
import { storeCommands } from './commands/store.js';
import { tokenCommands } from './commands/token.js';
import { userCommands } from './commands/user.js';
import { columnsOf, type Io } from './io.js';
import { CONFIG_NAMES, flagOf, OPTIONS } from './options.js';
import { SAY_WHICH, UsageError } from './usage.js';

const HELP_COLUMNS_MAX = 120;

/**
 * The `ferry` command line.
 * @param words  without the program's own name
 * @returns what parses them and runs the command they name; it throws UsageError, CommandError and what the command throws
 */
export function commandLine(words: readonly string[], io: Io): Argv {
  return yargs([...words])
    .scriptName('ferry')
    .usage('Ferry, a TR-069 auto-configuration server for firmware upgrades\n\n$0 <command>')
    .parserConfiguration({ 'dot-notation': false })
    .command(serveCommand(io))
    .command(demoCommand(io))
    .command(simCommand(io))
    .command(imageCommands(io))
    .command(rulesCommands(io))
    .command(batchCommands(io))
    .command(deviceCommands(io))
    .command(organizationCommands(io))
    .command(userCommands(io))
    .command(tokenCommands(io))
    .command(cpeAuthCommands(io))
    .command(auditCommand(io))
    .command(freezeCommand(io))
    .command(callCommand(io))
    .command(storeCommands(io))
    .command(backupCommand(io))
    .command(restoreCommand(io))
    .command(migrateCommand(io))
    .command(configCommand(io))
    .demandCommand(1, SAY_WHICH)
    .strict()
    .check(checkGivenOnce)
    .recommendCommands()
    .version(packageVersion())
    .alias('help', 'h')
    .wrap(Math.min(HELP_COLUMNS_MAX, columnsOf(io.stdout)))
    .exitProcess(false)
    .fail((message, error, usage) => {
      if (error && error.name !== 'YError') throw error;
      // What yargs hands over here has a help() that returns the text, whatever its types say.
      throw new UsageError(message ?? error?.message ?? '', String(usage.help()));
    });
}

/** yargs makes a list of an option that is given twice, and of `--name a --name b` the text "a,b". */
function checkGivenOnce(args: Arguments): true {
  for (const [name, value] of Object.entries(args)) {
    if (Array.isArray(value) && name !== '_' && !REPEATABLE.has(flagOf(name))) {
      throw new CommandError(`--${flagOf(name)} is given more than once`, 2);
    }
  }
  return true;
}

const REPEATABLE: ReadonlySet<string> = new Set([
  // Words that are no options.
  'paths',
  'ids',
  'parameters',
  'filter',
  'subnet',
  ...CONFIG_NAMES.filter((name) => Array.isArray(OPTIONS[name].default)).map(flagOf),
  ...Object.entries(simulatorOptions).flatMap(([name, option]) => ('repeatable' in option ? [name] : [])),
]);
