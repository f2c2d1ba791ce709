import {
  atOnce,
  expectedInstead,
  type JsonBounds,
  JsonFault,
  jsonBegin,
  jsonSlip,
  readingJson,
  TextPlaces,
} from '../../common/index.js';
import type { RuleProblem } from '../vocabulary/index.js';
import { FieldPlaces } from './field-places.js';

/** Of a rule, a test beside it, and what is around them. */
const RULE_FILE_BOUNDS: JsonBounds = {
  depthMax: 32,
  // A file of 16 MiB may be full of small rules.
  tokensMax: 8_000_000,
  keysMax: 20_000,
};

/** A problem and where it is: the file, the line and the column, counted from 1. */
export interface RuleFileProblem extends RuleProblem {
  readonly file: string;
}

/** One rule of a file, not yet checked. */
export interface RuleFileEntry {
  readonly body: unknown;
  /** Its place in the file's array; null where the file is one rule. */
  readonly item: number | null;
  /** Where a field of it stands, or where it would have to. */
  locate(path: readonly (string | number)[]): Position;
  /** Where a character of a field that is a text stands in the file, its JSON escapes counted. */
  locateInText(path: readonly (string | number)[], character: number): Position;
}

/** Counted from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export type ParsedRuleFile =
  | { readonly parsed: true; readonly entries: readonly RuleFileEntry[] }
  | { readonly parsed: false; readonly problems: readonly RuleFileProblem[] };

/** Takes one rule file apart, in one go. */
export function parseRuleFile(file: string, bytes: Buffer): ParsedRuleFile {
  return atOnce(parsingRuleFile(file, bytes));
}

/** Takes one rule file apart, in steps: strict JSON in UTF-8, a rule or an array of rules. */
export function* parsingRuleFile(file: string, bytes: Buffer): Generator<void, ParsedRuleFile> {
  const places = new TextPlaces(bytes, jsonBegin(bytes));
  try {
    const { value, itemsFrom } = yield* readingJson(bytes, RULE_FILE_BOUNDS);
    if (itemsFrom === null || !Array.isArray(value)) {
      const from = firstByte(bytes);
      return { parsed: true, entries: [new Entry(withoutSchemaKey(value), null, from, bytes, places)] };
    }
    const entries: RuleFileEntry[] = [];
    for (const [item, body] of value.entries()) {
      entries.push(new Entry(body, item, itemsFrom[item] ?? 0, bytes, places));
      if (item % ENTRIES_AT_ONCE === 0) yield;
    }
    return { parsed: true, entries };
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    const { code, expected } = toldOf(error, bytes);
    const place = yield* places.telling(error.offset);
    return { parsed: false, problems: [{ file, field: '', code, expected, ...place }] };
  }
}

const ENTRIES_AT_ONCE = 4_096;

function toldOf(
  { what, offset }: JsonFault,
  bytes: Buffer,
): { readonly code: string; readonly expected: string } {
  switch (what.kind) {
    case 'not-utf8':
      return { code: 'bad-encoding', expected: 'text in UTF-8; save the file in that encoding' };
    case 'syntax':
      return { code: 'bad-json', expected: `valid JSON: ${jsonSlip(bytes, offset, what.syntax)}` };
    case 'key-twice': {
      const key = JSON.stringify(what.key).slice(0, 80);
      return { code: 'duplicate-key', expected: `each key once; ${key} stands twice` };
    }
    default:
      return { code: 'bad-json', expected: expectedInstead(what) ?? 'valid JSON' };
  }
}

function firstByte(bytes: Buffer): number {
  let at = jsonBegin(bytes);
  while (at < bytes.length && (bytes[at] ?? 0) <= 0x20) at++;
  return at;
}

/** A class, and not an object with functions of its own: there may be hundreds of thousands, and next to none is asked. */
class Entry implements RuleFileEntry {
  #fields: FieldPlaces | null = null;

  constructor(
    readonly body: unknown,
    readonly item: number | null,
    private readonly from: number,
    private readonly bytes: Buffer,
    private readonly places: TextPlaces,
  ) {}

  locate(path: readonly (string | number)[]): Position {
    return this.places.at(this.#nearest(path));
  }

  locateInText(path: readonly (string | number)[], character: number): Position {
    const from = this.#nearest(path);
    return this.places.at(from + inText(this.bytes, from, character));
  }

  /** The field's own place, or that of the innermost object around a field that is missing. */
  #nearest(path: readonly (string | number)[]): number {
    if (path.length === 0) return this.from;
    this.#fields ??= new FieldPlaces(this.bytes, this.from);
    for (let length = path.length; length > 0; length--) {
      const found = this.#fields.at(indexed(path.slice(0, length)));
      if (found !== null) return found;
    }
    return this.from;
  }
}

/** `$schema` tells an editor how to check a file that is one rule; it is no part of the rule. */
function withoutSchemaKey(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || !('$schema' in body)) return body;
  const { $schema, ...rule } = body;
  return typeof $schema === 'string' ? rule : body;
}

/** Where a character of a JSON text begins in its source, counted in bytes from the quote before it; 0 where there is no text. */
function inText(bytes: Buffer, from: number, character: number): number {
  if (bytes[from] !== 0x22) return 0;
  let at = from + 1;
  for (let passed = 0; passed < character && bytes[at] !== 0x22; passed++) {
    const byte = bytes[at] ?? 0;
    if (byte === 0x5c) at += bytes[at + 1] === 0x75 ? 6 : 2;
    else if (byte < 0x80) at += 1;
    else if (byte < 0xe0) at += 2;
    else if (byte < 0xf0) at += 3;
    else {
      // Two characters of a text.
      at += 4;
      passed++;
    }
  }
  return at - from;
}

/** Steps that came from a JSON pointer are all strings; those into an array are numbers. */
function indexed(path: readonly (string | number)[]): (string | number)[] {
  return path.map((step, depth) => (depth > 1 && /^[0-9]+$/.test(String(step)) ? Number(step) : step));
}
