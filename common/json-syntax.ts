import { jsonBegin, readingJson } from './json.js';
import { JsonFault } from './json-fault.js';
import type { JsonBounds } from './json-scan.js';
import { jsonSlip } from './json-slip.js';
import { atOnce } from './steps.js';
import { TextPlaces } from './text-places.js';

/** It is a text that is no JSON already: what it has of anything says nothing but how deep it nests. */
const BOUNDS: JsonBounds = {
  depthMax: 1_000,
  tokensMax: Number.MAX_SAFE_INTEGER,
  keysMax: Number.MAX_SAFE_INTEGER,
};

/**
 * Where a text is no JSON, and in what way, without a word of it: the text around the place may be a password.
 * @returns as in `line 3, column 5: a comma is missing before this`
 */
export function jsonSyntaxError(text: string): string {
  const bytes = Buffer.from(text);
  try {
    atOnce(readingJson(bytes, BOUNDS));
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    const { line, column } = new TextPlaces(bytes, jsonBegin(bytes)).at(error.offset);
    const { what } = error;
    const said = what.kind === 'syntax' ? jsonSlip(bytes, error.offset, what.syntax) : what.kind;
    return `line ${line}, column ${column}: ${said}`;
  }
  return 'it is not what JSON allows';
}
