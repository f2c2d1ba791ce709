import { createScanner, type ParseErrorCode, printParseErrorCode, visit } from 'jsonc-parser';
import type { NbiLimits } from '../limits.js';
import { ApiError, invalid } from './api-error.js';

/** jsonc-parser's `SyntaxKind`, a const enum that an isolated module cannot see into. */
const TOKEN = {
  openBrace: 1,
  closeBrace: 2,
  openBracket: 3,
  closeBracket: 4,
  comma: 5,
  colon: 6,
  string: 10,
  end: 17,
} as const;

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** JSON text, and the line it begins at in what the client sent. */
interface Source {
  readonly text: string;
  readonly firstLine: number;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/**
 * JSON as RFC 8259 has it, and nothing that two readers would understand differently: no key twice in an object, no
 * `__proto__`, UTF-8 only, also not by escapes a text that UTF-8 cannot hold.
 * @param firstLine  the line of the whole body that this begins at
 * @throws ApiError 400 with line and column
 */
export function parseJson(
  body: Buffer,
  limits: Pick<NbiLimits, 'jsonDepthMax' | 'jsonTokensMax'>,
  firstLine = 1,
): unknown {
  let text: string;
  try {
    text = UTF8.decode(body);
  } catch {
    throw invalid('', 'a body in UTF-8');
  }
  const source = { text, firstLine };
  checkTokens(source, limits);
  try {
    return JSON.parse(text);
  } catch {
    throw firstSyntaxError(source);
  }
}

/** JSON.parse says that there is one, jsonc-parser where. It stops there: a body could be made of nothing else. */
function firstSyntaxError(source: Source): ApiError {
  let found = at(source, 0, 'a JSON body');
  const stop = new Error('The first error is enough');
  const onError = (code: ParseErrorCode, offset: number) => {
    found = at(source, offset, `a JSON body (${printParseErrorCode(code)})`);
    throw stop;
  };
  try {
    visit(source.text, { onError }, { disallowComments: true, allowTrailingComma: false });
  } catch (error) {
    if (error !== stop) throw error;
  }
  return found;
}

/** An object or array that the scanner is in. */
interface Open {
  /** Those so far; null in an array. */
  readonly keys: Set<string> | null;
  /** Whose value comes or has come; empty in an array, and where a key is due. */
  key: string;
}

function checkTokens(source: Source, { jsonDepthMax, jsonTokensMax }: Parameters<typeof parseJson>[1]): void {
  const scanner = createScanner(source.text, true);
  const open: Open[] = [];
  let lastString: { text: string; offset: number } | null = null;
  let tokens = 0;
  for (let token = scanner.scan(); token !== TOKEN.end; token = scanner.scan()) {
    const offset = scanner.getTokenOffset();
    if (++tokens > jsonTokensMax) throw at(source, offset, `at most ${jsonTokensMax} values in a body`);
    const inside = open.at(-1);
    if (token === TOKEN.openBrace || token === TOKEN.openBracket) {
      open.push({ keys: token === TOKEN.openBrace ? new Set() : null, key: '' });
      if (open.length > jsonDepthMax) throw at(source, offset, `at most ${jsonDepthMax} levels`);
    } else if (token === TOKEN.closeBrace || token === TOKEN.closeBracket) {
      open.pop();
    } else if (token === TOKEN.comma && inside !== undefined) {
      inside.key = '';
    } else if (token === TOKEN.colon && lastString !== null) {
      checkKey(source, lastString, inside);
    }
    lastString = token === TOKEN.string ? { text: scanner.getTokenValue(), offset } : null;
    if (lastString !== null) checkUnicode(source, lastString, open);
  }
}

function checkKey(
  source: Source,
  key: { readonly text: string; readonly offset: number },
  inside: Open | undefined,
): void {
  if (key.text === '__proto__') throw at(source, key.offset, 'no key named __proto__');
  if (inside === undefined || inside.keys === null) return;
  if (inside.keys.has(key.text)) throw at(source, key.offset, 'every key once', key.text);
  inside.keys.add(key.text);
  inside.key = key.text;
}

/** A half of a surrogate pair without its other half, which only an escape can bring about in UTF-8. */
const LONE_SURROGATE = /\p{Surrogate}/u;

function checkUnicode(
  source: Source,
  string: { readonly text: string; readonly offset: number },
  open: readonly Open[],
): void {
  if (!LONE_SURROGATE.test(string.text)) return;
  const path = open.map(({ key }) => key).filter((key) => key !== '');
  throw at(source, string.offset, 'well-formed Unicode: \\ud800 to \\udfff only in pairs', path.join('.'));
}

function at({ text, firstLine }: Source, offset: number, expected: string, field = ''): ApiError {
  let line = firstLine;
  let lineStart = 0;
  for (let end = text.indexOf('\n'); end >= 0 && end < offset; end = text.indexOf('\n', lineStart)) {
    line++;
    lineStart = end + 1;
  }
  const column = offset - lineStart + 1;
  const sentence = `${expected}; see line ${line}, column ${column}`;
  return new ApiError(400, [{ field: field.slice(0, 100), expected: sentence, line, column }]);
}
