import type { CommandModule } from 'yargs';
import {
  type Arguments,
  CONFIG_EPILOGUE,
  CommandError,
  checkDataDirectory,
  INSTALLATION_OPTIONS,
  withConfig,
  withInstallation,
} from '../command.js';
import { readConfig } from '../config-sources.js';
import { deepCheck } from '../deep-check/deep-check.js';
import { columnsOf, countOf, type Io, printable, tableText } from '../io.js';
import { checkMasterKey } from '../paths.js';
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
      argv
        .option('deep', {
          type: 'boolean',
          describe: 'Read every document and name those that are bad; without, documents are only counted',
        })
        .option('json', { type: 'boolean', describe: 'Answer as JSON' })
        .epilogue(CONFIG_EPILOGUE),
    handler: (args: Arguments) => (args['deep'] ? checkDeep(args, io) : checkPlainly(args, io)),
  };
}

function checkPlainly(args: Arguments, io: Io): Promise<void> {
  return withInstallation(args, io, 'refuse', async ({ store, secrets }) => {
    const report = await checkStore(store, secrets);
    io.stdout.write(
      args['json']
        ? `${JSON.stringify(report)}\n`
        : `${reportText(report, columnsOf(io.stdout))}Documents were counted, not read: --deep reads them.\n`,
    );
    if (report.problems.length > 0) throw new CommandError(printable(report.problems.join('\n')));
  });
}

async function checkDeep(args: Arguments, io: Io): Promise<void> {
  const config = await readConfig(args, io.environment);
  await checkDataDirectory(config, io, 'refuse');
  await checkMasterKey(config);
  const deep = await deepCheck(config).catch((error: unknown) => {
    throw new CommandError(error instanceof Error ? error.message : String(error));
  });
  const { report, documents, bad, badTotal } = deep;
  if (args['json']) io.stdout.write(`${JSON.stringify(deep)}\n`);
  else {
    if (report !== null) io.stdout.write(reportText(report, columnsOf(io.stdout)));
    io.stdout.write(`Read ${countOf(documents, 'document')}, by id and by every index.\n`);
  }
  const problems = [
    ...(report?.problems ?? []),
    ...bad.map(({ collection, id, how }) => `${collection} ${id}: ${how}`),
    ...(badTotal > bad.length ? [`… and ${badTotal - bad.length} more bad documents`] : []),
    ...deep.problems,
  ];
  if (problems.length > 0) throw new CommandError(printable(problems.join('\n')));
}

function reportText(report: StoreReport, columnsMax: number): string {
  const { engine, serverVersion, schemaVersion, cpeIdentity, clockAheadMs, collections } = report;
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
  const cpes = cpeIdentity === 'serial' ? ', CPEs by serial number' : '';
  return `${engine}${server}, schema ${schemaVersion}${clock}${cpes}\n${tableText(['Collection', 'Documents', 'Indexes'], rows, columnsMax)}\n`;
}
