import type { CommandModule } from 'yargs';
import {
  type Arguments,
  CONFIG_EPILOGUE,
  CommandError,
  INSTALLATION_OPTIONS,
  withConfig,
  withInstallation,
} from '../command.js';
import { columnsOf, type Io, printable, tableText } from '../io.js';
import { checkStore, type StoreReport } from '../store-check.js';
import { SAY_WHICH } from '../usage.js';

export function storeCommands(io: Io): CommandModule {
  return {
    command: 'store',
    describe: 'The store, whichever engine it is in',
    builder: (argv) =>
      withConfig(argv, INSTALLATION_OPTIONS).command(checkCommand(io)).demandCommand(1, SAY_WHICH),
    handler() {},
  };
}

function checkCommand(io: Io): CommandModule {
  return {
    command: 'check',
    describe: 'Versions, clocks, collections with their indexes; fails where something is wrong',
    builder: (argv) =>
      argv.option('json', { type: 'boolean', describe: 'Answer as JSON' }).epilogue(CONFIG_EPILOGUE),
    handler: (args: Arguments) =>
      withInstallation(args, io, 'refuse', async ({ store, secrets }) => {
        const report = await checkStore(store, secrets);
        io.stdout.write(
          args['json'] ? `${JSON.stringify(report)}\n` : reportText(report, columnsOf(io.stdout)),
        );
        if (report.problems.length > 0) throw new CommandError(printable(report.problems.join('\n')));
      }),
  };
}

function reportText(report: StoreReport, columnsMax: number): string {
  const { engine, serverVersion, schemaVersion, clockAheadMs, collections } = report;
  const rows = collections.map(({ name, documents, indexes }) => [
    name,
    documents === null ? '?' : String(documents),
    indexes
      .map(({ fields, state }) => `${fields.join('+')}${state === 'ready' ? '' : ` (${state})`}`)
      .join(', '),
  ]);
  const server = serverVersion === null ? '' : ` ${serverVersion}`;
  const clock =
    clockAheadMs === null
      ? ''
      : `, its clock ${Math.abs(clockAheadMs)} ms ${clockAheadMs < 0 ? 'behind' : 'ahead'}`;
  return `${engine}${server}, schema ${schemaVersion}${clock}\n${tableText(['Collection', 'Documents', 'Indexes'], rows, columnsMax)}\n`;
}
