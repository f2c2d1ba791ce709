import type { Argv, CommandModule } from 'yargs';
import { type Arguments, CommandError, operator } from '../../command.js';
import { type Io, printable } from '../../io.js';
import { withOrganizations } from '../../organizations-access.js';

/** `add`, `rename`, `deactivate`, `activate` and `remove`. */
export function organizationChanges(io: Io): readonly CommandModule[] {
  return [addCommand(io), renameCommand(io), ...activityCommands(io), removeCommand(io)];
}

/** The organization that a command is about. */
export function withSlug(argv: Argv): Argv {
  return argv.positional('slug', { type: 'string', describe: 'Its slug, or its id' });
}

function addCommand(io: Io): CommandModule {
  return {
    command: 'add <slug>',
    describe: 'Add an organization; ferry organization rules says which CPEs belong to it',
    builder: (argv) =>
      argv
        .positional('slug', {
          type: 'string',
          describe: 'What conditions and filters call it: a-z, 0-9 and -',
        })
        .option('name', {
          type: 'string',
          requiresArg: true,
          describe: 'Its name for people; the slug where left out',
        })
        .option('order', ORDER)
        .example('$0 organization add north --name "North Ltd"', 'Another one'),
    handler: (args: Arguments) =>
      withOrganizations(args, io, async ({ organizations }) => {
        const slug = String(args['slug']);
        const name = args['name'] === undefined ? slug : String(args['name']);
        const said = { slug, name, ...orderIn(args) };
        const added = await organizations.add(said, operator());
        io.stdout.write(printable(`Added ${added.slug} (${added.name}), ${added.id}.\n`));
      }),
  };
}

function renameCommand(io: Io): CommandModule {
  return {
    command: 'rename <slug>',
    describe: 'Give an organization another name, slug or order',
    builder: (argv) =>
      withSlug(argv)
        .option('name', { type: 'string', requiresArg: true, describe: 'Its new name for people' })
        .option('to', {
          type: 'string',
          requiresArg: true,
          describe: 'Its new slug; conditions and scripts that name the old one are not changed',
        })
        .option('order', ORDER),
    handler: (args: Arguments) =>
      withOrganizations(args, io, async ({ organizations }) => {
        const said = {
          ...(args['name'] !== undefined && { name: String(args['name']) }),
          ...(args['to'] !== undefined && { slug: String(args['to']) }),
          ...orderIn(args),
        };
        if (Object.keys(said).length === 0) throw new CommandError('say what: --name, --to or --order', 2);
        const { id } = await organizations.find(String(args['slug']));
        const changed = await organizations.change(id, said, operator());
        io.stdout.write(
          printable(`It is ${changed.slug} (${changed.name}) now, with order ${changed.order}.\n`),
        );
      }),
  };
}

function activityCommands(io: Io): readonly CommandModule[] {
  const command = (verb: 'activate' | 'deactivate', active: boolean, describe: string): CommandModule => ({
    command: `${verb} <slug>`,
    describe,
    builder: withSlug,
    handler: (args: Arguments) =>
      withOrganizations(args, io, async ({ organizations, devices }) => {
        const { id } = await organizations.find(String(args['slug']));
        const { slug } = await organizations.change(id, { active }, operator());
        const cpes = await devices.count({ organization: id });
        const then = active
          ? ''
          : ` ${cpes} CPEs belong to it; those that no hand has put there go with their next Inform. Its users are kept out.`;
        io.stdout.write(`${slug} is ${active ? 'active' : 'not active any more'}.${then}\n`);
      }),
  });
  return [
    command(
      'deactivate',
      false,
      'Have the rules of an organization hold no more, and keep its users out; CPEs put there by hand stay',
    ),
    command('activate', true, 'Have the rules of an organization hold again'),
  ];
}

function removeCommand(io: Io): CommandModule {
  return {
    command: 'remove <slug>',
    describe: 'Remove an organization that no CPE, user, rule, image or category of images belongs to',
    builder: withSlug,
    handler: (args: Arguments) =>
      withOrganizations(args, io, async ({ organizations }) => {
        const { id, slug } = await organizations.find(String(args['slug']));
        await organizations.remove(id, operator());
        io.stdout.write(`Removed ${slug}.\n`);
      }),
  };
}

const ORDER = {
  type: 'number',
  requiresArg: true,
  describe: 'Rules of the smallest are looked at first, of the same those of the oldest; 100 where left out',
} as const;

function orderIn(args: Arguments): { readonly order?: number } {
  return args['order'] === undefined ? {} : { order: Number(args['order']) };
}
