import { epochMsOf, SECOND_MS, suggest } from '../../common/index.js';
import { invalid, isObject, type JsonObject } from '../http/index.js';
import { FILTER_VALUES_MAX } from '../limits.js';

/** A `time` is a number of epoch seconds. */
export type FieldType = 'string' | 'number' | 'time' | 'boolean' | 'any';

/** The fields of a storage's entries by dotted path; `condition.*` stands for every path below `condition`. */
export type Fields = Readonly<Record<string, FieldType>>;

export type FilterValue = string | number | boolean | null;

/** True where the field, or any element of it where it is an array, is any of the values. */
export interface EqualityFilter {
  readonly path: string;
  readonly anyOf: ReadonlySet<FilterValue>;
}

/** True where the field is a number on that side of the bound. */
export interface BoundFilter {
  readonly path: string;
  readonly is: '<' | '<=' | '>' | '>=';
  readonly bound: number;
}

export type FieldFilter = EqualityFilter | BoundFilter;

const PATH_CHARACTERS_MAX = 512;

/** @throws ApiError 400 where the storage has no such field */
export function fieldType(fields: Fields, path: string): FieldType {
  const [top = ''] = path.split('.', 1);
  const wildcard = path.length > top.length ? fields[`${top}.*`] : undefined;
  const type = Object.hasOwn(fields, path) ? fields[path] : wildcard;
  if (type !== undefined && path.length <= PATH_CHARACTERS_MAX) return type;
  const names = Object.keys(fields).filter((name) => name !== top || fields[`${name}.*`] === undefined);
  const near = suggest(path, names);
  const meant = near === null ? 'there are' : `did you mean ${near}? There are`;
  throw invalid(path.slice(0, 100), `no such field; ${meant} ${names.join(', ')}`);
}

/**
 * A filter from a query parameter, read as its field's type.
 * @throws ApiError 400 where the storage has no such field or the text is no value of its type
 */
export function filterFromTexts(fields: Fields, path: string, texts: readonly string[]): EqualityFilter {
  const type = fieldType(fields, path);
  checkCount(path, texts.length);
  return { path, anyOf: new Set(texts.flatMap((text) => valuesOf(path, type, text))) };
}

/**
 * A filter from a query parameter that compares, as it reads in a URL: `lastInform<1764547200` has no value of its own, and
 * `lastInform<=1764547200` is the value of `lastInform<`. A time may be written out: `registered>2026-11-29T00:00:00Z`.
 * @returns null for a parameter that is no comparison of a field with numbers
 * @throws ApiError 400
 */
export function boundFromTexts(fields: Fields, name: string, texts: readonly string[]): BoundFilter | null {
  const [, path = '', sign = '', equal = '', inName = ''] = /^([^<>]+)([<>])(=?)(.*)$/su.exec(name) ?? [];
  const type = Object.hasOwn(fields, path) ? fields[path] : undefined;
  if (type !== 'number' && type !== 'time') return null;
  const field = `${path}${sign}`;
  const [value = '', ...others] = texts;
  if (others.length > 0 || (inName !== '' && value !== '')) return refuse(field, 'one number', texts.length);
  const text = inName === '' ? value : inName;
  const bound =
    type === 'time' ? timeFromText(field, text) : (toNumber(text) ?? refuse(field, 'a number', text));
  const isStrict = equal === '' && inName !== '';
  const is = sign === '<' ? (isStrict ? '<' : '<=') : isStrict ? '>' : '>=';
  return { path, is, bound };
}

const A_TIME = 'epoch seconds, or a time as in 2026-12-01T02:30:00Z';

/**
 * Epoch seconds, told as such or written out.
 * @param name  of the parameter
 * @throws ApiError 400
 */
export function timeFromText(name: string, text: string): number {
  const epochMs = epochMsOf(text);
  if (epochMs !== null) return epochMs / SECOND_MS;
  return toNumber(text) ?? refuse(name, A_TIME, text);
}

/**
 * A filter from JSON: a value of the field's type, or an array of them.
 * @throws ApiError 400
 */
export function filterFromJson(fields: Fields, path: string, value: unknown): EqualityFilter {
  const type = fieldType(fields, path);
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  checkCount(path, values.length);
  return { path, anyOf: new Set(values.map((each) => scalarOf(path, type, each))) };
}

