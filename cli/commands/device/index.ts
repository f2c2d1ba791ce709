import type { CommandModule } from 'yargs';
import { INSTALLATION_OPTIONS, withConfig } from '../../command.js';
import type { Io } from '../../io.js';
import { SAY_WHICH } from '../../usage.js';
import { approveUrlCommand } from './approve-url.js';

export function deviceCommands(io: Io): CommandModule {
  return {
    command: 'device',
    describe: 'What an operator says of a CPE',
    builder: (argv) =>
      withConfig(argv, INSTALLATION_OPTIONS).command(approveUrlCommand(io)).demandCommand(1, SAY_WHICH),
    handler() {},
  };
}
