import { type DataModel, DataModelError } from './data-model.js';
import { loadDataModel } from './data-model-files.js';
import { FAULT_SYNTAX, FaultSyntaxError, faultsOf, parseFaultAssignment } from './fault.js';
import { FLEET_CPES_MAX, type FleetOptions } from './fleet.js';
import { AUTH_SCHEMES, type AuthScheme } from './http-auth.js';
import { CWMP_VERSIONS } from './soap/index.js';

/** One option of `ferry sim`, for the command line and its help. */
export interface OptionDescription {
  readonly type: 'string' | 'number' | 'boolean';
  readonly description: string;
  readonly default?: string | number | boolean;
  readonly choices?: readonly string[];
  readonly required?: true;
  readonly repeatable?: true;
}

/** The options of `ferry sim` by their names on the command line. */
export const simulatorOptions = {
  acs: {
    type: 'string',
    required: true,
    description: 'URL of the ACS, as the CPEs know it (http://localhost:7547/)',
  },
  count: { type: 'number', default: 1, description: `how many CPEs, 1 to ${FLEET_CPES_MAX}` },
  'serial-prefix': { type: 'string', default: 'SIM', description: 'serial numbers are this and six digits' },
  'first-serial': { type: 'number', default: 1, description: 'number of the first CPE' },
  oui: { type: 'string', default: '00A1B2', description: 'manufacturer OUI, six upper-case hex digits' },
  'product-class': { type: 'string', default: 'HGW-1', description: 'product class, at most 64 characters' },
  'software-version': { type: 'string', default: '1.0.0', description: 'version the CPEs start with' },
  model: {
    type: 'string',
    default: 'tr181',
    description: 'data model: tr181, tr098, or a file ending in .json or .csv (also as GenieACS exports it)',
  },
  cwmp: { type: 'string', default: '1.2', choices: CWMP_VERSIONS, description: 'CWMP version to speak' },
  interval: {
    type: 'number',
    description: 'seconds between periodic Informs, whatever the ACS sets; by default as the ACS sets it',
  },
  'reboot-ms': { type: 'number', default: 1_000, description: 'how long a reboot takes, in milliseconds' },
  fault: {
    type: 'string',
    repeatable: true,
    description: `fault to inject, as INDEX=FAULT, FIRST-LAST=FAULT or *=FAULT with indexes from 1; faults are ${FAULT_SYNTAX.join(', ')}`,
  },
  user: { type: 'string', description: 'user name for the ACS, by Basic or Digest as it asks' },
  password: {
    type: 'string',
    description: 'password for the ACS; a flag is in the process list, so better as FERRY_SIM_PASSWORD',
  },
  'auth-scheme': {
    type: 'string',
    default: 'basic',
    choices: AUTH_SCHEMES,
    description: 'which of Basic and Digest is taken where the ACS offers both',
  },
  listen: {
    type: 'string',
    default: '127.0.0.1:0',
    description: 'HOST:PORT where connection requests come in; port 0 is any',
  },
  'public-host': { type: 'string', description: 'host that the ACS reaches --listen by, if another' },
  ramp: { type: 'number', default: 0, description: 'spread the first contacts over so many seconds' },
  'retry-ms': {
    type: 'number',
    default: 5_000,
    description: 'first wait before a failed session is tried again, in milliseconds; it doubles each time',
  },
  json: {
    type: 'boolean',
    default: false,
    description: 'print one JSON event a line in place of the progress',
  },
} as const satisfies Readonly<Record<string, OptionDescription>>;

/** The options of a run, by their command-line names; those with a default may be absent. */
export interface SimulatorCommandOptions {
  readonly acs: string;
  readonly count?: number;
  readonly 'serial-prefix'?: string;
  readonly 'first-serial'?: number;
  readonly oui?: string;
  readonly 'product-class'?: string;
  readonly 'software-version'?: string;
  readonly model?: string;
  readonly cwmp?: string;
  readonly interval?: number | undefined;
  readonly 'reboot-ms'?: number;
  readonly fault?: readonly string[] | undefined;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly 'auth-scheme'?: string;
  readonly listen?: string;
  readonly 'public-host'?: string | undefined;
  readonly ramp?: number;
  readonly 'retry-ms'?: number;
  readonly json?: boolean;
}

/** An option that is not what it may be; the message names it. */
export class SimulatorOptionError extends Error {
  override readonly name = 'SimulatorOptionError';
}

const WEEK_S = 7 * 24 * 3_600;

/**
 * Checks the options of a run and loads its data model.
 * @throws SimulatorOptionError
 */
