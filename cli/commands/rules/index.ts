import type { CommandModule } from 'yargs';
import type { Io } from '../../io.js';
import { SAY_WHICH } from '../../usage.js';
import { checkCommand } from './check.js';
import { explainCommand } from './explain.js';
import { matchCommand } from './match.js';
import { pruneCommand } from './prune.js';
import { schemaCommand } from './schema.js';
import { testCommand } from './test.js';

export function rulesCommands(io: Io): CommandModule {
  return {
    command: 'rules',
    describe: 'Upgrade rules: check and test their files, explain them, and find whom they hit',
    builder: (argv) =>
      argv
        .command(checkCommand(io))
        .command(testCommand(io))
        .command(explainCommand(io))
        .command(matchCommand(io))
        .command(pruneCommand(io))
        .command(schemaCommand(io))
        .demandCommand(1, SAY_WHICH),
    handler() {},
  };
}
