import type { NamedValue, XsdType } from './soap/index.js';

export type DataModelRoot = 'Device.' | 'InternetGatewayDevice.';

export interface ModelParameter {
  readonly value: string;
  readonly type: XsdType;
  readonly writable: boolean;
}

/** A data model that is not one; names the parameter and what is wrong with it. */
export class DataModelError extends Error {
  override readonly name = 'DataModelError';
}

export const MODEL_PARAMETERS_MAX = 100_000;
/** Longest path (schema of ParameterValueStruct). */
const PATH_CHARACTERS_MAX = 256;
const VALUE_CHARACTERS_MAX = 32_768;
const PATH_PATTERN = /^(?:Device|InternetGatewayDevice)(?:\.[\p{L}\d_-]+)+$/u;

const MANAGEMENT_SERVER: Readonly<Record<string, ModelParameter>> = {
  URL: { value: '', type: 'string', writable: true },
  Username: { value: '', type: 'string', writable: true },
  Password: { value: '', type: 'string', writable: true },
  PeriodicInformEnable: { value: 'false', type: 'boolean', writable: true },
  PeriodicInformInterval: { value: '3600', type: 'unsignedInt', writable: true },
  ParameterKey: { value: '', type: 'string', writable: false },
  ConnectionRequestURL: { value: '', type: 'string', writable: false },
  ConnectionRequestUsername: { value: '', type: 'string', writable: true },
  ConnectionRequestPassword: { value: '', type: 'string', writable: true },
};

const DEVICE_INFO: Readonly<Record<string, ModelParameter>> = {
  Manufacturer: { value: '', type: 'string', writable: false },
  ManufacturerOUI: { value: '', type: 'string', writable: false },
  ProductClass: { value: '', type: 'string', writable: false },
  SerialNumber: { value: '', type: 'string', writable: false },
  HardwareVersion: { value: '1.0', type: 'string', writable: false },
  SoftwareVersion: { value: '1.0.0', type: 'string', writable: false },
  ProvisioningCode: { value: '', type: 'string', writable: true },
};

/** What every Inform carries where the model has it (TR-181 2.x and TR-098, "Forced Inform"; then the WAN address). */
const FORCED_INFORM = [
  'DeviceSummary',
  'RootDataModelVersion',
  'DeviceInfo.SpecVersion',
  'DeviceInfo.HardwareVersion',
  'DeviceInfo.SoftwareVersion',
  'DeviceInfo.ProvisioningCode',
  'ManagementServer.ParameterKey',
  'ManagementServer.ConnectionRequestURL',
  'WANDevice.1.WANConnectionDevice.1.WANIPConnection.1.ExternalIPAddress',
  'IP.Interface.1.IPv4Address.1.IPAddress',
] as const;

/**
 * One kind of device: its parameters with their defaults. Immutable, so that a whole fleet shares one; what differs from CPE to
 * CPE is kept in its {@link ParameterSet}.
 */
export class DataModel {
  readonly root: DataModelRoot;
  /** Full paths of the parameters of an Inform. */
  readonly informPaths: readonly string[];
  readonly #parameters: ReadonlyMap<string, ModelParameter>;
  readonly #objects: ReadonlyMap<string, boolean>;
  /** Parameters and objects in code-unit order: what is below a path lies together. */
  readonly #sorted: readonly string[];

  /**
   * What every CPE needs (ManagementServer, DeviceInfo) is added where it is missing.
   * @param objects  paths ending in a dot, and whether instances can be added; parents of parameters need not be named
   * @throws DataModelError
   */
  constructor(
    parameters: ReadonlyMap<string, ModelParameter>,
    objects: ReadonlyMap<string, boolean> = new Map(),
  ) {
    if (parameters.size > MODEL_PARAMETERS_MAX)
      throw new DataModelError(`a data model has at most ${MODEL_PARAMETERS_MAX} parameters`);
    this.root = rootOf(parameters);
    const all = new Map<string, ModelParameter>();
    for (const [name, parameter] of Object.entries(DEVICE_INFO))
      all.set(`${this.root}DeviceInfo.${name}`, parameter);
    for (const [name, parameter] of Object.entries(MANAGEMENT_SERVER))
      all.set(`${this.root}ManagementServer.${name}`, parameter);
    for (const [path, parameter] of parameters) {
      checkParameter(path, parameter, this.root);
      all.set(path, parameter);
    }
    this.#parameters = all;
    this.#objects = withParents(all.keys(), objects);
    for (const path of this.#objects.keys()) {
      if (all.has(path.slice(0, -1)))
        throw new DataModelError(`${path}: is an object and a parameter at once`);
    }
    this.#sorted = [...all.keys(), ...this.#objects.keys()].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    this.informPaths = FORCED_INFORM.map((path) => this.root + path).filter((path) => all.has(path));
  }

  parameter(path: string): ModelParameter | undefined {
    return this.#parameters.get(path);
  }

