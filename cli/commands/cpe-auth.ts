import { basename } from 'node:path';
import type { CommandModule } from 'yargs';
import { CREDENTIALS_A_BATCH_MAX, CredentialError, type ShownCredential } from '../../acs/index.js';
import type { CpeId } from '../../common/index.js';
import { type Arguments, CommandError, INSTALLATION_OPTIONS, operator, withConfig } from '../command.js';
import { badLine, type LoginBatch, readLogins } from '../cpe-logins.js';
import { withCredentials } from '../credentials-access.js';
import { readingFile } from '../files.js';
import { columnsOf, countOf, type Io, tableText, timeText } from '../io.js';
import { passwordFrom } from '../password-input.js';
import { type ProgressBar, progressBar } from '../progress.js';
import { SAY_WHICH } from '../usage.js';

export function cpeAuthCommands(io: Io): CommandModule {
  return {
    command: 'cpe-auth',
    describe: 'What single CPEs log in with, beside the pair that the fleet shares',
    builder: (argv) =>
      withConfig(argv, [...INSTALLATION_OPTIONS, 'cpeid'])
        .command(importCommand(io))
        .command(setCommand(io))
        .command(showCommand(io))
        .command(removeCommand(io))
        .demandCommand(1, SAY_WHICH),
    handler() {},
  };
}

function importCommand(io: Io): CommandModule {
  return {
    command: 'import <file>',
    describe: 'Take over the credentials of many CPEs, from CSV or NDJSON',
    builder: (argv) =>
      argv
        .positional('file', {
          type: 'string',
          describe: 'Lines of cpeid, username and password; without a user name that is the cpeid',
        })
        .option('dry-run', { type: 'boolean', describe: 'Only check every line' })
        .example('$0 cpe-auth import cpes.csv', 'With a first line of cpeid,username,password'),
    handler: (args: Arguments) =>
      withCredentials(args, io, 'make', async ({ credentials, problemIn, settle }) => {
        const path = String(args['file']);
        // The whole file first: nothing of one with a damaged line is to be taken over where that can be known.
        const total = await overFile(path, io, 'Checking', async ({ logins, lines }) => {
          for (const [index, login] of logins.entries()) {
            const problem = problemIn(login);
            if (problem !== null) throw badLine(lines[index] ?? 0, problem);
          }
        });
        if (args['dryRun']) {
          io.stdout.write(`${countOf(total, 'line')}, and nothing is wrong with them. Nothing was stored.\n`);
          return;
        }
        await settle();
        const by = operator();
        let stored = 0;
        let unchanged = 0;
        await overFile(path, io, 'Storing', async ({ logins, lines }) => {
          const outcome = await credentials.put(logins, by, basename(path)).catch((error: unknown) => {
            if (!(error instanceof CredentialError)) throw error;
            throw badLine(
              lines[error.index] ?? 0,
              `${error.message}. ${countOf(stored + unchanged, 'line')} before it are stored; mend it, and import the whole file again.`,
            );
          });
          stored += outcome.stored;
          unchanged += outcome.unchanged;
        });
        io.stdout.write(
          `Stored the credentials of ${countOf(stored, 'line')}; ${unchanged} were there already.\n`,
        );
      }),
  };
}

/** @returns how many lines there are */
function overFile(
  path: string,
  io: Io,
  title: string,
  take: (batch: LoginBatch) => Promise<void>,
): Promise<number> {
  return readingFile(path, async (text, sizeBytes) => {
    const bar: ProgressBar = progressBar(io, { title, total: sizeBytes, unit: 'bytes' });
    let lines = 0;
    let taking = Promise.resolve();
    try {
      for await (const batch of readLogins(text, CREDENTIALS_A_BATCH_MAX)) {
        await taking;
        lines += batch.logins.length;
        bar.at(batch.bytesRead);
        // The next are read meanwhile.
        taking = take(batch);
        taking.catch(() => {});
      }
      await taking;
      bar.at(sizeBytes);
      return lines;
    } catch (error) {
      // What is wrong with an earlier line goes first.
      await taking;
      throw error;
    } finally {
      bar.stop();
    }
  });
}

function setCommand(io: Io): CommandModule {
  return {
    command: 'set <id>',
    describe: 'Give a CPE credentials; asks for the password, or makes one where it cannot ask',
    builder: (argv) =>
      argv
        .positional('id', { type: 'string', describe: 'As DeviceStorage shows it' })
        .option('username', { type: 'string', requiresArg: true, describe: 'What it logs in as [the cpeid]' })
        .option('password-stdin', { type: 'boolean', describe: 'Read the password from standard input' }),
    handler: (args: Arguments) =>
      withCredentials(args, io, 'make', async ({ credentials, problemIn, settle }) => {
        const cpeid = String(args['id']) as CpeId;
        const username = args['username'] === undefined ? cpeid : String(args['username']);
        const { password, generated } = await passwordFrom(args, io);
        const login = { cpeid, username, password };
        const problem = problemIn(login);
        if (problem !== null) throw new CommandError(problem);
        await settle();
        const { stored } = await credentials.put([login], operator());
        io.stdout.write(
          stored > 0
            ? `${cpeid} logs in as ${username} from now on; what it had before is right until then.\n`
            : `${cpeid} has these credentials already.\n`,
        );
        if (generated) io.stdout.write(`Password: ${password} (shown this once)\n`);
      }),
  };
}

function showCommand(io: Io): CommandModule {
  return {
    command: 'show <id>',
    describe: 'What a CPE logs in as, never its password',
    builder: (argv) =>
      argv
        .positional('id', { type: 'string', describe: 'As DeviceStorage shows it' })
        .option('json', { type: 'boolean', describe: 'Print them as JSON' }),
    handler: (args: Arguments) =>
      withCredentials(args, io, 'refuse', async ({ credentials }) => {
        const cpeid = String(args['id']) as CpeId;
        const shown = await credentials.of(cpeid);
        if (args['json']) {
          io.stdout.write(`${JSON.stringify(shown, null, 2)}\n`);
          return;
        }
        if (shown.length === 0) throw new CommandError(`${cpeid} has no credentials of its own.`);
        const rows = shown.map(({ username, sinceMs, provenMs }: ShownCredential) => [
          username,
          timeText(sinceMs),
          provenMs === null ? 'not yet' : timeText(provenMs),
        ]);
        io.stdout.write(`${tableText(['User name', 'Since', 'Used first'], rows, columnsOf(io.stdout))}\n`);
      }),
  };
}

function removeCommand(io: Io): CommandModule {
  return {
    command: 'remove <id>',
    describe: 'Take the credentials of a CPE away: the shared pair is right for it again',
    builder: (argv) => argv.positional('id', { type: 'string', describe: 'As DeviceStorage shows it' }),
    handler: (args: Arguments) =>
      withCredentials(args, io, 'refuse', async ({ credentials }) => {
        const cpeid = String(args['id']) as CpeId;
        if ((await credentials.remove(cpeid, operator())) === 0)
          throw new CommandError(`${cpeid} has no credentials of its own.`);
        io.stdout.write(`Removed the credentials of ${cpeid}.\n`);
      }),
  };
}
