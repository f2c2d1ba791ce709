import type { CommandModule } from 'yargs';
import { INSTALLATION_OPTIONS, withConfig } from '../../command.js';
import type { Io } from '../../io.js';
import { SAY_WHICH } from '../../usage.js';
import { organizationChanges } from './changes.js';
import { organizationLists } from './lists.js';
import { rulesCommand } from './rules.js';

export function organizationCommands(io: Io): CommandModule {
  return {
    command: 'organization',
    describe: 'Organizations that share this Ferry, and which CPEs are whose',
    builder(argv) {
      const organization = withConfig(argv, INSTALLATION_OPTIONS);
      for (const command of [...organizationChanges(io), ...organizationLists(io), rulesCommand(io)])
        organization.command(command);
      return organization.demandCommand(1, SAY_WHICH);
    },
    handler() {},
  };
}