  /** For an object: whether instances can be added; undefined where there is no such object. */
  object(path: string): boolean | undefined {
    return this.#objects.get(path);
  }

  /** Parameters and objects (ending in a dot) below an object, not itself; the empty path is above the root. */
  *below(path: string): Generator<string> {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#sorted[middle] ?? '') < path) low = middle + 1;
      else high = middle;
    }
    for (let index = low; index < this.#sorted.length; index++) {
      const name = this.#sorted[index] ?? '';
      if (!name.startsWith(path)) return;
      if (name !== path) yield name;
    }
  }
}

function rootOf(parameters: ReadonlyMap<string, ModelParameter>): DataModelRoot {
  for (const path of parameters.keys()) {
    return path.startsWith('InternetGatewayDevice.') ? 'InternetGatewayDevice.' : 'Device.';
  }
  throw new DataModelError('a data model needs at least one parameter');
}

function checkParameter(path: string, parameter: ModelParameter, root: DataModelRoot): void {
  const shown = JSON.stringify(path.slice(0, 100));
  if (!path.startsWith(root)) throw new DataModelError(`${shown}: all paths must begin with ${root}`);
  if (path.length > PATH_CHARACTERS_MAX || !PATH_PATTERN.test(path))
    throw new DataModelError(`${shown}: is no parameter path of at most ${PATH_CHARACTERS_MAX} characters`);
  if (parameter.value.length > VALUE_CHARACTERS_MAX)
    throw new DataModelError(`${shown}: its value has more than ${VALUE_CHARACTERS_MAX} characters`);
  // Numbers and dates are often left empty in a dump of a real device: what it does not know.
  if (parameter.value !== '' && !isValueOf(parameter.type, parameter.value))
    throw new DataModelError(`${shown}: its value is no ${parameter.type}`);
}

function withParents(paths: Iterable<string>, objects: ReadonlyMap<string, boolean>): Map<string, boolean> {
  const all = new Map<string, boolean>();
  for (const path of [...paths, ...objects.keys()]) {
    for (let dot = path.indexOf('.'); dot >= 0; dot = path.indexOf('.', dot + 1)) {
      const parent = path.slice(0, dot + 1);
      if (!all.has(parent)) all.set(parent, objects.get(parent) ?? false);
    }
  }
  return all;
}

const INTEGER_RANGES: Readonly<Record<string, readonly [bigint, bigint]>> = {
  int: [-(2n ** 31n), 2n ** 31n - 1n],
  unsignedInt: [0n, 2n ** 32n - 1n],
  long: [-(2n ** 63n), 2n ** 63n - 1n],
  unsignedLong: [0n, 2n ** 64n - 1n],
};

/** Whether a text is a value of an XML Schema type. */
export function isValueOf(type: XsdType, value: string): boolean {
  switch (type) {
    case 'string':
      return value.length <= VALUE_CHARACTERS_MAX;
    case 'boolean':
      return /^(?:0|1|true|false)$/.test(value);
    case 'dateTime':
      return (
        /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)?$/.test(value) &&
        !Number.isNaN(Date.parse(value))
      );
    case 'base64':
      return value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value);
    case 'int':
    case 'unsignedInt':
    case 'long':
    case 'unsignedLong': {
      const range = INTEGER_RANGES[type];
      if (range === undefined || !/^[+-]?\d{1,20}$/.test(value)) return false;
      const number = BigInt(value.replace(/^\+/, ''));
      return number >= range[0] && number <= range[1];
    }
    default:
      return neverType(type);
  }
}

function neverType(type: never): never {
  throw new TypeError(`no such type: ${String(type)}`);
}

/** The parameters of one CPE: a shared model and, copied on write, what differs from it. */
export class ParameterSet {
  readonly model: DataModel;
  readonly #own = new Map<string, string>();

  constructor(model: DataModel) {
    this.model = model;
  }

  /** Path of a parameter given below the root (`DeviceInfo.SoftwareVersion`). */
  path(relative: string): string {
    return this.model.root + relative;
  }

  /** Its value, or undefined where the model has no such parameter. */
  value(path: string): string | undefined {
    return this.#own.get(path) ?? this.model.parameter(path)?.value;
  }

  /** Sets a value whatever `writable` says (the device itself does); parameters that the model lacks are ignored. */
  set(path: string, value: string): void {
    const parameter = this.model.parameter(path);
    if (parameter === undefined) return;
    if (parameter.value === value) this.#own.delete(path);
    else this.#own.set(path, value);
  }

  /** As the wire shows it: secrets read as empty (TR-181, e.g. ManagementServer.Password). */
  named(path: string): NamedValue | undefined {
    const parameter = this.model.parameter(path);
    if (parameter === undefined) return undefined;
    const value = /(?:Password|KeyPassphrase)$/.test(path) ? '' : (this.value(path) ?? '');
    return { name: path, value, type: parameter.type };
  }
}
