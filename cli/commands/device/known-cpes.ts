import type { Argv, CommandModule } from 'yargs';
import { type Devices, openKnownCpes } from '../../../acs/index.js';
import { type CpeId, SECOND_MS, silentLogger, systemClock, type Turn } from '../../../common/index.js';
import {
  countSelectedDevices,
  DeviceFilterError,
  deleteSelectedDevices,
  deviceSelection,
  deviceStorage,
  deviceView,
  isWithin,
  type Scope,
  selectEntries,
} from '../../../nbi/index.js';
import { type Arguments, CommandError, limitOf, operator, withInstallation } from '../../command.js';
import { confirmDeletion } from '../../confirm.js';
import { columnsOf, countOf, type Io, printable, tableText, timeText } from '../../io.js';
import { ORGANIZATION_OPTION, organizationNamed } from '../../organization-option.js';
import { progressBar } from '../../progress.js';

const LISTED = 100;
const LISTED_MAX = 100_000;
/** A bar for less is gone before it is seen. */
const CPES_FOR_BAR_MIN = 1_000;
const IDS_SAID_MAX = 10;
/** Nobody else works in this process. */
const AT_ONCE: Turn = (work) => work();

/** `list`, `show` and `delete`. */
export function knownCpeCommands(io: Io): readonly CommandModule[] {
  return [listCommand(io), showCommand(io), deleteCommand(io)];
}

function withSelection(argv: Argv): Argv {
  return argv
    .positional('ids', { type: 'string', array: true, describe: 'Whole ids of CPEs' })
    .option('filter', {
      type: 'array',
      string: true,
      nargs: 1,
      requiresArg: true,
      describe:
        'As in a query of DeviceStorage: ip=192.0.2.7, lastInform<2026-01-01T00:00:00Z; all of several must hold',
    })
    .option('organization', ORGANIZATION_OPTION)
    .option('json', { type: 'boolean', describe: 'Answer as JSON' });
}

function listCommand(io: Io): CommandModule {
  return {
    command: 'list [ids..]',
    describe: 'List them, by id',
    builder: (argv) =>
      withSelection(argv)
        .option('waiting', { type: 'boolean', describe: 'Only those that wait to be enrolled' })
        .option('limit', {
          type: 'number',
          default: LISTED,
          requiresArg: true,
          describe: 'Most CPEs listed',
        }),
    handler: (args: Arguments) =>
      withDevices(args, io, async (devices, scope) => {
        const limit = limitOf(args, LISTED_MAX);
        const found: Viewed[] = [];
        for await (const { view } of selectEntries(deviceStorage(devices, scope), selectionOf(args), {
          turn: AT_ONCE,
        })) {
          found.push(view);
          if (found.length > limit) break;
        }
        const shown = found.slice(0, limit);
        if (args['json']) io.stdout.write(`${JSON.stringify(shown, null, 2)}\n`);
        else io.stdout.write(listText(shown, found.length > limit, columnsOf(io.stdout)));
      }),
  };
}

function showCommand(io: Io): CommandModule {
  return {
    command: 'show <id>',
    describe: 'Show one of them, field by field',
    builder: (argv) =>
      argv
        .positional('id', { type: 'string', describe: 'The id of a CPE' })
        .option('parameters', { type: 'boolean', describe: 'With its data model as last reported' })
        .option('organization', ORGANIZATION_OPTION)
        .option('json', { type: 'boolean', describe: 'Answer as JSON' }),
    handler: (args: Arguments) =>
      withDevices(args, io, async (devices, scope) => {
        const cpeid = String(args['id']) as CpeId;
        const device = await devices.get(cpeid);
        if (device === null || !isWithin(scope, device.organization?.id))
          throw new CommandError(printable(`No CPE ${cpeid} is known.`));
        const view: Viewed = {
          ...deviceView(device, scope.organizations),
          ...(args['parameters'] === true && { parameters: await devices.parameters(cpeid) }),
        };
        io.stdout.write(
          args['json'] ? `${JSON.stringify(view, null, 2)}\n` : fieldsText(view, columnsOf(io.stdout)),
        );
      }),
  };
}

function deleteCommand(io: Io): CommandModule {
  return {
    command: 'delete [ids..]',
    describe: 'Delete them with their data models; results of their upgrades stay',
    builder: (argv) =>
      withSelection(argv)
        .option('all', { type: 'boolean', describe: 'Every CPE, where neither ids nor filters are given' })
        .option('yes', { type: 'boolean', describe: 'Delete them without asking' })
        .option('dry-run', { type: 'boolean', describe: 'Only count them' })
        .conflicts('yes', 'dry-run')
        .example('$0 device delete 00A1B2-HGW-1', 'Delete one')
        .example("$0 device delete --filter 'lastInform<2026-01-01T00:00:00Z' --dry-run", 'How many?'),
    handler: (args: Arguments) =>
      withDevices(args, io, (devices, scope) => deleteThem(args, io, devices, scope)),
  };
}

