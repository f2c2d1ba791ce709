import type { CommandModule } from 'yargs';
import { withConfig } from '../../command.js';
import type { Io } from '../../io.js';
import { RULES_CONFIG } from '../../rules-access.js';
import { SAY_WHICH } from '../../usage.js';
import { changeCommands } from './changes.js';
import { createCommand } from './create.js';
import { lookCommands } from './looks.js';
import { operationsCommand } from './operations.js';
import { watchCommand } from './watch.js';

/** `ferry batch …` */
export function batchCommands(io: Io): CommandModule {
  return {
    command: 'batch',
    describe: 'Batches: an image for many CPEs, made, watched, cancelled and tried again',
    builder(argv) {
      const batch = withConfig(argv, RULES_CONFIG);
      for (const command of [
        createCommand(io),
        ...lookCommands(io),
        watchCommand(io),
        operationsCommand(io),
        ...changeCommands(io),
      ])
        batch.command(command);
      return batch.demandCommand(1, SAY_WHICH);
    },
    handler() {},
  };
}