/**
 * A comparison from JSON, by a name such as `lastInform<=` or `priority>`; a time may be written out.
 * @returns null for a name that is no comparison of a field with numbers
 * @throws ApiError 400
 */
export function boundFromJson(fields: Fields, name: string, value: unknown): BoundFilter | null {
  const is = SIGNS.find((sign) => name.endsWith(sign));
  if (is === undefined) return null;
  const path = name.slice(0, -is.length);
  const type = Object.hasOwn(fields, path) ? fields[path] : undefined;
  if (type !== 'number' && type !== 'time') return null;
  if (typeof value === 'number') return { path, is, bound: value };
  if (type === 'time' && typeof value === 'string') return { path, is, bound: timeFromText(name, value) };
  return refuse(name, type === 'time' ? A_TIME : 'a number', value);
}

const SIGNS = ['<=', '>=', '<', '>'] as const;

function checkCount(path: string, count: number): void {
  if (count === 0 || count > FILTER_VALUES_MAX)
    throw invalid(path, `1 to ${FILTER_VALUES_MAX} values`, count);
}

function valuesOf(path: string, type: FieldType, text: string): readonly FilterValue[] {
  switch (type) {
    case 'string':
      return [text];
    case 'number':
    case 'time':
      return [toNumber(text) ?? refuse(path, 'a number', text)];
    case 'boolean':
      return [toBoolean(text) ?? refuse(path, 'true or false', text)];
    case 'any': {
      const typed = text === 'null' ? null : (toBoolean(text) ?? toNumber(text));
      return typed === undefined ? [text] : [text, typed];
    }
    default:
      return type satisfies never;
  }
}

function scalarOf(path: string, type: FieldType, value: unknown): FilterValue {
  const isScalar =
    value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
  const named = type === 'time' ? 'number' : type;
  if (isScalar && (named === 'any' || typeof value === named)) return value;
  return refuse(
    path,
    `a ${named === 'any' ? 'string, number, boolean or null' : named}, or an array of them`,
    value,
  );
}

function refuse(path: string, expected: string, found: unknown): never {
  throw invalid(path, expected, found);
}

function toNumber(text: string): number | undefined {
  return /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text) ? Number(text) : undefined;
}

function toBoolean(text: string): boolean | undefined {
  return text === 'true' ? true : text === 'false' ? false : undefined;
}

export function holds(filter: FieldFilter, view: JsonObject): boolean {
  const value = valueAt(view, filter.path);
  if ('is' in filter) return typeof value === 'number' && isWithin(filter, value);
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.some((each) => isFilterValue(each) && filter.anyOf.has(each));
}

function isWithin({ is, bound }: BoundFilter, value: number): boolean {
  switch (is) {
    case '<':
      return value < bound;
    case '<=':
      return value <= bound;
    case '>':
      return value > bound;
    case '>=':
      return value >= bound;
    default:
      return is satisfies never;
  }
}

function isFilterValue(value: unknown): value is FilterValue {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}

/** The value at a dotted path, where keys may hold dots themselves: `condition["Interface.1.Up"]`. */
export function valueAt(value: JsonObject, path: string): unknown {
  if (Object.hasOwn(value, path)) return value[path];
  for (let dot = path.indexOf('.'); dot > 0; dot = path.indexOf('.', dot + 1)) {
    const key = path.slice(0, dot);
    const inner = Object.hasOwn(value, key) ? value[key] : undefined;
    if (!isObject(inner)) continue;
    const found = valueAt(inner, path.slice(dot + 1));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The values that a filter on this path admits; null where there is no such filter. */
export function valuesAdmitted(
  filters: readonly FieldFilter[],
  path: string,
): ReadonlySet<FilterValue> | null {
  for (const filter of filters) if (filter.path === path && 'anyOf' in filter) return filter.anyOf;
  return null;
}

/** The string values a filter on this path admits; null where there is no such filter. */
export function stringsOf(filters: readonly FieldFilter[], path: string): string[] | null {
  const admitted = valuesAdmitted(filters, path);
  return admitted === null ? null : [...admitted].filter((value) => typeof value === 'string');
}
