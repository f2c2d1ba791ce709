import { invalid } from './api-error.js';
import { type Parameter, parameterValue } from './parameter.js';
import type { Checked, Schema } from './schema.js';

/** How the query of a route is read. */
export interface QueryKind<Query> {
  /** As the OpenAPI document lists them. */
  readonly parameters: readonly Parameter[];
  /** @throws ApiError 400 naming the parameter */
  read(query: URLSearchParams): Query;
}

/** The values of a query by name; those that have a default are always there. What is not checked is the text that came. */
export type QueryValues<P extends readonly Parameter[]> = {
  readonly [Each in P[number] as Each['schema'] extends Initial ? Each['name'] : never]: ValueOf<
    Each['schema']
  >;
} & {
  readonly [Each in P[number] as Each['schema'] extends Initial ? never : Each['name']]?: ValueOf<
    Each['schema']
  >;
};

interface Initial {
  readonly default: unknown;
  readonly expected: string;
}

type ValueOf<S extends Schema> = S extends { readonly expected: string } ? Checked<S> : string;

const NAME_CHARACTERS_SHOWN = 100;

/** A query of these parameters, each at most once, and no others. */
export function closedQuery<const P extends readonly Parameter[]>(
  ...parameters: P
): QueryKind<QueryValues<P>> {
  return {
    parameters,
    read(query) {
      // Each value comes from the parameter that its type comes from.
      return takeAll(parameters, query) as QueryValues<P>;
    },
  };
}

/** A query of whatever the handler makes of it, beside the parameters that the document lists. */
export function openQuery(...parameters: readonly Parameter[]): QueryKind<URLSearchParams> {
  return { parameters, read: (query) => query };
}

function takeAll(parameters: readonly Parameter[], query: URLSearchParams): Record<string, unknown> {
  const texts = new Map<string, string>();
  for (const [name, text] of query) {
    if (texts.has(name) || !parameters.some((each) => each.name === name)) {
      const names = parameters.map((each) => each.name).join(', ');
      const expected = names === '' ? 'no query parameters' : `each of ${names} once`;
      throw invalid(name.slice(0, NAME_CHARACTERS_SHOWN), expected);
    }
    texts.set(name, text);
  }
  const values: Record<string, unknown> = {};
  for (const parameter of parameters) {
    const { name, schema } = parameter;
    const isChecked = schema['expected'] !== undefined;
    const initial = isChecked && schema['default'] !== undefined ? String(schema['default']) : undefined;
    const text = texts.get(name) ?? initial;
    if (text !== undefined) values[name] = isChecked ? parameterValue(parameter, text) : text;
  }
  return values;
}