export async function fleetOptionsOf(options: SimulatorCommandOptions): Promise<FleetOptions> {
  const acs = URL.canParse(options.acs) ? new URL(options.acs) : null;
  if (acs === null || (acs.protocol !== 'http:' && acs.protocol !== 'https:'))
    throw new SimulatorOptionError('--acs: must be an http or https URL');
  const oui = options.oui ?? simulatorOptions.oui.default;
  if (!/^[0-9A-F]{6}$/.test(oui))
    throw new SimulatorOptionError('--oui: must be six upper-case hex digits, such as 00A1B2');
  const cwmp = options.cwmp ?? simulatorOptions.cwmp.default;
  const cwmpVersion = CWMP_VERSIONS.find((version) => version === cwmp);
  if (cwmpVersion === undefined)
    throw new SimulatorOptionError(`--cwmp: must be one of ${CWMP_VERSIONS.join(', ')}`);
  const assignments = parsed('--fault', () => (options.fault ?? []).map(parseFaultAssignment));
  const interval =
    options.interval === undefined
      ? {}
      : { periodicIntervalMs: number(options, 'interval', 0.01, WEEK_S) * 1_000 };
  return {
    acsUrl: options.acs,
    ...credentials(options),
    authScheme: authScheme(options),
    dataModel: await model(options.model ?? simulatorOptions.model.default),
    count: whole(options, 'count', 1, FLEET_CPES_MAX),
    oui,
    productClass: shortText(options, 'product-class', 64),
    serialPrefix: shortText(options, 'serial-prefix', 48),
    firstSerial: whole(options, 'first-serial', 0, 1_000_000_000),
    softwareVersion: shortText(options, 'software-version', 64),
    cwmpVersion,
    ...interval,
    rebootMs: number(options, 'reboot-ms', 0, WEEK_S * 1_000),
    retryMs: number(options, 'retry-ms', 1, WEEK_S * 1_000),
    rampMs: number(options, 'ramp', 0, WEEK_S) * 1_000,
    faults: (index) => faultsOf(assignments, index),
    listen: listenAddress(options),
  };
}

type NumberOption = 'count' | 'first-serial' | 'interval' | 'reboot-ms' | 'ramp' | 'retry-ms';
type TextOption = 'product-class' | 'serial-prefix' | 'software-version';

function number(options: SimulatorCommandOptions, name: NumberOption, min: number, max: number): number {
  const description = simulatorOptions[name];
  const value = options[name] ?? ('default' in description ? description.default : Number.NaN);
  if (!(value >= min && value <= max))
    throw new SimulatorOptionError(`--${name}: must be a number from ${min} to ${max}`);
  return value;
}

function whole(options: SimulatorCommandOptions, name: NumberOption, min: number, max: number): number {
  const value = number(options, name, min, max);
  if (!Number.isInteger(value)) throw new SimulatorOptionError(`--${name}: must be a whole number`);
  return value;
}

function shortText(options: SimulatorCommandOptions, name: TextOption, charactersMax: number): string {
  const value = options[name] ?? simulatorOptions[name].default;
  if (value.length > charactersMax)
    throw new SimulatorOptionError(`--${name}: must have at most ${charactersMax} characters`);
  return value;
}

function credentials(options: SimulatorCommandOptions): Pick<FleetOptions, 'acsCredentials'> {
  const { user, password } = options;
  if (user === undefined && password === undefined) return {};
  if (user === undefined || user === '') throw new SimulatorOptionError('--user: is needed with --password');
  return { acsCredentials: { username: user, password: password ?? '' } };
}

function authScheme(options: SimulatorCommandOptions): AuthScheme {
  const said = options['auth-scheme'] ?? simulatorOptions['auth-scheme'].default;
  const scheme = AUTH_SCHEMES.find((known) => known === said);
  if (scheme === undefined)
    throw new SimulatorOptionError(`--auth-scheme: must be one of ${AUTH_SCHEMES.join(', ')}`);
  return scheme;
}

function listenAddress(options: SimulatorCommandOptions): NonNullable<FleetOptions['listen']> {
  const text = options.listen ?? simulatorOptions.listen.default;
  const match = /^(?:\[(?<v6>[0-9a-f:.]+)\]|(?<host>[^:[\]]+)):(?<port>\d{1,5})$/i.exec(text)?.groups;
  const host = match?.['v6'] ?? match?.['host'];
  const port = Number(match?.['port']);
  if (host === undefined || !(port <= 65_535))
    throw new SimulatorOptionError('--listen: must be HOST:PORT, such as 127.0.0.1:0 or [::1]:7548');
  const publicHost = options['public-host'];
  if (publicHost !== undefined && !/^[A-Za-z0-9.:_-]{1,253}$/.test(publicHost))
    throw new SimulatorOptionError('--public-host: must be a host name or an address');
  return publicHost === undefined ? { host, port } : { host, port, publicHost };
}

function parsed<T>(option: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof FaultSyntaxError) throw new SimulatorOptionError(`${option}: ${error.message}`);
    throw error;
  }
}

async function model(nameOrFile: string): Promise<DataModel> {
  try {
    return await loadDataModel(nameOrFile);
  } catch (error) {
    if (error instanceof DataModelError) throw new SimulatorOptionError(`--model: ${error.message}`);
    throw error;
  }
}
