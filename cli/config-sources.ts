import { readFile } from 'node:fs/promises';
import { jsonSyntaxError, suggest } from '../common/index.js';
import { ConfigError, parseConfig } from './config.js';
import { CONFIG_NAMES, type Config, flagOf, OPTIONS } from './options.js';

/** Arguments as the command line gave them, by option name. */
export type Arguments = Readonly<Record<string, unknown>>;
export type Environment = Readonly<Record<string, string | undefined>>;

const CONFIG_FILE_BYTES_MAX = 1024 * 1024;
const VARIABLE_PREFIX = 'FERRY_';
const CONFIG_FILE_VARIABLE = 'FERRY_CONFIG';
/** For `ferry sim`, in place of `--password`. */
export const SIM_PASSWORD_VARIABLE = 'FERRY_SIM_PASSWORD';
/** By which `ferry call` logs in. */
export const CALL_TOKEN_VARIABLE = 'FERRY_CALL_TOKEN';
export const CALL_PASSWORD_VARIABLE = 'FERRY_CALL_PASSWORD';
const NAMES_SHOWN_MAX = 20;

/** Values with what the user wrote them as, for the errors. */
interface Given {
  readonly values: Record<string, unknown>;
  readonly origins: Record<string, string>;
}

/**
 * The configuration of this call: flags before environment before file before defaults.
 * @throws ConfigError
 */
export async function readConfig(args: Arguments, environment: Environment): Promise<Config> {
  return (await readConfigAndFile(args, environment)).config;
}

/** A configuration file, and the secrets that it holds. */
export interface ConfigFile {
  readonly path: string;
  readonly secrets: readonly (keyof Config)[];
}

/**
 * The same, and what it was read from.
 * @throws ConfigError
 */
export async function readConfigAndFile(
  args: Arguments,
  environment: Environment,
): Promise<{ readonly config: Config; readonly file: ConfigFile | null }> {
  const path = args['config'] ?? environment[CONFIG_FILE_VARIABLE];
  const file = path === undefined || path === '' ? NOTHING : await fromFile(path);
  const variables = fromEnvironment(environment);
  const flags: Record<string, unknown> = {};
  const origins: Record<string, string> = { ...file.origins, ...variables.origins };
  for (const name of CONFIG_NAMES) {
    if (args[name] === undefined) continue;
    flags[name] = args[name];
    origins[name] = `--${flagOf(name)}`;
  }
  const config = parseConfig({ ...file.values, ...variables.values, ...flags }, origins);
  if (typeof path !== 'string' || file === NOTHING) return { config, file: null };
  const isSecret = (name: keyof Config) => OPTIONS[name].secret === true && Boolean(file.values[name]);
  return { config, file: { path, secrets: CONFIG_NAMES.filter(isSecret) } };
}

const NOTHING: Given = { values: {}, origins: {} };

async function fromFile(path: unknown): Promise<Given> {
  if (typeof path !== 'string') throw new ConfigError('--config must be one path');
  let text: string;
  let parsed: unknown;
  try {
    const bytes = await readFile(path);
    if (bytes.length > CONFIG_FILE_BYTES_MAX) throw new Error(`more than ${CONFIG_FILE_BYTES_MAX} bytes`);
    text = bytes.toString();
  } catch (error) {
    throw new ConfigError(`--config ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  try {
    parsed = JSON.parse(text);
  } catch {
    // What JSON.parse says quotes the text around the place.
    throw new ConfigError(`--config ${path}: is no JSON (${jsonSyntaxError(text)})`);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new ConfigError(`--config ${path}: must be a JSON object, as ferry config --json prints`);
  }
  const values: Record<string, unknown> = { ...parsed };
  const unknown = Object.keys(values).filter((name) => !CONFIG_NAMES.some((known) => known === name));
  if (unknown.length > 0) {
    const named = unknown.slice(0, NAMES_SHOWN_MAX).map((name) => withSuggestion(name, CONFIG_NAMES));
    throw new ConfigError(
      `--config ${path}: there is no option ${named.join(', ')}; ferry config --json prints them all`,
    );
  }
  const origins = Object.fromEntries(Object.keys(values).map((name) => [name, `${name} in ${path}`]));
  return { values, origins };
}

/** A variable that is set but empty counts as not set, as an unset one does that a container's file passes on. */
function fromEnvironment(environment: Environment): Given {
  const values: Record<string, unknown> = {};
  const origins: Record<string, string> = {};
  for (const name of CONFIG_NAMES) {
    const text = environment[variableOf(name)];
    if (text === undefined || text === '') continue;
    values[name] = parsedAs(text, OPTIONS[name].default);
    origins[name] = variableOf(name);
  }
  return { values, origins };
}

/** A text in the type of the option's default; where it is none of that type it stays a text, which no option of another type takes. */
function parsedAs(text: string, like: unknown): unknown {
  if (Array.isArray(like)) return text.split(',').map((item) => item.trim());
  if (typeof like === 'number') return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
  if (typeof like === 'boolean')
    return text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : text;
  return text;
}

/** `FERRY_DATA_DIR` for `dataDir`. */
export function variableOf(name: string): string {
  return `${VARIABLE_PREFIX}${flagOf(name).replaceAll('-', '_').toUpperCase()}`;
}

/**
 * What to say of FERRY_ variables that are no option: a slip of the pen must not go unseen, but others use the prefix too (Kubernetes
 * sets FERRY_SERVICE_HOST in every pod beside a service called ferry).
 * @returns null where there is nothing to say
 */
export function unknownVariables(environment: Environment): string | null {
  const known = [
    ...CONFIG_NAMES.map(variableOf),
    ...[CONFIG_FILE_VARIABLE, SIM_PASSWORD_VARIABLE, CALL_TOKEN_VARIABLE, CALL_PASSWORD_VARIABLE],
  ];
  const unknown = Object.keys(environment)
    .filter((name) => name.startsWith(VARIABLE_PREFIX) && !known.includes(name))
    .sort();
  if (unknown.length === 0) return null;
  const named = unknown.slice(0, NAMES_SHOWN_MAX).map((name) => withSuggestion(name, known));
  return `ignored, as no option is called so: ${named.join(', ')}`;
}

function withSuggestion(name: string, known: readonly string[]): string {
  const near = suggest(name, known);
  return near === null ? name : `${name} (did you mean ${near}?)`;
}
