import type { CommandModule } from 'yargs';
import { INSTALLATION_OPTIONS, withConfig } from '../../command.js';
import type { Io } from '../../io.js';
import { SAY_WHICH } from '../../usage.js';
import { approveCommand } from './approve.js';
import { approveUrlCommand } from './approve-url.js';
import { knownCpeCommands } from './known-cpes.js';
import { organizationCommand } from './organization.js';
import { readmitCommand } from './readmit.js';

export function deviceCommands(io: Io): CommandModule {
  return {
    command: 'device',
    describe: 'The CPEs that are known',
    builder(argv) {
      const device = withConfig(argv, INSTALLATION_OPTIONS);
      for (const command of [
        ...knownCpeCommands(io),
        approveCommand(io),
        approveUrlCommand(io),
        readmitCommand(io),
        organizationCommand(io),
      ])
        device.command(command);
      return device.demandCommand(1, SAY_WHICH);
    },
    handler() {},
  };
}
