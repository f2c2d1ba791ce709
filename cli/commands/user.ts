import type { CommandModule } from 'yargs';
import { ROLES, type Role, type User, UserError, type Users } from '../../nbi/index.js';
import { OrganizationError } from '../../organizations/index.js';
import type { Store } from '../../store/index.js';
import {
  type Arguments,
  INSTALLATION_OPTIONS,
  operator,
  saying,
  withConfig,
  withInstallation,
} from '../command.js';
import { columnsOf, type Io, tableText, timeText } from '../io.js';
import { organizationIn, organizationOption, withSlugs } from '../organization-option.js';
import { passwordFrom } from '../password-input.js';
import { SAY_WHICH } from '../usage.js';

const SC_CLOUD_LOGIN = {
  type: 'boolean',
  describe: 'Let him log in to /sc_cloud as well, where clients show the MD5 of the password',
} as const;

export function userCommands(io: Io): CommandModule {
  return {
    command: 'user',
    describe: 'Users of the northbound interface',
    builder: (argv) =>
      withConfig(argv, INSTALLATION_OPTIONS)
        .command(addCommand(io))
        .command(passwordCommand(io))
        .command(roleCommand(io))
        .command(
          changeCommand(io, 'deactivate', {
            describe: 'Let a user log in no more, nor whoever has a token of his, until he is activated',
            change: { active: false },
            said: 'can log in no more',
          }),
        )
        .command(
          changeCommand(io, 'activate', {
            describe: 'Let a user log in again, and whoever has a token of his',
            change: { active: true },
            said: 'may log in again',
          }),
        )
        .command(
          changeCommand(io, 'sc-cloud-off', {
            describe: 'Let a user log in to /sc_cloud no more, where he shows the MD5 of his password',
            change: { scCloud: false },
            said: 'can log in to /sc_cloud no more',
          }),
        )
        .command(removeCommand(io))
        .command(listCommand(io))
        .command(sessionsCommand(io))
        .command(logOutCommand(io))
        .demandCommand(1, SAY_WHICH),
    handler() {},
  };
}

function addCommand(io: Io): CommandModule {
  return {
    command: 'add <name>',
    describe: 'Add a user; asks for the password, or makes one where it cannot ask',
    builder: (argv) =>
      argv
        .positional('name', { type: 'string', describe: 'Letters, digits and _.@-' })
        .option('role', {
          choices: ROLES,
          default: 'operator' satisfies Role,
          describe: 'viewer reads, operator also acts, admin also manages users',
        })
        .option('organization', organizationOption('Slug of the organization that he is of, for good'))
        .option('password-stdin', { type: 'boolean', describe: 'Read the password from standard input' })
        .option('sc-cloud-login', SC_CLOUD_LOGIN)
        .example('$0 user add ann@north --organization north --role admin', 'Who manages users of north'),
    handler: (args: Arguments) =>
      withUsers(args, io, 'make', async (users, store) => {
        const organization = await organizationIn(args, store);
        const { password, generated } = await passwordFrom(args, io);
        const user = await users.add(
          {
            name: String(args['name']),
            password,
            role: args['role'] as Role,
            scCloud: args['scCloudLogin'] === true,
            ...(organization !== null && { organization: organization.id }),
          },
          operator(),
        );
        const whose = organization === null ? '' : ` of ${organization.slug}`;
        io.stdout.write(`Added ${user.name} (${user.role}${whose}).\n`);
        if (generated) io.stdout.write(`Password: ${password} (shown this once)\n`);
      }),
  };
}

function passwordCommand(io: Io): CommandModule {
  return {
    command: 'password <name>',
    describe: 'Give a user a new password',
    builder: (argv) =>
      argv
        .positional('name', { type: 'string', describe: 'Who' })
        .option('password-stdin', { type: 'boolean', describe: 'Read the password from standard input' })
        .option('sc-cloud-login', SC_CLOUD_LOGIN),
    handler: (args: Arguments) =>
      withUsers(args, io, 'refuse', async (users) => {
        const { password, generated } = await passwordFrom(args, io);
        const scCloud = args['scCloudLogin'] as boolean | undefined;
        await users.change([String(args['name'])], { password, scCloud }, operator());
        io.stdout.write(`Changed the password of ${String(args['name'])}.\n`);
        if (generated) io.stdout.write(`Password: ${password} (shown this once)\n`);
      }),
  };
}

function roleCommand(io: Io): CommandModule {
  return {
    command: 'role <name> <role>',
    describe: 'Give a user another role',
    builder: (argv) =>
      argv.positional('name', { type: 'string', describe: 'Who' }).positional('role', {
        choices: ROLES,
        describe: 'viewer reads, operator also acts, admin also manages users',
        demandOption: true,
      }),
    handler: (args: Arguments) =>
      withUsers(args, io, 'refuse', async (users) => {
        const [name, role] = [String(args['name']), args['role'] as Role];
        await users.change([name], { role }, operator());
        io.stdout.write(`${name} is ${role} now.\n`);
      }),
  };
}

