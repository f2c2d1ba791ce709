import type { Context } from './decision.js';

export interface ContextField {
  readonly type: 'text' | 'list' | 'number' | 'tree';
  /** The CPE may not have reported it. */
  readonly mayBeMissing: boolean;
}

const TEXT: ContextField = { type: 'text', mayBeMissing: false };
const UNSURE_TEXT: ContextField = { type: 'text', mayBeMissing: true };
const NUMBER: ContextField = { type: 'number', mayBeMissing: false };
const LIST: ContextField = { type: 'list', mayBeMissing: false };

const FIELDS: Readonly<Record<keyof Context, ContextField>> = {
  cpeid: TEXT,
  oui: TEXT,
  productClass: TEXT,
  serialNumber: TEXT,
  manufacturer: TEXT,
  modelName: UNSURE_TEXT,
  model: TEXT,
  softwareVersion: UNSURE_TEXT,
  hardwareVersion: UNSURE_TEXT,
  events: LIST,
  tags: LIST,
  organization: TEXT,
  ip: TEXT,
  identity: { type: 'tree', mayBeMissing: false },
  lastInform: NUMBER,
  registered: NUMBER,
  now: NUMBER,
  parameters: { type: 'tree', mayBeMissing: true },
};

/**
 * The fields that are parameters of the data model, below either root: TR-098's InternetGatewayDevice and TR-181's Device. A CPE need
 * not inform of them: ModelName is a forced Inform parameter of neither.
 */
const PARAMETERS = {
  modelName: 'DeviceInfo.ModelName',
  softwareVersion: 'DeviceInfo.SoftwareVersion',
  hardwareVersion: 'DeviceInfo.HardwareVersion',
} as const satisfies Partial<Record<keyof Context, string>>;
const ROOTS = ['Device', 'InternetGatewayDevice'];

export type ParameterField = keyof typeof PARAMETERS;

export const PARAMETER_FIELDS = [
  'modelName',
  'softwareVersion',
  'hardwareVersion',
] as const satisfies readonly ParameterField[];

const NAMES: ReadonlyMap<string, readonly string[]> = new Map(
  // What `model` is cannot be told before the CPE was asked for its ModelName.
  Object.entries({ ...PARAMETERS, model: PARAMETERS.modelName }).map(([field, name]) => [
    field,
    ROOTS.map((root) => `${root}.${name}`),
  ]),
);
const FIELD_OF: ReadonlyMap<string, ParameterField> = new Map(
  PARAMETER_FIELDS.flatMap((field) => (NAMES.get(field) ?? []).map((name) => [name, field] as const)),
);

/** The full names of the parameter that a field stands for, or is taken from, one below each root; none for a field that is no parameter. */
export function parametersOfField(field: string): readonly string[] {
  return NAMES.get(field) ?? [];
}

/** The field that stands for a parameter, by its full name. */
export function fieldOfParameter(name: string): ParameterField | undefined {
  return FIELD_OF.get(name);
}

/** What a CPE is called that conditions ask for by `model`: its ModelName, and its ProductClass as long as it has told none. */
export function modelOf({ modelName, productClass }: Pick<Context, 'modelName' | 'productClass'>): string {
  return modelName || productClass;
}

/** What a condition can read of a CPE, by name: the same as {@link Context}, for those who look at conditions rather than at CPEs. */
export const CONTEXT_FIELDS: ReadonlyMap<string, ContextField> = new Map(Object.entries(FIELDS));
