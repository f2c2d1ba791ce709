import type { CommandModule } from 'yargs';
import type { Organization } from '../../../organizations/index.js';
import type { Arguments } from '../../command.js';
import { columnsOf, type Io, tableText, timeText } from '../../io.js';
import { type Opened, withOrganizations } from '../../organizations-access.js';
import { withSlug } from './changes.js';

/** `list` and `show`. */
export function organizationLists(io: Io): readonly CommandModule[] {
  return [listCommand(io), showCommand(io)];
}

function listCommand(io: Io): CommandModule {
  return {
    command: 'list',
    describe: 'List them, in the order in which their rules are looked at',
    builder: (argv) => argv.option('json', { type: 'boolean', describe: 'Answer as JSON' }),
    handler: (args: Arguments) =>
      withOrganizations(args, io, async (opened) => {
        const all = await opened.organizations.list();
        const shown = [];
        for (const each of all) {
          const users = await opened.installation.users.count(each.id);
          shown.push({ ...each, cpes: await cpesOf(opened, each, all), users });
        }
        if (args['json']) {
          io.stdout.write(`${JSON.stringify(shown, null, 2)}\n`);
          return;
        }
        const rows = shown.map(({ slug, name, order, rules, cpes, users, ...each }) => [
          slug,
          name,
          String(order),
          String(rules.length),
          String(cpes),
          String(users),
          stateOf(each),
        ]);
        const head = ['Slug', 'Name', 'Order', 'Rules', 'CPEs', 'Users', 'State'];
        io.stdout.write(`${tableText(head, rows, columnsOf(io.stdout))}\n`);
      }),
  };
}

function showCommand(io: Io): CommandModule {
  return {
    command: 'show <slug>',
    describe: 'Show one of them, with its rules',
    builder: (argv) => withSlug(argv).option('json', { type: 'boolean', describe: 'Answer as JSON' }),
    handler: (args: Arguments) =>
      withOrganizations(args, io, async (opened) => {
        const found = await opened.organizations.find(String(args['slug']));
        const cpes = await cpesOf(opened, found, await opened.organizations.list());
        const users = await opened.installation.users.count(found.id);
        if (args['json']) {
          io.stdout.write(`${JSON.stringify({ ...found, cpes, users }, null, 2)}\n`);
          return;
        }
        const rows = [
          ['id', found.id],
          ['slug', found.slug],
          ['name', found.name],
          ['state', stateOf(found)],
          ['order', String(found.order)],
          ['created', timeText(found.createdAtMs)],
          ['CPEs', String(cpes)],
          ['users', String(users)],
          ...found.rules.map((rule, index) => [`rules.${index}`, JSON.stringify(rule)]),
        ];
        io.stdout.write(`${tableText(['Field', 'Value'], rows, columnsOf(io.stdout))}\n`);
      }),
  };
}

/** To the default belong all that are kept as belonging to no other. */
async function cpesOf({ devices }: Opened, its: Organization, all: readonly Organization[]): Promise<number> {
  if (!its.isDefault) return devices.count({ organization: its.id });
  let cpes = await devices.count();
  for (const { id, isDefault } of all) if (!isDefault) cpes -= await devices.count({ organization: id });
  return cpes;
}

function stateOf({ active, isDefault }: Pick<Organization, 'active' | 'isDefault'>): string {
  return isDefault ? 'default' : active ? 'active' : 'not active';
}
