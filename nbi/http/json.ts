import {
  atOnce,
  expectedInstead,
  JsonFault,
  type JsonFaultKind,
  jsonBegin,
  readingJson,
  TextPlaces,
  withPauses,
} from '../../common/index.js';
import type { NbiLimits } from '../limits.js';
import { ApiError, invalid } from './api-error.js';

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

type JsonLimits = Pick<NbiLimits, 'jsonDepthMax' | 'jsonTokensMax' | 'jsonKeysMax'>;

/** What is no larger is read in one go, within a millisecond. */
const SMALL_BYTES = 64 * 1024;

/**
 * JSON as RFC 8259 has it, and nothing that two readers would understand differently: no key twice in an object, no
 * `__proto__`, UTF-8 only, also not by escapes a text that UTF-8 cannot hold. Whatever it consists of, everything else in the
 * process has its turn while it is read.
 * @param firstLine  the line of the whole body that this begins at
 * @returns at once where the text is small
 * @throws ApiError 400 with line and column
 */
export function parseJson(body: Buffer, limits: JsonLimits, firstLine = 1): unknown | Promise<unknown> {
  const steps = parsingJson(body, limits, firstLine);
  return body.length > SMALL_BYTES ? withPauses(steps) : atOnce(steps);
}

/** The same in steps, also where it is to be told at which line and column something is wrong. */
export function* parsingJson(body: Buffer, limits: JsonLimits, firstLine: number): Generator<void, unknown> {
  const { jsonDepthMax: depthMax, jsonTokensMax: tokensMax, jsonKeysMax: keysMax } = limits;
  try {
    return (yield* readingJson(body, { depthMax, tokensMax, keysMax })).value;
  } catch (error) {
    throw error instanceof JsonFault ? yield* telling(error, body, firstLine) : error;
  }
}

const FIELD_CHARACTERS_SHOWN = 100;

function* telling({ what, offset }: JsonFault, body: Buffer, firstLine: number): Generator<void, ApiError> {
  if (what.kind === 'not-utf8') return invalid('', 'a body in UTF-8');
  const place = yield* new TextPlaces(body, jsonBegin(body)).telling(offset);
  const line = firstLine + place.line - 1;
  const { column } = place;
  const expected = `${expectedOf(what)}; see line ${line}, column ${column}`;
  return new ApiError(400, [
    { field: fieldOf(what).slice(0, FIELD_CHARACTERS_SHOWN), expected, line, column },
  ]);
}

function expectedOf(what: JsonFaultKind): string {
  if (what.kind === 'syntax') return `a JSON body (${what.syntax})`;
  return expectedInstead(what) ?? 'every key once';
}

function fieldOf(what: JsonFaultKind): string {
  if (what.kind === 'key-twice') return what.key;
  return what.kind === 'half-surrogate' ? what.path.join('.') : '';
}
