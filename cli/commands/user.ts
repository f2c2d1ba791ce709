import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import type { CommandModule } from 'yargs';
import { ROLES, type Role, UserError, type Users } from '../../nbi/index.js';
import {
  type Arguments,
  CommandError,
  INSTALLATION_OPTIONS,
  withConfig,
  withInstallation,
} from '../command.js';
import { columnsOf, type Io, tableText, timeText } from '../io.js';
import { SAY_WHICH } from '../usage.js';

const GENERATED_PASSWORD_BYTES = 18;

export function userCommands(io: Io): CommandModule {
  return {
    command: 'user',
    describe: 'Users of the northbound interface',
    builder: (argv) =>
      withConfig(argv, INSTALLATION_OPTIONS)
        .command(addCommand(io))
        .command(passwordCommand(io))
        .command(removeCommand(io))
        .command(listCommand(io))
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
        .option('password-stdin', { type: 'boolean', describe: 'Read the password from standard input' }),
    handler: (args: Arguments) =>
      withUsers(args, io, 'make', async (users) => {
        const { password, generated } = await passwordFrom(args, io);
        const user = await users.add({ name: String(args['name']), password, role: args['role'] as Role });
        io.stdout.write(`Added ${user.name} (${user.role}).\n`);
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
        .option('password-stdin', { type: 'boolean', describe: 'Read the password from standard input' }),
    handler: (args: Arguments) =>
      withUsers(args, io, 'refuse', async (users) => {
        const { password, generated } = await passwordFrom(args, io);
        await users.setPassword(String(args['name']), password);
        io.stdout.write(`Changed the password of ${String(args['name'])}.\n`);
        if (generated) io.stdout.write(`Password: ${password} (shown this once)\n`);
      }),
  };
}

function removeCommand(io: Io): CommandModule {
  return {
    command: 'remove <name>',
    describe: 'Remove a user',
    builder: (argv) => argv.positional('name', { type: 'string', describe: 'Who' }),
    handler: (args: Arguments) =>
      withUsers(args, io, 'refuse', async (users) => {
        await users.remove(String(args['name']));
        io.stdout.write(`Removed ${String(args['name'])}.\n`);
      }),
  };
}

function listCommand(io: Io): CommandModule {
  return {
    command: 'list',
    describe: 'List the users',
    builder: (argv) => argv.option('json', { type: 'boolean', describe: 'Print the users as JSON' }),
    handler: (args: Arguments) =>
      withUsers(args, io, 'refuse', async (users) => {
        const all = await users.list();
        if (args['json']) {
          io.stdout.write(`${JSON.stringify(all, null, 2)}\n`);
        } else if (all.length === 0) {
          io.stdout.write('No users yet: ferry user add NAME makes one.\n');
        } else {
          const rows = all.map((user) => [user.name, user.role, timeText(user.createdAtMs)]);
          io.stdout.write(`${tableText(['Name', 'Role', 'Created'], rows, columnsOf(io.stdout))}\n`);
        }
      }),
  };
}

async function withUsers(
  args: Arguments,
  io: Io,
  whereMissing: 'make' | 'refuse',
  run: (users: Users) => Promise<void>,
): Promise<void> {
  await withInstallation(args, io, whereMissing, async ({ users }) => {
    try {
      await run(users);
    } catch (error) {
      if (error instanceof UserError) throw new CommandError(error.message);
      throw error;
    }
  });
}

async function passwordFrom(args: Arguments, io: Io): Promise<{ password: string; generated: boolean }> {
  if (args['passwordStdin']) return { password: await firstLine(io), generated: false };
  if (!io.stdin.isTTY)
    return { password: randomBytes(GENERATED_PASSWORD_BYTES).toString('base64url'), generated: true };
  const [password, again] = await askHidden(['Password: ', 'Again: '], io);
  if (password === undefined || password !== again) throw new CommandError('The two passwords differ.');
  return { password, generated: false };
}

const LINE_BYTES_MAX = 8 * 1024;

async function firstLine(io: Io): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of io.stdin) {
    const bytes = Buffer.from(chunk);
    chunks.push(bytes);
    sizeBytes += bytes.length;
    if (bytes.includes('\n')) break;
    if (sizeBytes > LINE_BYTES_MAX)
      throw new CommandError('Standard input holds no password: its line is too long.');
  }
  const line = Buffer.concat(chunks).toString().split('\n')[0]?.replace(/\r$/, '') ?? '';
  if (line === '') throw new CommandError('Standard input holds no password.');
  return line;
}

/** Asks one thing after the other; what is typed is not shown. */
async function askHidden(prompts: readonly string[], io: Io): Promise<string[]> {
  // readline echoes to its output; this one swallows what is typed.
  const muted = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: io.stdin, output: muted, terminal: true });
  // Not one question after the other: lines that are pasted together come before the second is asked.
  const answered = lines[Symbol.asyncIterator]();
  const answers: string[] = [];
  try {
    for (const prompt of prompts) {
      io.stderr.write(prompt);
      const answer = await answered.next();
      io.stderr.write('\n');
      // Ctrl-C and Ctrl-D end the lines.
      if (answer.done) throw new CommandError('No password was given.', 130);
      answers.push(answer.value);
    }
    return answers;
  } finally {
    lines.close();
  }
}
