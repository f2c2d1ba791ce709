import type { Build } from './build.js';
import { BuildError } from './build-error.js';
import type { Category, Product } from './category.js';

type JsonObject = Readonly<Record<string, unknown>>;

/** What its author says of a category. */
export type CategoryFields = Pick<Category, 'name' | 'description'> & ProductNames;
/** What its author says of a build, but for its category. */
export type BuildFields = Pick<Build, 'version' | 'os' | 'changelog'> & ProductNames;
export type ProductNames = Pick<Product, 'productFamily' | 'productModel'>;

export const NAME_CHARACTERS_MAX = 64;
/** As much as `softwareVersion` of an image, which it may be. */
export const VERSION_CHARACTERS_MAX = 128;
const DESCRIPTION_CHARACTERS_MAX = 4_096;
/** For people, who keep longer ones elsewhere. */
const CHANGELOG_CHARACTERS_MAX = 65_536;
const TYPE_CHARACTERS_MAX = 128;

/** No control, format, private or unassigned characters, no halves of a surrogate pair, no line separators. */
const PRINTABLE = /^[^\p{C}\p{Zl}\p{Zp}]+$/u;
const LINES = /^(?:[^\p{Cc}\p{Cs}]|[\t\n\r])*$/u;
const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** What its author says of a category. @param before  what is not said stays so. @throws BuildError `invalid` */
export function categoryFields(said: JsonObject, before: CategoryFields | null): CategoryFields {
  requireKnown(said, ['name', 'description', 'productFamily', 'productModel']);
  return {
    name: text(said, 'name', NAME_CHARACTERS_MAX, before?.name),
    description: lines(said, 'description', DESCRIPTION_CHARACTERS_MAX, before?.description),
    ...productNames(said, before),
  };
}

/** What its author says of a build. @param before  what is not said stays so. @throws BuildError `invalid` */
export function buildFields(said: JsonObject, before: BuildFields | null): BuildFields {
  requireKnown(said, ['version', 'os', 'changelog', 'productFamily', 'productModel']);
  return {
    version: text(said, 'version', VERSION_CHARACTERS_MAX, before?.version),
    os: osIn(said, before),
    changelog: lines(said, 'changelog', CHANGELOG_CHARACTERS_MAX, before?.changelog),
    ...productNames(said, before),
  };
}

/** The empty text is how some clients say that there is none. */
function osIn(said: JsonObject, before: BuildFields | null): string | null {
  const value = Object.hasOwn(said, 'os') ? said['os'] : before?.os;
  return value === '' ? '' : optional(said, 'os', VERSION_CHARACTERS_MAX, before?.os);
}

/** The id that somebody wants for something new. @throws BuildError `invalid` */
export function checkNewId(id: unknown): asserts id is string {
  if (typeof id === 'string' && UUID_V4.test(id)) return;
  throw invalid('id', 'a UUID (version 4) in small letters; left out, one is made');
}

/** @throws BuildError `invalid` */
export function checkType(type: unknown): asserts type is string {
  if (isText(type, TYPE_CHARACTERS_MAX)) return;
  throw invalid('type', textOf(TYPE_CHARACTERS_MAX));
}

function productNames(said: JsonObject, before: ProductNames | null): ProductNames {
  return {
    productFamily: optional(said, 'productFamily', NAME_CHARACTERS_MAX, before?.productFamily),
    productModel: optional(said, 'productModel', NAME_CHARACTERS_MAX, before?.productModel),
  };
}

function requireKnown(said: JsonObject, known: readonly string[]): void {
  const other = Object.keys(said).find((field) => !known.includes(field));
  if (other !== undefined)
    throw invalid(other.slice(0, NAME_CHARACTERS_MAX), `no such field; there are ${known.join(', ')}`);
}

function text(said: JsonObject, field: string, charactersMax: number, before: string | undefined): string {
  const value = said[field] ?? (Object.hasOwn(said, field) ? null : before);
  if (isText(value, charactersMax)) return value;
  throw invalid(field, textOf(charactersMax));
}

function optional(
  said: JsonObject,
  field: string,
  charactersMax: number,
  before: string | null = null,
): string | null {
  const value = Object.hasOwn(said, field) ? said[field] : before;
  if (value === null || value === undefined || isText(value, charactersMax)) return value ?? null;
  throw invalid(field, `${textOf(charactersMax)}, or null`);
}

function lines(said: JsonObject, field: string, charactersMax: number, before = ''): string {
  const value = Object.hasOwn(said, field) ? said[field] : before;
  if (typeof value === 'string' && value.length <= charactersMax && LINES.test(value)) return value;
  throw invalid(
    field,
    `a text of at most ${charactersMax} characters, without control characters but for line ends`,
  );
}

function isText(value: unknown, charactersMax: number): value is string {
  return (
    typeof value === 'string' &&
    value.length <= charactersMax &&
    PRINTABLE.test(value) &&
    value === value.trim()
  );
}

function textOf(charactersMax: number): string {
  return `1 to ${charactersMax} printable characters without space at either end`;
}

export function invalid(field: string, expected: string): BuildError {
  return new BuildError('invalid', field, expected);
}
