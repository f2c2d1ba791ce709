import jsonata from 'jsonata';
import { LinearRegExp, PatternError } from '../../common/linear-regexp.js';
import { CONDITION_CHARACTERS_MAX } from '../vocabulary/index.js';
import { SEQUENCE_ITEMS_MAX } from './closure-values.js';
import { ConditionError, describeError } from './condition-error.js';
import { FUNCTIONS_REFUSED } from './guards.js';
import { slipOf } from './slips.js';
import { nodesOf } from './syntax-tree.js';
import { CONDITION_NESTING_MAX, columnOf, nestingOf, quoteNumericSteps } from './text.js';

export const EVALUATION_TIMEOUT_MS = 50;
/** Deepest syntax tree: far more conjuncts than anyone writes, far less than the stack holds. */
const TREE_DEPTH_MAX = 1_500;
/** JSONata's own bound: calls on its stack. */
const STACK_DEPTH_MAX = 2_000;
/** Instructions of all patterns of a condition together: what compiling them takes, some tens of milliseconds, and no more. */
const PATTERNS_SIZE_MAX = 20_000;
/** What even the smallest pattern costs. */
const PATTERN_OVERHEAD = 100;
/** Names through which JavaScript objects give access to more than their data. */
const NAMES_REFUSED: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** A text that JSONata understands and that may run. */
export interface Parsed {
  /** Without the functions of Ferry's conditions, which only whoever evaluates it needs (`jsonata.ts`). */
  readonly expression: jsonata.Expression;
  readonly tree: unknown;
}

/** @throws ConditionError with the column, for what does not parse, must not run, or is beyond a limit */
export function parse(text: string): Parsed {
  if (text.length > CONDITION_CHARACTERS_MAX) {
    throw new ConditionError(
      `a condition may have at most ${CONDITION_CHARACTERS_MAX} characters; use several rules, or the object form for long lists`,
    );
  }
  if (nestingOf(text) > CONDITION_NESTING_MAX) {
    throw new ConditionError(
      `brackets may nest at most ${CONDITION_NESTING_MAX} deep; flatten the expression`,
    );
  }
  const expression = expressionOf(text);
  const tree: unknown = expression.ast();
  refuse(tree, text);
  return { expression, tree };
}

function expressionOf(text: string): jsonata.Expression {
  try {
    return jsonata(quoteNumericSteps(text), {
      timeout: EVALUATION_TIMEOUT_MS,
      stack: STACK_DEPTH_MAX,
      sequence: SEQUENCE_ITEMS_MAX,
      // JSONata only constructs it and calls exec(); V8's engine, with which its parser checks a pattern's syntax
      // (findings/jsonata-regex-engine-behind-v8.sh), never runs one.
      RegexEngine: LinearRegExp as unknown as RegExpConstructor,
    });
  } catch (error) {
    if (error instanceof RangeError) throw new ConditionError('the expression is too deep; flatten it');
    throw notUnderstood(text, error);
  }
}

/** In words of its own where it is plain what was meant: JSONata's name what it stumbled over. */
function notUnderstood(text: string, error: unknown): ConditionError {
  const column = columnOfError(error, text);
  const slip = slipOf(text, column === null ? null : column - 1);
  const message = slip?.message ?? describeError(error);
  return new ConditionError(`not a JSONata expression: ${message}`, slip === null ? column : slip.at + 1);
}

function columnOfError(error: unknown, text: string): number | null {
  if (typeof error !== 'object' || error === null || !('position' in error)) return null;
  if ('token' in error && error.token === '(end)') return text.length + 1;
  return typeof error.position === 'number' ? columnOf(text, error.position) : null;
}

const LONE_SURROGATE = /\p{Cs}/u;

/** Refuses what parses but must not run. */
function refuse(tree: unknown, text: string): void {
  let patternsSize = 0;
  for (const { node, depth } of nodesOf(tree)) {
    if (depth > TREE_DEPTH_MAX) throw new ConditionError('the expression is too deep; flatten it');
    const { type, value, position } = node;
    const refusal = (message: string): ConditionError =>
      new ConditionError(message, typeof position === 'number' ? columnOf(text, position) : null);
    if (value instanceof RegExp) {
      const size = sizeOf(value);
      if (typeof size === 'string') throw refusal(size);
      patternsSize += size;
      if (patternsSize > PATTERNS_SIZE_MAX) {
        throw refusal(
          'the patterns of a condition together are too large; use fewer, or repeat less in them',
        );
      }
    }
    if (typeof value === 'string' && isNameRefused(value)) throw refusal(nameProblem(value));
    // Half of a surrogate pair is nothing that a CPE can report or a store can hold.
    if (typeof value === 'string' && LONE_SURROGATE.test(value)) {
      throw refusal('half of a surrogate pair (\\uD800 to \\uDFFF) is no character; write both halves');
    }
    if (type === 'variable' && typeof value === 'string') {
      const remedy = FUNCTIONS_REFUSED.get(value);
      if (remedy !== undefined) throw refusal(`$${value} is not available; ${remedy}`);
    }
    if (type === 'lambda' && node['signature'] !== undefined) {
      throw refusal('a function may not declare a signature; leave out the <…> after its parameters');
    }
  }
}

export function isNameRefused(name: string): boolean {
  return NAMES_REFUSED.has(name);
}

export function nameProblem(name: string): string {
  return `"${name}" cannot be used in a condition`;
}

function sizeOf(pattern: RegExp): number | string {
  try {
    return PATTERN_OVERHEAD + new LinearRegExp(pattern).programSize;
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    return `the pattern /${pattern.source}/ cannot be matched in linear time: ${error.message}`;
  }
}
