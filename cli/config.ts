import { availableParallelism } from 'node:os';
import { Ajv, type ValidateFunction } from 'ajv';
import { subnetList } from '../common/index.js';
import { imageTypeIn, PUBLIC_URL_CHARACTERS_MAX } from '../firmware/index.js';
import { checkPassword } from '../nbi/index.js';
import { isBoardParameter } from '../rules/index.js';
import { CONFIG_NAMES, type Config, flagOf, MASK, OPTIONS } from './options.js';

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * Checks a configuration and fills in defaults.
 * @param given  values by name, from whatever source; undefined counts as not given
 * @param origins  how the user wrote an option, for the errors; by default as a flag
 * @throws ConfigError that names each option at fault and what it should be
 */
export function parseConfig(
  given: Readonly<Record<string, unknown>>,
  origins: Readonly<Record<string, string>> = {},
): Config {
  const config: Record<string, unknown> = {};
  for (const name of CONFIG_NAMES) config[name] = given[name] ?? OPTIONS[name].default;
  const validate = configCheck();
  if (validate(config)) {
    checkTogether(config, origins);
    return config;
  }
  const names = new Set((validate.errors ?? []).map(({ instancePath }) => instancePath.split('/')[1]));
  const wrong = CONFIG_NAMES.filter((name) => names.has(name)).map((name) => {
    const found = OPTIONS[name].secret ? '' : foundText(config[name]);
    return `${origins[name] ?? `--${flagOf(name)}`} must be ${OPTIONS[name].expected}${found}`;
  });
  throw new ConfigError(wrong.join('\n'));
}

let compiled: ValidateFunction<Config> | null = null;

/** Compiled once in a process, when it is first needed. */
function configCheck(): ValidateFunction<Config> {
  compiled ??= new Ajv({ allErrors: true, strict: true, formats: FORMATS }).compile<Config>({
    type: 'object',
    properties: Object.fromEntries(CONFIG_NAMES.map((name) => [name, OPTIONS[name].schema])),
  });
  return compiled;
}

/** What would be of no effect beside another option is refused: who gives it relies on it. */
function checkTogether(config: Config, origins: Readonly<Record<string, string>>): void {
  if (!config.connectionRequestBasic || config.connectionRequestAuth === '') return;
  const [basic, auth] = (['connectionRequestBasic', 'connectionRequestAuth'] as const).map(
    (name) => origins[name] ?? `--${flagOf(name)}`,
  );
  throw new ConfigError(
    `${basic} is for passwords of each CPE's own, and must be left out beside ${auth}: what all CPEs share is never sent in the clear`,
  );
}

/** What was written into an address where a password does not belong: it is refused for that, and not said again. */
function withoutUrlSecrets(text: string): string {
  return text.replace(/\/\/[^/?#"]*@/g, `//${MASK}@`).replace(/\?[^"#]*/g, `?${MASK}`);
}

const FOUND_CHARACTERS_MAX = 200;

function foundText(value: unknown): string {
  if (Number.isNaN(value)) return '';
  const text = withoutUrlSecrets(JSON.stringify(value));
  return `, not ${text.length > FOUND_CHARACTERS_MAX ? `${text.slice(0, FOUND_CHARACTERS_MAX)}…` : text}`;
}

const FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  listen: (text) =>
    /^(\[[0-9a-fA-F:.]+\]|[^:[\]]+):\d{1,5}$/.test(text) && parseListen(text).port <= PORT_MAX,
  subnet: isSubnet,
  // What express is told to trust has at least one bit: whoever believes everybody believes nobody.
  proxy: (text) => isSubnet(text) && !/\/0+$/.test(text),
  // Not the end of an address, below which other addresses would be taken for names of CPEs.
  'device-domain': (text) =>
    text === '' || (/^[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63}){0,94}$/.test(text) && /[a-z-][^.]*$/.test(text)),
  'image-type': (text) => imageTypeIn(text) !== null,
  'board-parameter': (text) => text === '' || isBoardParameter(text),
  password: (text) => text === '' || isPassword(text),
  'store-url': (text) =>
    text === '' || /^mongodb(\+srv)?:\/\/([^@?\s]*@)?[^/@?\s]+(\/[^@?\s]*(\?\S*)?)?$/.test(text),
  'file-url': (text) => {
    const { subnet, url } = parseFileUrl(text);
    return (subnet === null || (subnet.includes('/') && isSubnet(subnet))) && isBaseUrl(url);
  },
};
const PORT_MAX = 65_535;

function isPassword(text: string): boolean {
  try {
    checkPassword(text);
    return true;
  } catch {
    return false;
  }
}

function isSubnet(text: string): boolean {
  try {
    subnetList([text]);
    return true;
  } catch {
    return false;
  }
}

function isBaseUrl(text: string): boolean {
  if (!URL.canParse(text) || /[?#]/.test(text)) return false;
  const { protocol, username, password, href } = new URL(text);
  return (
    /^https?:$/.test(protocol) && `${username}${password}` === '' && href.length <= PUBLIC_URL_CHARACTERS_MAX
  );
}

/** An entry of `publicFileUrl` taken apart; the subnet is null where the URL is for everyone else. */
export function parseFileUrl(entry: string): { readonly subnet: string | null; readonly url: string } {
  const [, subnet, url] = /^([0-9a-fA-F:./]+)=(https?:.*)$/.exec(entry) ?? [];
  return subnet === undefined || url === undefined ? { subnet: null, url: entry } : { subnet, url };
}

/** A configuration that keeps to this machine, on whatever ports are free, and lets its CPEs in: for the demo, benchmarks and tests. */
export function loopbackConfig(dataDir: string, given: Readonly<Record<string, unknown>> = {}): Config {
  const anyPort = '127.0.0.1:0';
  return parseConfig({
    dataDir,
    cwmpListen: anyPort,
    nbiListen: anyPort,
    fileListen: anyPort,
    allowAnonymousCpe: true,
    connectionRequestSubnet: ['127.0.0.0/8'],
    ...given,
  });
}

/** HOST:PORT taken apart; brackets of an IPv6 address removed. */
export function parseListen(listen: string): { host: string; port: number } {
  const colon = listen.lastIndexOf(':');
  return { host: listen.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(listen.slice(colon + 1)) };
}

/** How many processes serve. */
export function workersOf({ workers }: Config): number {
  return workers === 0 ? availableParallelism() : workers;
}

/** USER:PASSWORD taken apart; null where it is empty. */
export function parseCredentials(text: string): { username: string; password: string } | null {
  if (text === '') return null;
  const colon = text.indexOf(':');
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** The secrets that a configuration holds. */
export function secretsIn(config: Config): (keyof Config)[] {
  return CONFIG_NAMES.filter((name) => OPTIONS[name].secret && maskedValue(config, name) !== config[name]);
}

/** The secret `name` of a configuration as it may be printed. */
export function maskedValue(config: Config, name: keyof Config): string {
  const secret = String(config[name]);
  return secret === '' ? '' : (OPTIONS[name].shown?.(secret) ?? MASK);
}
