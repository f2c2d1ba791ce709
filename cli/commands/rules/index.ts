import type { CommandModule } from 'yargs';
import type { Io } from '../../io.js';
import { SAY_WHICH } from '../../usage.js';
import { explainCommand } from './explain.js';
import { matchCommand } from './match.js';

export function rulesCommands(io: Io): CommandModule {
  return {
    command: 'rules',
    describe: 'Upgrade rules: why one does or does not hit a CPE',
    builder: (argv) => argv.command(explainCommand(io)).command(matchCommand(io)).demandCommand(1, SAY_WHICH),
    handler() {},
  };
}