/** A command that changes one thing of a user, and nothing that is asked for. */
function changeCommand(
  io: Io,
  command: string,
  {
    describe,
    change,
    said,
  }: {
    readonly describe: string;
    readonly change: Parameters<Users['change']>[1];
    /** Of the user, who is named before it. */
    readonly said: string;
  },
): CommandModule {
  return {
    command: `${command} <name>`,
    describe,
    builder: (argv) => argv.positional('name', { type: 'string', describe: 'Who' }),
    handler: (args: Arguments) =>
      withUsers(args, io, 'refuse', async (users) => {
        const name = String(args['name']);
        await users.change([name], change, operator());
        io.stdout.write(`${name} ${said}.\n`);
      }),
  };
}

function removeCommand(io: Io): CommandModule {
  return {
    command: 'remove <name>',
    describe: 'Remove a user, with his tokens',
    builder: (argv) => argv.positional('name', { type: 'string', describe: 'Who' }),
    handler: (args: Arguments) =>
      withUsers(args, io, 'refuse', async (users) => {
        await users.remove(String(args['name']), operator());
        io.stdout.write(`Removed ${String(args['name'])}.\n`);
      }),
  };
}

function listCommand(io: Io): CommandModule {
  return {
    command: 'list',
    describe: 'List the users',
    builder: (argv) =>
      argv
        .option('organization', organizationOption('Only users of this organization'))
        .option('json', { type: 'boolean', describe: 'Print the users as JSON' }),
    handler: (args: Arguments) =>
      withUsers(args, io, 'refuse', async (users, store) => {
        const within = (await organizationIn(args, store))?.id ?? null;
        const found: User[] = [];
        for await (const user of users.scan({ within })) found.push(user);
        const all = await withSlugs(found, store);
        if (args['json']) {
          io.stdout.write(`${JSON.stringify(all, null, 2)}\n`);
        } else if (all.length === 0) {
          io.stdout.write('No users yet: ferry user add NAME makes one.\n');
        } else {
          const areOfOrganizations = all.some(({ organization }) => organization !== undefined);
          const rows = all.map((user) => [
            user.name,
            user.role,
            ...(areOfOrganizations ? [user.organization ?? ''] : []),
            user.active ? 'yes' : 'no',
            timeText(user.createdAtMs),
          ]);
          const head = ['Name', 'Role', ...(areOfOrganizations ? ['Organization'] : []), 'Active', 'Created'];
          io.stdout.write(`${tableText(head, rows, columnsOf(io.stdout))}\n`);
        }
      }),
  };
}

function sessionsCommand(io: Io): CommandModule {
  return {
    command: 'sessions <name>',
    describe: 'List where a user is logged in by a page, or at an API that has sessions of its own',
    builder: (argv) =>
      argv
        .positional('name', { type: 'string', describe: 'Who' })
        .option('json', { type: 'boolean', describe: 'Print the sessions as JSON' }),
    handler: (args: Arguments) =>
      withInstallation(args, io, 'refuse', async ({ sessions }) => {
        const all = await sessions.ofUser(String(args['name']));
        const shown = all.map(({ id, kind = 'page', createdAtMs, lastUsedAtMs, address, userAgent }) => ({
          id,
          kind,
          createdAtMs,
          lastUsedAtMs,
          address,
          userAgent,
        }));
        if (args['json']) {
          io.stdout.write(`${JSON.stringify(shown, null, 2)}\n`);
        } else if (all.length === 0) {
          io.stdout.write(`${String(args['name'])} has no sessions.\n`);
        } else {
          const rows = shown.map((each) => [
            each.id,
            each.kind,
            timeText(each.createdAtMs),
            timeText(each.lastUsedAtMs),
            each.address,
            each.userAgent,
          ]);
          const titles = ['Session', 'Kind', 'Begun', 'Last used', 'From', 'By'];
          io.stdout.write(`${tableText(titles, rows, columnsOf(io.stdout))}\n`);
        }
      }),
  };
}

function logOutCommand(io: Io): CommandModule {
  return {
    command: 'log-out <name>',
    describe: 'End all sessions of a user, on all nodes at once',
    builder: (argv) => argv.positional('name', { type: 'string', describe: 'Who' }),
    handler: (args: Arguments) =>
      withInstallation(args, io, 'refuse', async ({ sessions }) => {
        const count = await sessions.endAll(String(args['name']), operator());
        io.stdout.write(
          `Ended ${count} ${count === 1 ? 'session' : 'sessions'} of ${String(args['name'])}.\n`,
        );
      }),
  };
}

async function withUsers(
  args: Arguments,
  io: Io,
  whereMissing: 'make' | 'refuse',
  run: (users: Users, store: Store) => Promise<void>,
): Promise<void> {
  await withInstallation(args, io, whereMissing, ({ users, store }) =>
    saying(OrganizationError, () => saying(UserError, () => run(users, store))),
  );
}
