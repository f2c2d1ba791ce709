import { readFile } from 'node:fs/promises';
import process from 'node:process';
import type { Argv, Options } from 'yargs';
import { createLogger, type Logger, systemClock } from '../common/index.js';
import { CONFIG_NAMES, type Config, ConfigError, flagOf, OPTIONS, parseConfig } from './config.js';
import { type Installation, openInstallation } from './installation.js';

/** Something a user can set right: printed without a stack. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  /** @param exitCode  1: what was asked for did not come true; 2: it was not asked for rightly */
  constructor(
    message: string,
    readonly exitCode: 1 | 2 = 1,
  ) {
    super(message);
  }
}

export type Arguments = Readonly<Record<string, unknown>>;

/** Adds the named options of the configuration, and `--config FILE`, to a command. */
export function withConfig<T>(argv: Argv<T>, names: readonly (keyof Config)[]): Argv<T> {
  for (const name of names) argv.option(flagOf(name), optionOf(name));
  return argv.option('config', {
    type: 'string',
    requiresArg: true,
    describe: 'JSON file with any of these options, named as ferry config prints them',
    group: 'General:',
  }) as Argv<T>;
}

function optionOf(name: keyof Config): Options {
  const spec = OPTIONS[name];
  const value = spec.default;
  const shown =
    value === '' || value === false || (Array.isArray(value) && value.length === 0)
      ? {}
      : { defaultDescription: String(value) };
  const common = { describe: spec.describe, group: spec.group, ...shown };
  if (typeof value === 'boolean') return { ...common, type: 'boolean' };
  // No yargs default: it could not be told from a flag, and a flag beats the file.
  if (Array.isArray(value)) return { ...common, type: 'array', string: true, nargs: 1, requiresArg: true };
  return { ...common, type: typeof value === 'number' ? 'number' : 'string', requiresArg: true };
}

/**
 * The configuration of this call: flags before environment before file before defaults.
 * @throws ConfigError
 */
export async function configOf(args: Arguments): Promise<Config> {
  const file = typeof args['config'] === 'string' ? await readConfigFile(args['config']) : {};
  const given: Record<string, unknown> = { ...file };
  for (const name of CONFIG_NAMES) if (args[name] !== undefined) given[name] = args[name];
  return parseConfig(given);
}

async function readConfigFile(path: string): Promise<Record<string, unknown>> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new ConfigError(`--config ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new ConfigError(`--config ${path}: must be a JSON object, as ferry config --json prints`);
  }
  const unknown = Object.keys(parsed).filter((name) => !CONFIG_NAMES.some((known) => known === name));
  if (unknown.length > 0) {
    throw new ConfigError(
      `--config ${path}: there is no option ${unknown.join(', ')}; ferry config lists them`,
    );
  }
  return { ...parsed };
}

export function loggerOf(config: Config): Logger {
  return createLogger({ level: config.logLevel, format: config.logFormat, stream: process.stderr });
}

/** Opens the data directory for one command and closes it behind it. Several processes may have it open. */
export async function withInstallation<T>(
  args: Arguments,
  run: (installation: Installation, config: Config) => Promise<T>,
): Promise<T> {
  const config = await configOf(args);
  // A command's own words say what happened; of the log only what went wrong is of interest.
  const logger = createLogger({ level: 'error', format: config.logFormat });
  const installation = await openInstallation(config, { clock: systemClock, logger });
  try {
    return await run(installation, config);
  } finally {
    await installation.close();
  }
}

/** Resolves with the first signal that asks this process to end. */
export function endSignal(): Promise<'SIGINT' | 'SIGTERM'> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve('SIGINT'));
    process.once('SIGTERM', () => resolve('SIGTERM'));
  });
}