async function deleteThem(args: Arguments, io: Io, devices: Devices, scope: Scope): Promise<void> {
  if (idsOf(args).length === 0 && filtersOf(args).length === 0 && !args['all']) {
    throw new CommandError('say which: ids, --filter, or --all where every CPE is meant', 2);
  }
  const selected = { devices, scope, selection: selectionOf(args), turn: AT_ONCE };
  const counts = await countSelectedDevices(selected);
  const say = (deleted: number, text: string) =>
    io.stdout.write(args['json'] ? `${JSON.stringify({ ...counts, deleted })}\n` : text);
  if (args['dryRun']) {
    say(0, `${countOf(counts.devices, 'CPE')} would be deleted.\n`);
    if (counts.upgrading > 0) io.stderr.write(`${busyText(counts.upgrading)}\n`);
    return;
  }
  if (counts.devices === 0) throw new CommandError('No such CPE is known: nothing was deleted.');
  if (counts.upgrading > 0) throw new CommandError(`Nothing was deleted. ${busyText(counts.upgrading)}`);
  if (!args['yes']) await confirmDeletion(countOf(counts.devices, 'CPE'), io);
  const bar =
    counts.devices >= CPES_FOR_BAR_MIN
      ? progressBar(io, { title: 'Deleting', total: counts.devices, unit: 'items' })
      : null;
  const deletion = await deleteSelectedDevices(selected, operator(), (done) => bar?.at(done)).finally(() =>
    bar?.stop(),
  );
  const { upgrading } = deletion;
  const deleted = deletion.kind === 'deleted' ? deletion.devices : 0;
  say(deleted, `Deleted ${countOf(deleted, 'CPE')}.\n`);
  if (upgrading.length === 0) return;
  const ids = upgrading.slice(0, IDS_SAID_MAX).join(', ');
  throw new CommandError(
    printable(`Meanwhile an upgrade has begun of ${ids}: they stay until it has ended.`),
  );
}

function busyText(upgrading: number): string {
  const what = upgrading === 1 ? 'One of them has' : `${upgrading} of them have`;
  return `${what} an upgrade under way: wait until it has ended, or leave them out with --filter upgrade=null.`;
}

type Viewed = Readonly<Record<string, unknown>>;

function listText(shown: readonly Viewed[], areMore: boolean, columns: number): string {
  if (shown.length === 0) return 'No such CPE is known.\n';
  const hasOrganizations = shown.some((view) => view['organization'] !== undefined);
  const rows = shown.map((view) => [
    String(view['id']),
    ...(hasOrganizations ? [organizationText(view['organization'])] : []),
    String(view['softwareVersion'] ?? ''),
    String(view['ip']),
    timeText(Number(view['lastInform']) * SECOND_MS),
    view['enrolment'] === 'waiting' ? 'waits' : view['upgrade'] === null ? '' : 'under way',
  ]);
  const head = [
    'CPE',
    ...(hasOrganizations ? ['Organization'] : []),
    'Version',
    'Address',
    'Last Inform',
    'State',
  ];
  const table = tableText(head, rows, columns);
  return `${table}\n${areMore ? 'and more; --limit lists more\n' : ''}`;
}

function organizationText(organization: unknown): string {
  const { slug = '', by = '' } = { ...(organization as { readonly slug?: string; readonly by?: string }) };
  return by === 'hand' ? `${slug} (by hand)` : slug;
}

function fieldsText(view: Viewed, columns: number): string {
  const rows = Object.entries(view)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => [name, textOf(name, value)]);
  return `${tableText(['Field', 'Value'], rows, columns)}\n`;
}

function textOf(name: string, value: unknown): string {
  if (name === 'registered' || name === 'lastInform') return timeText(Number(value) * SECOND_MS);
  return typeof value === 'object' ? JSON.stringify(value, null, 2) : String(value);
}

function idsOf(args: Arguments): readonly string[] {
  return textsOf(args['ids']);
}

function filtersOf(args: Arguments): readonly string[] {
  return [...textsOf(args['filter']), ...(args['waiting'] === true ? ['enrolment=waiting'] : [])];
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function selectionOf(args: Arguments) {
  try {
    return deviceSelection(idsOf(args), filtersOf(args));
  } catch (error) {
    if (error instanceof DeviceFilterError)
      throw new CommandError(printable(`--filter: ${error.message}`), 2);
    throw error;
  }
}

/** Opens the CPEs of an installation for one command, beside a running server or without one, and says whose are meant. */
async function withDevices(
  args: Arguments,
  io: Io,
  run: (devices: Devices, scope: Scope) => Promise<void>,
): Promise<void> {
  await withInstallation(args, io, 'refuse', async ({ store }) => {
    const devices = openKnownCpes({ store, clock: systemClock, logger: silentLogger });
    try {
      const organizations = await devices.organizations();
      const organization = organizationNamed(args, organizations);
      await run(devices, { organization, isInstallation: true, organizations });
    } finally {
      await devices.close();
    }
  });
}
