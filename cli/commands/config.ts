import type { CommandModule } from 'yargs';
import { type Arguments, configOf, withConfig, withInstallation } from '../command.js';
import { CONFIG_NAMES, flagOf, masked, OPTIONS } from '../config.js';
import { generatedCpeCredentials } from '../installation.js';
import { columnsOf, type Io, tableText } from '../io.js';

export function configCommand(io: Io): CommandModule {
  return {
    command: 'config',
    describe: 'Print the configuration that serve would run with',
    builder: (argv) =>
      withConfig(argv, CONFIG_NAMES)
        .option('json', { type: 'boolean', describe: 'As a JSON object, which --config can read' })
        .option('secrets', { type: 'boolean', describe: 'Print passwords too, also generated ones' }),
    async handler(args: Arguments) {
      const config = await configOf(args);
      let shown: Record<string, unknown> = args['secrets'] ? { ...config } : masked(config);
      if (args['secrets'] && config.cpeAuth === '' && !config.allowAnonymousCpe) {
        const cpeAuth = await withInstallation(args, async (installation) => {
          const { username, password } = await generatedCpeCredentials(installation);
          return `${username}:${password}`;
        });
        shown = { ...shown, cpeAuth };
      }
      if (args['json']) {
        io.stdout.write(`${JSON.stringify(shown, null, 2)}\n`);
        return;
      }
      const rows = CONFIG_NAMES.map((name) => [
        `--${flagOf(name)}`,
        valueText(shown[name]),
        OPTIONS[name].describe,
      ]);
      io.stdout.write(
        `${tableText(['Option', 'Value', 'Meaning [if not set]'], rows, columnsOf(io.stdout))}\n`,
      );
    },
  };
}

function valueText(value: unknown): string {
  return Array.isArray(value) ? value.join('\n') : String(value);
}
