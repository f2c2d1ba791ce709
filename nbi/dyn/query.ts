import { invalid } from '../http/index.js';
import { FILTER_VALUES_MAX } from '../limits.js';
import { filterFromTexts } from './fields.js';
import { parseIdPattern } from './id-pattern.js';
import { type Order, type Position, parsePosition } from './order.js';
import type { Selection, Storage } from './storage.js';

/** Query parameters that are not fields. */
export type Option = 'limit' | 'after' | 'sort' | 'all' | 'revision' | 'parameters';

export interface Query {
  readonly selection: Selection;
  /** Nothing narrows the selection. */
  readonly everything: boolean;
  readonly limit: number | null;
  readonly order: Order;
  readonly after: Position | null;
  /** `all=true`: PUT and DELETE of everything are meant. */
  readonly all: boolean;
  /** `parameters=true`: a CPE with its data model. */
  readonly parameters: boolean;
}

/**
 * Reads the path's pattern and the query of a call on a storage.
 * @param options  the parameters beside fields that this call takes
 * @throws ApiError 400 naming the parameter
 */
export function parseQuery(
  storage: Storage,
  patternSource: string,
  query: URLSearchParams,
  options: readonly Option[],
  pageItemsMax: number,
): Query {
  const pattern = parseIdPattern(patternSource);
  const option = (name: Option) => takeOption(query, options, name);
  const order = parseOrder(storage, option('sort'));
  const after = option('after');
  const fieldNames = [...new Set(query.keys())].filter((name) => !options.some((each) => each === name));
  const idLists = fieldNames
    .filter((name) => storage.idNames.includes(name))
    .map((name) => checkIds(name, query.getAll(name)));
  const filters = fieldNames
    .filter((name) => !storage.idNames.includes(name))
    .map((name) => filterFromTexts(storage.fields, name, query.getAll(name)));
  return {
    selection: { pattern, idLists, filters, everyRevision: parseRevision(option('revision')) },
    everything: pattern.all && idLists.length === 0 && filters.length === 0,
    limit: parseLimit(option('limit'), pageItemsMax),
    order,
    after: after === null ? null : parsePosition(after, order),
    all: parseFlag('all', option('all')),
    parameters: parseFlag('parameters', option('parameters')),
  };
}

function takeOption(query: URLSearchParams, options: readonly Option[], name: Option): string | null {
  if (!options.includes(name)) return null;
  const values = query.getAll(name);
  if (values.length > 1) throw invalid(name, 'this parameter once', values.length);
  return values[0] ?? null;
}

function checkIds(name: string, ids: readonly string[]): readonly string[] {
  if (ids.length > FILTER_VALUES_MAX) throw invalid(name, `at most ${FILTER_VALUES_MAX} ids`, ids.length);
  return ids;
}

function parseLimit(text: string | null, pageItemsMax: number): number | null {
  if (text === null) return null;
  const limit = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > pageItemsMax) {
    throw invalid('limit', `1 to ${pageItemsMax}; without limit the whole list is sent`, text);
  }
  return limit;
}

function parseFlag(name: Option, text: string | null): boolean {
  if (text === null || text === 'false') return false;
  if (text === 'true') return true;
  throw invalid(name, 'true or false', text);
}

function parseRevision(text: string | null): boolean {
  if (text === null || text === 'current') return false;
  if (text === 'all') return true;
  throw invalid('revision', 'current (the file and target the rule has now) or all', text);
}

function parseOrder(storage: Storage, text: string | null): Order {
  if (text === null) return { field: null, descending: storage.order === 'descending' };
  const descending = text.startsWith('-');
  const field = descending ? text.slice(1) : text;
  if (field.includes('.') || !Object.hasOwn(storage.fields, field)) {
    throw invalid('sort', 'a top-level field, with - before it for descending', text);
  }
  return { field, descending };
}
