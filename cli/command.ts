import { readFileSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import type { Argv, Options } from 'yargs';
import { createLogger, exists, type LogFields, type Logger, systemClock } from '../common/index.js';
import { type Actor, byCommand } from '../events/index.js';
import { type Arguments, readConfig, variableOf } from './config-sources.js';
import { type Ambient, type Installation, openInstallation } from './installation.js';
import type { Io } from './io.js';
import { type Config, flagOf, OPTIONS } from './options.js';
import { checkPaths } from './paths.js';

export type { Arguments } from './config-sources.js';

/** Something a user can set right: printed without a stack. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  /** @param exitCode  1: what was asked for did not come true; 2: it was not asked for rightly; 128 and a signal: ended by it */
  constructor(
    message: string,
    readonly exitCode: 1 | 2 | 130 | 143 = 1,
  ) {
    super(message);
  }
}

/** What says where an installation is. */
export const INSTALLATION_OPTIONS = [
  'store',
  'dataDir',
  'secretFile',
  'acceptEmptyStore',
] as const satisfies readonly (keyof Config)[];

/** For the subcommands of a command with options of the configuration: yargs hands the options on to them, but not this. */
export const CONFIG_EPILOGUE =
  'These can also be given as variables (--data-dir as FERRY_DATA_DIR, several values separated by commas) or ' +
  'in a file (--config). A flag goes before a variable, a variable before the file.';

/** Adds the named options of the configuration, and `--config FILE`, to a command. */
export function withConfig<T>(argv: Argv<T>, names: readonly (keyof Config)[]): Argv<T> {
  for (const name of names) argv.option(flagOf(name), optionOf(name));
  return argv
    .option('config', {
      type: 'string',
      requiresArg: true,
      describe: 'JSON file with any of these options, named as ferry config --json prints them',
      group: 'General:',
    })
    .epilogue(CONFIG_EPILOGUE) as Argv<T>;
}

function optionOf(name: keyof Config): Options {
  const spec = OPTIONS[name];
  const value = spec.default;
  const shown =
    value === '' || value === false || (Array.isArray(value) && value.length === 0)
      ? {}
      : { defaultDescription: String(value) };
  const describe = spec.secret ? `${spec.describe}; ${aboutSecretFlag(name)}` : spec.describe;
  const common = { describe, group: spec.group, ...shown };
  if (typeof value === 'boolean') return { ...common, type: 'boolean' };
  // No yargs default: it could not be told from a flag, and a flag beats the file.
  if (Array.isArray(value)) return { ...common, type: 'array', string: true, nargs: 1, requiresArg: true };
  return { ...common, type: typeof value === 'number' ? 'number' : 'string', requiresArg: true };
}

/** Whoever is on the machine reads the flags of every process. */
function aboutSecretFlag(name: keyof Config): string {
  return `as a flag it is in the process list: better ${variableOf(name)} or --config`;
}

export function loggerOf(config: Config, fields: LogFields = {}): Logger {
  return createLogger({ level: config.logLevel, format: config.logFormat, stream: process.stderr, fields });
}

/**
 * Opens an installation for one command and closes it behind it. Several processes may have it open.
 * @param whereMissing  `make` one, or `refuse`: to freeze an empty directory beside the real one would stop nothing
 * @param more  what is not as for any other command
 * @throws CommandError where it is missing and is not to be made
 */
export async function withInstallation<T>(
  args: Arguments,
  io: Io,
  whereMissing: 'make' | 'refuse',
  run: (installation: Installation, config: Config) => Promise<T>,
  more: Pick<Ambient, 'databaseTimeoutMs'> = {},
): Promise<T> {
  const config = await readConfig(args, io.environment);
  await checkDataDirectory(config, io, whereMissing);
  await checkPaths(config);
  // A command's own words say what happened; of the log only what went wrong is of interest.
  const logger = createLogger({ level: 'error', format: config.logFormat });
  const installation = await openInstallation(config, { clock: systemClock, logger, ...more }, whereMissing);
  try {
    return await run(installation, config);
  } finally {
    await installation.close();
  }
}

/**
 * Does a command's work, and has what refuses it said as it is.
 * @param refusal  the class of error whose message is for the user
 * @throws CommandError in its place
 */
export async function saying<T>(
  refusal: abstract new (...args: never) => Error,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof refusal) throw new CommandError(error.message);
    throw error;
  }
}

/**
 * On the embedded store, says that a data directory will be made, or refuses to.
 * @throws CommandError where it is missing and is not to be made
 */
export async function checkDataDirectory(
  config: Config,
  io: Io,
  whereMissing: 'make' | 'refuse',
): Promise<void> {
  if (config.store !== '') return;
  const path = resolve(config.dataDir);
  const barred = await access(join(config.dataDir, 'store')).then(
    () => false,
    (error: NodeJS.ErrnoException) => error.code === 'EACCES',
  );
  if (barred) {
    throw new CommandError(
      `${path}: ${operatorName()} may not enter it. Run the command as the user that the server runs as, or as root.`,
    );
  }
  if (await exists(join(config.dataDir, 'store'))) return;
  if (whereMissing === 'refuse') {
    throw new CommandError(
      `There is no Ferry data in ${path}: say with --data-dir where the server keeps it, or with --store in which database.`,
    );
  }
  io.stderr.write(`Making a new data directory, ${path}\n`);
}

/** What `--limit` says. @throws CommandError */
export function limitOf(args: Arguments, max: number): number {
  const limit = Number(args['limit']);
  if (!Number.isInteger(limit) || limit < 1 || limit > max) {
    throw new CommandError(`--limit: must be a whole number from 1 to ${max}`, 2);
  }
  return limit;
}

/** Who runs this command, for the log of events. */
export function operator(): Actor {
  return byCommand(operatorName());
}

/** Who runs this command. A container's user often has a number only. */
export function operatorName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}

export type EndSignal = 'SIGINT' | 'SIGTERM';

/** Resolves with the first signal that asks this process to end; a second one does not wait for whatever the first set off. */
export function endSignal(): Promise<EndSignal> {
  return new Promise((resolveSignal) => {
    let asked = false;
    const take = (signal: EndSignal): void => {
      if (asked) process.exit(exitCodeOf(signal));
      asked = true;
      resolveSignal(signal);
    };
    process.on('SIGINT', take);
    process.on('SIGTERM', take);
  });
}

/**
 * Has SIGHUP mean what it means to servers, from now on: it never ends this process, be it of a terminal that closes or of whoever turns logs over.
 * @param reload  called each time; must not throw
 */
export function onHangUp(reload: () => void): void {
  process.on('SIGHUP', reload);
}

/** What a shell says of a process that a signal ended. */
export function exitCodeOf(signal: EndSignal): 130 | 143 {
  return signal === 'SIGINT' ? 130 : 143;
}

/** The version of Ferry that this is. */
export function packageVersion(): string {
  const path = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}
