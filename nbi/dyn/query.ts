import {
  type Checked,
  invalid,
  type JsonObject,
  type Parameter,
  parameterValue,
  type Schema,
} from '../http/index.js';
import { FILTER_VALUES_MAX } from '../limits.js';
import type { Position } from './entry.js';
import {
  type BoundFilter,
  boundFromJson,
  boundFromTexts,
  type FieldFilter,
  filterFromJson,
  filterFromTexts,
  timeFromText,
} from './fields.js';
import { EVERY_ID, parseIdPattern } from './id-pattern.js';
import { type Order, parsePosition } from './order.js';
import type { Options } from './parameters.js';
import type { ListFormatName, Selection, Words } from './storage.js';

export interface Query {
  readonly selection: Selection;
  /** Nothing narrows the selection. */
  readonly everything: boolean;
  readonly limit: number | null;
  readonly order: Order;
  readonly after: Position | null;
  /** So many entries come before the first that is listed. */
  readonly offset: number;
  /** `all=true`: PUT and DELETE of everything are meant. */
  readonly all: boolean;
  /** `parameters=true`: a CPE with its data model. */
  readonly parameters: boolean;
  /** `dryRun=true`: nothing is changed. */
  readonly dryRun: boolean;
  /** `cascade=true`: what is deleted goes with what is in it. */
  readonly cascade: boolean;
  /** How a list is written; null: as `Accept` says. */
  readonly format: ListFormatName | null;
}

/**
 * Reads the path's pattern and the query of a call on a storage.
 * @param options  the parameters beside fields that this call takes
 * @throws ApiError 400 naming the parameter
 */
export function parseQuery(
  storage: Words,
  patternSource: string,
  query: URLSearchParams,
  options: Options,
): Query {
  const pattern = parseIdPattern(patternSource);
  const order = parseOrder(storage, textOf(query, options.sort));
  const after = textOf(query, options.after);
  const offset = optionOf(query, options.offset);
  if (after !== null && offset !== null)
    throw invalid('offset', 'left out beside after, which says where the page begins');
  const fieldNames = [...new Set(query.keys())].filter((name) => !Object.hasOwn(options, name));
  const idLists = fieldNames
    .filter((name) => storage.idNames.includes(name))
    .map((name) => checkIds(name, query.getAll(name)));
  const fieldFilters = fieldNames
    .filter((name) => !storage.idNames.includes(name))
    .map((name) => {
      const texts = query.getAll(name);
      return boundFromTexts(storage.fields, name, texts) ?? filterFromTexts(storage.fields, name, texts);
    });
  const filters = [...fieldFilters, ...timeBounds(query, options)];
  return {
    selection: { pattern, idLists, filters, everyRevision: optionOf(query, options.revision) === 'all' },
    everything: pattern.all && idLists.length === 0 && filters.length === 0,
    limit: optionOf(query, options.limit),
    order,
    after: after === null ? null : parsePosition(after, order),
    offset: offset ?? 0,
    all: optionOf(query, options.all) ?? false,
    parameters: optionOf(query, options.parameters) ?? false,
    dryRun: optionOf(query, options.dryRun) ?? false,
    cascade: optionOf(query, options.cascade) ?? false,
    format: optionOf(query, options.format),
  };
}

/**
 * The same of what an object asks for, field by field, in the place of a query.
 * @param criteria  by the names of a query's parameters: a value of the field's type, or an array of them
 * @throws ApiError 400 naming the field
 */
export function selectionOf(storage: Words, criteria: JsonObject): Pick<Query, 'selection' | 'everything'> {
  const idLists: (readonly string[])[] = [];
  const filters: FieldFilter[] = [];
  for (const [name, value] of Object.entries(criteria)) {
    if (storage.idNames.includes(name)) idLists.push(idsFromJson(name, value));
    else
      filters.push(boundFromJson(storage.fields, name, value) ?? filterFromJson(storage.fields, name, value));
  }
  return {
    selection: { pattern: EVERY_ID, idLists, filters, everyRevision: false },
    everything: idLists.length === 0 && filters.length === 0,
  };
}

function idsFromJson(name: string, value: unknown): readonly string[] {
  const { anyOf } = filterFromJson({ [name]: 'string' }, name, value);
  return [...anyOf].map(String);
}

/** What `since` and `until` ask of the field `time`. */
function timeBounds(query: URLSearchParams, { since, until }: Options): readonly BoundFilter[] {
  const bounds = [
    [since, '>='],
    [until, '<'],
  ] as const;
  return bounds.flatMap(([parameter, is]) => {
    const text = textOf(query, parameter);
    if (parameter === undefined || text === null) return [];
    return [{ path: 'time', is, bound: timeFromText(parameter.name, text) }];
  });
}

/** Null where the parameter is not taken, or not there. */
function textOf(query: URLSearchParams, parameter: Parameter | undefined): string | null {
  if (parameter === undefined) return null;
  const values = query.getAll(parameter.name);
  if (values.length > 1) throw invalid(parameter.name, 'this parameter once', values.length);
  return values[0] ?? null;
}

function optionOf<S extends Schema>(
  query: URLSearchParams,
  parameter: Parameter<S> | undefined,
): Checked<S> | null {
  const text = textOf(query, parameter);
  return parameter === undefined || text === null ? null : parameterValue(parameter, text);
}

function checkIds(name: string, ids: readonly string[]): readonly string[] {
  if (ids.length > FILTER_VALUES_MAX) throw invalid(name, `at most ${FILTER_VALUES_MAX} ids`, ids.length);
  return ids;
}

function parseOrder(storage: Words, text: string | null): Order {
  if (text === null) return { field: null, descending: storage.order === 'descending' };
  const descending = text.startsWith('-');
  const field = descending ? text.slice(1) : text;
  if (field.includes('.') || !Object.hasOwn(storage.fields, field)) {
    throw invalid('sort', 'a top-level field, with - before it for descending', text);
  }
  return { field, descending };
}
