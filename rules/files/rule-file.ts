import {
  findNodeAtLocation,
  getNodeValue,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser';
import type { RuleProblem } from '../vocabulary/index.js';

/** Most syntax errors reported of one file: after the first few they are echoes. */
const SYNTAX_ERRORS_MAX = 10;
const STRICT_JSON = { disallowComments: true, allowTrailingComma: false, allowEmptyContent: false };

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

/** Takes one rule file apart: strict JSON in UTF-8, a rule or an array of rules. */
export function parseRuleFile(file: string, bytes: Uint8Array): ParsedRuleFile {
  const broken = (code: string, expected: string, at: Position): ParsedRuleFile => ({
    parsed: false,
    problems: [{ file, field: '', code, expected, ...at }],
  });
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return broken('bad-encoding', 'text in UTF-8; save the file in that encoding', { line: 1, column: 1 });
  }
  const errors: ParseError[] = [];
  let root: Node | undefined;
  try {
    root = parseTree(text, errors, STRICT_JSON);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return broken('bad-json', 'JSON that nests less deeply', { line: 1, column: 1 });
  }
  const lines = lineStarts(text);
  if (errors.length > 0 || root === undefined) {
    const problems = errors.slice(0, SYNTAX_ERRORS_MAX).map(({ error, offset }) => ({
      file,
      field: '',
      code: 'bad-json',
      expected: `valid JSON (${printParseErrorCode(error)})`,
      ...positionOf(lines, offset),
    }));
    return { parsed: false, problems };
  }
  const twice = duplicateKey(root);
  if (twice !== null) {
    return broken(
      'duplicate-key',
      `each key once; ${twice.key} stands twice`,
      positionOf(lines, twice.offset),
    );
  }
  const nodes = root.type === 'array' ? (root.children ?? []) : [root];
  const entries = nodes.map(
    (node, index): RuleFileEntry => ({
      body: root.type === 'array' ? getNodeValue(node) : withoutSchemaKey(getNodeValue(node)),
      item: root.type === 'array' ? index : null,
      locate: (path) => positionOf(lines, nearest(node, path).offset),
      locateInText: (path, character) => {
        const { type, offset, length } = nearest(node, path);
        const inside = type === 'string' ? rawOffset(text.slice(offset, offset + length), character) : 0;
        return positionOf(lines, offset + inside);
      },
    }),
  );
  return { parsed: true, entries };
}

/** `$schema` tells an editor how to check a file that is one rule; it is no part of the rule. */
function withoutSchemaKey(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || !('$schema' in body)) return body;
  const { $schema, ...rule } = body;
  return typeof $schema === 'string' ? rule : body;
}

/** Where a character of a JSON string begins in its source, which starts with a quote. */
function rawOffset(source: string, character: number): number {
  let offset = 1;
  for (let passed = 0; passed < character && offset < source.length - 1; passed++) {
    if (source[offset] !== '\\') offset += 1;
    else offset += source[offset + 1] === 'u' ? 6 : 2;
  }
  return offset;
}

/** The field's own node, or that of the innermost object around a field that is missing. */
function nearest(node: Node, path: readonly (string | number)[]): Node {
  for (let length = path.length; length > 0; length--) {
    const found = findNodeAtLocation(node, indexed(path.slice(0, length)));
    if (found !== undefined) return found;
  }
  return node;
}

/** Steps that came from a JSON pointer are all strings; an array's are numbers to jsonc-parser. */
function indexed(path: readonly (string | number)[]): (string | number)[] {
  return path.map((step, depth) => (depth > 1 && /^[0-9]+$/.test(String(step)) ? Number(step) : step));
}

/** JSON's parsers silently take the last of two equal keys, and its reader sees the first. */
function duplicateKey(root: Node): { readonly key: string; readonly offset: number } | null {
  const open = [root];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const keys = new Set<unknown>();
    for (const child of node.children ?? []) {
      open.push(child);
      if (child.type !== 'property') continue;
      const key = child.children?.[0];
      if (key === undefined) continue;
      if (keys.has(key.value)) return { key: JSON.stringify(key.value).slice(0, 80), offset: key.offset };
      keys.add(key.value);
    }
  }
  return null;
}

function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', end + 1)) starts.push(end + 1);
  return starts;
}

function positionOf(starts: readonly number[], offset: number): Position {
  let [low, high] = [0, starts.length];
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle;
  }
  return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
}
