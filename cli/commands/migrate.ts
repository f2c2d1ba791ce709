import type { CommandModule } from 'yargs';
import { type Arguments, INSTALLATION_OPTIONS, withConfig, withInstallation } from '../command.js';
import type { Io } from '../io.js';

export function migrateCommand(io: Io): CommandModule {
  return {
    command: 'migrate',
    describe: 'Bring the store to the schema of this version, as a server does when it starts',
    builder: (argv) =>
      withConfig(argv, INSTALLATION_OPTIONS).option('json', { type: 'boolean', describe: 'Answer as JSON' }),
    handler: (args: Arguments) =>
      // Opening a store is what migrates it, and what refuses one that a newer version wrote.
      withInstallation(args, io, 'refuse', async ({ store }) => {
        const { schemaVersion, migratedFrom } = await store.inspect();
        if (args['json']) io.stdout.write(`${JSON.stringify({ schemaVersion, migratedFrom })}\n`);
        else if (migratedFrom === schemaVersion) io.stdout.write(`Schema ${schemaVersion}: nothing to do.\n`);
        else io.stdout.write(`Migrated from schema ${migratedFrom} to ${schemaVersion}.\n`);
      }),
  };
}
