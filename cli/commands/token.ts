import type { CommandModule } from 'yargs';
import { DAY_MS, systemClock } from '../../common/index.js';
import {
  ROLES,
  type Role,
  TOKEN_DAYS_DEFAULT,
  TOKEN_DAYS_MAX,
  type Token,
  TokenError,
  type Users,
} from '../../nbi/index.js';
import type { Store } from '../../store/index.js';
import {
  type Arguments,
  CommandError,
  INSTALLATION_OPTIONS,
  operator,
  saying,
  withConfig,
  withInstallation,
} from '../command.js';
import { columnsOf, type Io, tableText, timeText } from '../io.js';
import { organizationIn, organizationOption, withSlugs } from '../organization-option.js';
import { SAY_WHICH } from '../usage.js';

export function tokenCommands(io: Io): CommandModule {
  return {
    command: 'token',
    describe: 'Tokens, by which scripts log in to the northbound interface',
    builder: (argv) =>
      withConfig(argv, INSTALLATION_OPTIONS)
        .command(createCommand(io))
        .command(listCommand(io))
        .command(revokeCommand(io))
        .demandCommand(1, SAY_WHICH),
    handler() {},
  };
}

function createCommand(io: Io): CommandModule {
  return {
    command: 'create',
    describe: 'Make a token of a user, and show it this once',
    builder: (argv) =>
      argv
        .option('user', { type: 'string', requiresArg: true, demandOption: true, describe: 'Whose it is' })
        .option('name', {
          type: 'string',
          requiresArg: true,
          demandOption: true,
          describe: 'What it is for, as lists show it',
        })
        .option('role', {
          choices: ROLES,
          describe: "What it is limited to, at most the user's own role, which is the default",
        })
        .option('days', {
          type: 'number',
          requiresArg: true,
          default: TOKEN_DAYS_DEFAULT,
          describe: `When it expires: 1 to ${TOKEN_DAYS_MAX} days from now`,
        })
        .option('subnet', {
          type: 'array',
          string: true,
          nargs: 1,
          requiresArg: true,
          describe: 'From where it may be used, as in 192.0.2.0/24; repeatable; else from anywhere',
        })
        .option('json', { type: 'boolean', describe: 'Print the token as JSON' })
        .example('$0 token create --user oss --name "nightly job" --role viewer', 'Reads, for a year'),
    handler: (args: Arguments) =>
      withTokens(args, io, async ({ tokens }) => {
        const { token, text } = await tokens.create(
          {
            user: String(args['user']),
            name: String(args['name']),
            role: args['role'] as Role | undefined,
            expiresAtMs: systemClock() + daysOf(args['days']) * DAY_MS,
            subnets: (args['subnet'] as readonly string[] | undefined) ?? [],
          },
          operator(),
        );
        if (args['json']) {
          io.stdout.write(`${JSON.stringify({ ...token, token: text }, null, 2)}\n`);
        } else {
          io.stdout.write(
            `Made token ${token.id} of ${token.user} (${token.role}, until ${timeText(token.expiresAtMs)}).\nToken: ${text} (shown this once)\n`,
          );
        }
      }),
  };
}

function daysOf(value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= TOKEN_DAYS_MAX)
    return value;
  throw new CommandError(`--days must be a whole number from 1 to ${TOKEN_DAYS_MAX}`, 2);
}

function listCommand(io: Io): CommandModule {
  return {
    command: 'list',
    describe: 'List the tokens, never with their secret part',
    builder: (argv) =>
      argv
        .option('user', { type: 'string', requiresArg: true, describe: 'Only those of this user' })
        .option('organization', organizationOption('Only those of users of this organization'))
        .option('json', { type: 'boolean', describe: 'Print the tokens as JSON' }),
    handler: (args: Arguments) =>
      withTokens(args, io, async ({ tokens }, store) => {
        const { user } = args;
        const within = (await organizationIn(args, store))?.id ?? null;
        const found: Token[] = [];
        for await (const token of tokens.scan({ within, ...(typeof user === 'string' && { user }) }))
          found.push(token);
        const all = await withSlugs(found, store);
        if (args['json']) {
          io.stdout.write(`${JSON.stringify(all, null, 2)}\n`);
        } else if (all.length === 0) {
          io.stdout.write('No tokens: ferry token create --user NAME --name WHAT-FOR makes one.\n');
        } else {
          const areOfOrganizations = all.some(({ organization }) => organization !== undefined);
          const whose = areOfOrganizations ? ['Organization'] : [];
          const head = ['Id', 'Name', 'User', ...whose, 'Role', 'From', 'Expires', 'Last used'];
          const rows = all.map((token) => rowOf(token, areOfOrganizations));
          io.stdout.write(`${tableText(head, rows, columnsOf(io.stdout))}\n`);
        }
      }),
  };
}

/** By the day, so that an id fits a line: it is what one copies. */
function rowOf(token: Token, areOfOrganizations: boolean): string[] {
  const { id, name, user, organization = '', role, subnets, expiresAtMs, lastUsedMs } = token;
  return [
    id,
    name,
    user,
    ...(areOfOrganizations ? [organization] : []),
    role,
    subnets.length === 0 ? 'anywhere' : subnets.join('\n'),
    expiresAtMs === null ? 'never' : expiresAtMs <= systemClock() ? 'expired' : dayText(expiresAtMs),
    lastUsedMs === undefined ? 'never' : dayText(lastUsedMs),
  ];
}

function dayText(epochMs: number): string {
  return timeText(epochMs).slice(0, 'YYYY-MM-DD'.length);
}

function revokeCommand(io: Io): CommandModule {
  return {
    command: 'revoke <id>',
    describe: 'Let nobody log in by a token any more',
    builder: (argv) =>
      argv.positional('id', { type: 'string', describe: 'As ferry token list shows it: no secret' }),
    handler: (args: Arguments) =>
      withTokens(args, io, async ({ tokens }) => {
        await tokens.revoke(String(args['id']), operator());
        io.stdout.write(`Revoked ${String(args['id'])}.\n`);
      }),
  };
}

async function withTokens(
  args: Arguments,
  io: Io,
  run: (users: Users, store: Store) => Promise<void>,
): Promise<void> {
  await withInstallation(args, io, 'refuse', ({ users, store }) =>
    saying(TokenError, () => run(users, store)),
  );
}
