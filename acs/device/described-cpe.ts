import { Ajv, type ErrorObject } from 'ajv';
import { suggest } from '../../common/index.js';
import type { Context, ParameterValue, RuleProblem } from '../../rules/index.js';
import { cpeidOf } from './cpeid.js';
import type { DescribedCpe, Moment } from './device.js';
import { treeOf } from './parameter-store.js';

const PROBLEMS_MAX = 100;
const FIELD_CHARACTERS_MAX = 256;
const FOUND_CHARACTERS_MAX = 80;
const PARAMETERS_MAX = 10_000;
/** An address that no CPE has, so that `$inSubnet` can be asked about it. */
const NO_ADDRESS = '0.0.0.0';

const text = (description: string) => ({ type: 'string', maxLength: 400, description }) as const;
const texts = (description: string) =>
  ({ type: 'array', maxItems: 1_000, items: text(description), description }) as const;
const time = (description: string) => ({ type: 'integer', minimum: 0, description }) as const;

/** JSON Schema of a CPE that is described rather than known: the fields of a condition's context, and its parameters. */
export const CPE_SCHEMA = {
  type: 'object',
  description: 'a CPE: an object with any of the fields that a condition sees',
  additionalProperties: false,
  properties: {
    cpeid: text('a string; without it what oui, productClass and serialNumber give'),
    oui: text('a string of at most 400 characters'),
    productClass: text('a string of at most 400 characters'),
    serialNumber: text('a string of at most 400 characters'),
    manufacturer: text('a string of at most 400 characters'),
    modelName: text('a string of at most 400 characters'),
    softwareVersion: text('a string of at most 400 characters'),
    hardwareVersion: text('a string of at most 400 characters'),
    organization: text('a string of at most 400 characters'),
    ip: text('an IP address as a string; without it 0.0.0.0'),
    events: texts('event codes as an array of strings; without it ["2 PERIODIC"]'),
    tags: texts('an array of strings'),
    lastInform: time('epoch milliseconds; without it the present'),
    registered: time('epoch milliseconds; without it the present'),
    parameters: {
      type: 'object',
      description: `an object of at most ${PARAMETERS_MAX} parameters by full name ("Device.X.Y": 1)`,
      maxProperties: PARAMETERS_MAX,
      propertyNames: {
        maxLength: 256,
        pattern: '^(Device|InternetGatewayDevice)\\.[\\w.{}-]*\\w$',
        description: 'the full name of a parameter, as in Device.DeviceInfo.UpTime',
      },
      additionalProperties: {
        type: ['string', 'number', 'boolean'],
        maxLength: 1_024,
        description: 'a number, true, false or a string of at most 1024 characters',
      },
    },
  },
} as const;

/** The description of a CPE that cannot be used. */
export class CpeDescriptionError extends Error {
  override readonly name = 'CpeDescriptionError';
  constructor(readonly problems: readonly RuleProblem[]) {
    super(problems.map(({ field, expected }) => `${field || 'cpe'}: ${expected}`).join('; '));
  }
}

type CpeDescription = Partial<Omit<Context, 'cpeid' | 'parameters' | 'now'>> & {
  readonly cpeid?: Context['cpeid'];
  readonly parameters?: Readonly<Record<string, ParameterValue>>;
};

const check = new Ajv({
  strict: true,
  allowUnionTypes: true,
  allErrors: true,
  verbose: true,
}).compile<CpeDescription>(CPE_SCHEMA);

/**
 * A CPE that need not exist, by what conditions would see of it. It has no upgrades behind it, and what its description does not
 * have cannot be asked for.
 * @throws CpeDescriptionError naming each field and what it should be
 */
export function describedCpe(description: unknown, { nowMs, requested = false }: Moment): DescribedCpe {
  if (!check(description)) throw new CpeDescriptionError(problemsOf(check.errors ?? []));
  const { parameters = {}, ...fields } = description;
  const named = { oui: '', productClass: '', serialNumber: '', manufacturer: '', ...fields };
  const cpeid = named.cpeid ?? cpeidOf(named);
  if (cpeid === null) {
    const expected = 'given, where oui, productClass and serialNumber are too long to make one';
    throw new CpeDescriptionError([{ field: 'cpeid', code: 'missing', expected }]);
  }
  return {
    input: {
      context: {
        events: ['2 PERIODIC'],
        tags: [],
        ip: NO_ADDRESS,
        lastInform: nowMs,
        registered: nowMs,
        ...named,
        cpeid,
        now: nowMs,
      },
      readParameters: async () => treeOf(parameters),
      unread: async () => [],
      counts: {},
      requested,
    },
    inFlight: null,
  };
}

function problemsOf(errors: readonly ErrorObject[]): readonly RuleProblem[] {
  return errors
    .filter(({ keyword }) => keyword !== 'propertyNames')
    .slice(0, PROBLEMS_MAX)
    .map(problemOf);
}

function problemOf(error: ErrorObject): RuleProblem {
  const steps = error.instancePath.split('/').slice(1);
  const path = steps.map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  const params: Readonly<Record<string, unknown>> = error.params;
  if (error.keyword === 'additionalProperties') {
    const name = String(params['additionalProperty']);
    return { field: fieldOf([...path, name]), code: 'unknown-field', expected: unknownField(name) };
  }
  const { propertyName } = error;
  const described: unknown = error.parentSchema?.['description'];
  return {
    field: fieldOf(propertyName === undefined ? path : [...path, propertyName]),
    code: propertyName !== undefined ? 'bad-name' : error.keyword === 'type' ? 'wrong-type' : 'out-of-range',
    expected: typeof described === 'string' ? described : (error.message ?? 'something else'),
    found: shorten(propertyName ?? error.data),
  };
}

function unknownField(name: string): string {
  const names = Object.keys(CPE_SCHEMA.properties);
  const near = suggest(name, names);
  return near === null
    ? `no such field; remove it (there are ${names.join(', ')})`
    : `no such field; did you mean "${near}"?`;
}

function fieldOf(path: readonly string[]): string {
  return path.join('.').slice(0, FIELD_CHARACTERS_MAX);
}

function shorten(found: unknown): string {
  const json = JSON.stringify(found) ?? String(found);
  return json.length > FOUND_CHARACTERS_MAX ? `${json.slice(0, FOUND_CHARACTERS_MAX)}…` : json;
}
