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
  const { jsonDepthMax: depthMax, jsonTokensMax: tokensMax, jsonKeysMax: keysMax } = limits;
  const steps = readingJson(body, { depthMax, tokensMax, keysMax });
  const refused = (error: unknown) => (error instanceof JsonFault ? told(error, body, firstLine) : error);
  if (body.length > SMALL_BYTES) {
    return withPauses(steps).then(
      ({ value }) => value,
      (error: unknown) => {
        throw refused(error);
      },
    );
  }
  try {
    return atOnce(steps).value;
  } catch (error) {
    throw refused(error);
  }
}

const FIELD_CHARACTERS_SHOWN = 100;

function told({ what, offset }: JsonFault, body: Buffer, firstLine: number): ApiError {
  if (what.kind === 'not-utf8') return invalid('', 'a body in UTF-8');
  const place = new TextPlaces(body, jsonBegin(body)).at(offset);
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
