import { Ajv, type ValidateFunction } from 'ajv';
import { epochMsOf } from '../../common/index.js';
import { invalid } from './api-error.js';
import { isObject } from './json.js';

/**
 * A JSON Schema as routes declare it, with two keywords of its own:
 * - `expected`: what an answer says should stand there, where a value does not hold. A schema without it is shown in the OpenAPI
 *   document and not checked before the handler: whoever acts on such a value checks it.
 * - `untold`: keywords that hold without being shown in the document.
 */
export type Schema = Readonly<Record<string, unknown>>;

/** The type of what a schema lets through; unknown where it is not checked. */
export type Checked<S> = S extends { readonly expected: string } ? ValueOf<S> : unknown;

type ValueOf<S> = S extends { readonly enum: readonly (infer Value)[] }
  ? Value
  : S extends { readonly type: 'string' }
    ? string
    : S extends { readonly type: 'boolean' }
      ? boolean
      : S extends { readonly type: 'integer' | 'number' }
        ? number
        : S extends { readonly type: 'array'; readonly items: infer Item }
          ? readonly Checked<Item>[]
          : S extends { readonly type: 'object' }
            ? Readonly<Record<string, unknown>>
            : unknown;

/**
 * A value that holds to its schema, or is not checked by it.
 * @param field  what problems call it
 * @param found  what they say was found, where that is not the value itself
 * @throws ApiError 400 with the first problem, in the words of the schema
 */
export function check<const S extends Schema>(
  schema: S,
  field: string,
  value: unknown,
  found?: unknown,
): Checked<S> {
  if (schema['expected'] !== undefined) {
    const validate = validatorOf(schema);
    if (!validate(value)) {
      const { parentSchema, data, instancePath } = validate.errors?.[0] ?? {};
      const keys = (instancePath ?? '')
        .split('/')
        .filter((key) => key !== '' && !/^\d+$/.test(key))
        .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
      const expected = String(parentSchema?.['expected'] ?? schema['expected']);
      throw invalid([field, ...keys].join('.'), expected, found ?? data);
    }
  }
  // What the schema says of the value is what its type says.
  return value as Checked<S>;
}

/** What stands there is a value and no schema. */
const VALUES: ReadonlySet<string> = new Set(['const', 'default', 'enum', 'example', 'examples']);

/** The schema, or whatever holds schemas, as the OpenAPI document shows it. */
export function told(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(told);
  if (!isObject(value)) return value;
  const { untold } = value;
  const hidden = ['expected', 'untold', ...(Array.isArray(untold) ? untold : [])];
  const shown = Object.entries(value).filter(([keyword]) => !hidden.includes(keyword));
  return Object.fromEntries(shown.map(([keyword, each]) => [keyword, toldAt(keyword, each)]));
}

function toldAt(keyword: string, value: unknown): unknown {
  if (VALUES.has(keyword)) return value;
  // The names in there are those of properties, whatever they are called.
  if (keyword !== 'properties' || !isObject(value)) return told(value);
  return Object.fromEntries(Object.entries(value).map(([name, schema]) => [name, told(schema)]));
}

const validators = new WeakMap<Schema, ValidateFunction>();
let ajv: Ajv | null = null;

/** Made when a value first comes: most schemas are not needed by a process that has just started. */
function validatorOf(schema: Schema): ValidateFunction {
  const known = validators.get(schema);
  if (known !== undefined) return known;
  ajv ??= createAjv();
  const validate = ajv.compile(schema);
  validators.set(schema, validate);
  return validate;
}

function createAjv(): Ajv {
  // `verbose` tells which schema a value failed at. Lengths are counted as JavaScript does.
  const made = new Ajv({ verbose: true, unicode: false, strict: false, logger: false });
  made.addVocabulary(['expected', 'untold']);
  made.addFormat('date-time', (text: string) => epochMsOf(text) !== null);
  return made;
}
