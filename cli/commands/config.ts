import type { CommandModule } from 'yargs';
import { type Arguments, withConfig, withInstallation } from '../command.js';
import { maskedValue, secretsIn } from '../config.js';
import { readConfig, unknownVariables } from '../config-sources.js';
import { generatedCpeCredentials } from '../installation.js';
import { columnsOf, type Io, tableText } from '../io.js';
import { CONFIG_NAMES, flagOf, OPTIONS } from '../options.js';

export function configCommand(io: Io): CommandModule {
  return {
    command: 'config',
    describe: 'Print the configuration that serve would run with',
    builder: (argv) =>
      withConfig(argv, CONFIG_NAMES)
        .option('json', { type: 'boolean', describe: 'As a JSON object, which --config can read' })
        .option('secrets', { type: 'boolean', describe: 'Print passwords too, also generated ones' }),
    async handler(args: Arguments) {
      const config = await readConfig(args, io.environment);
      const unknown = unknownVariables(io.environment);
      if (unknown !== null) io.stderr.write(`ferry: ${unknown}\n`);
      const shown: Record<string, unknown> = { ...config };
      const isGenerated = config.cpeAuth === '' && !config.allowAnonymousCpe;
      if (args['secrets'] && isGenerated) shown['cpeAuth'] = await generatedCpeAuth(args, io);
      const hidden = args['secrets'] ? [] : secretsIn(config);
      if (args['json']) {
        // A mask would be read back as the secret.
        for (const name of hidden) delete shown[name];
        io.stdout.write(`${JSON.stringify(shown, null, 2)}\n`);
        if (hidden.length > 0) {
          io.stderr.write(`Left out as secret: ${hidden.join(', ')}; --secrets prints them.\n`);
        }
        return;
      }
      for (const name of hidden) shown[name] = maskedValue(config, name);
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

function generatedCpeAuth(args: Arguments, io: Io): Promise<string> {
  return withInstallation(args, io, 'refuse', async (installation) => {
    const { username, password } = await generatedCpeCredentials(installation);
    return `${username}:${password}`;
  });
}

function valueText(value: unknown): string {
  return Array.isArray(value) ? value.join('\n') : String(value);
}
