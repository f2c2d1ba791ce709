import { type Checked, check, type Schema } from './schema.js';

/** A parameter of a path, a query or a header, as the OpenAPI document lists it. */
export interface Parameter<S extends Schema = Schema, Name extends string = string> {
  readonly name: Name;
  readonly in: 'path' | 'query' | 'header';
  readonly required?: boolean;
  readonly description?: string;
  readonly schema: S;
  readonly example?: unknown;
  readonly style?: 'form';
  readonly explode?: boolean;
}

export function queryParameter<const Name extends string>(
  name: Name,
  description: string,
): Parameter<{ readonly type: 'string' }, Name>;
export function queryParameter<const Name extends string, const S extends Schema>(
  name: Name,
  description: string,
  schema: S,
): Parameter<S, Name>;
export function queryParameter(
  name: string,
  description: string,
  schema: Schema = { type: 'string' },
): Parameter {
  return { name, in: 'query', description, schema };
}

/**
 * A parameter's value from its text.
 * @throws ApiError 400 with the text, in the words of its schema
 */
export function parameterValue<S extends Schema>({ name, schema }: Parameter<S>, text: string): Checked<S> {
  return check(schema, name, typed(schema, text), text);
}

/** As the schema's type; the text itself where it is no such value, for the schema to refuse. */
function typed({ type }: Schema, text: string): unknown {
  if (type === 'integer' && /^\d{1,9}$/.test(text)) return Number(text);
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}
