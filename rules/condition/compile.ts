import jsonata from 'jsonata';
import { type CpeId, LinearRegExp, PatternError } from '../../common/index.js';
import type { Condition } from '../rule.js';
import type { CompiledCondition, Requirement } from './compiled.js';
import { bindFunctions, FUNCTIONS_REFUSED, type Guards } from './guards.js';
import { bindingsOf, closureOf, expressionOf, membershipsOf } from './object-form.js';
import { conjunctsOf, equalityOf, nodesOf, pathOf } from './syntax-tree.js';
import { CONDITION_NESTING_MAX, nestingOf, quoteNumericSteps } from './text.js';

export const EVALUATION_TIMEOUT_MS = 50;
/** Deepest syntax tree: far more conjuncts than anyone writes, far less than the stack holds. */
const TREE_DEPTH_MAX = 1_500;
/** JSONata's own bounds: calls on its stack, and items in one sequence (`[1..1e7]` is refused). */
const STACK_DEPTH_MAX = 2_000;
const SEQUENCE_ITEMS_MAX = 10_000;
/** Compiled expressions kept. Rules in object form share theirs, so this bounds the different texts in use. */
const COMPILED_KEPT_MAX = 2_000;
const PARAMETER_PATHS_MAX = 256;
/** Names through which JavaScript objects give access to more than their data. */
const NAMES_REFUSED: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** A condition that cannot be used, with the remedy. */
export class ConditionError extends Error {
  override readonly name = 'ConditionError';
}

export interface ConditionCompiler {
  /** @throws ConditionError */
  compile(condition: Condition): CompiledCondition;
}

/** One parsed expression, shared by all rules with the same text. */
interface Program {
  readonly text: string;
  readonly expression: jsonata.Expression;
  readonly requirements: readonly Requirement[];
  readonly readsParameters: boolean;
  readonly parameterPaths: readonly string[];
}

export function createConditionCompiler(guards: Guards): ConditionCompiler {
  const kept = new Map<string, Program>();
  const programOf = (text: string): Program => {
    const program = kept.get(text) ?? parse(text, guards);
    // Taken out and put back, the map's order is that of last use.
    kept.delete(text);
    kept.set(text, program);
    for (const oldest of kept.keys()) {
      if (kept.size <= COMPILED_KEPT_MAX) break;
      kept.delete(oldest);
    }
    return program;
  };
  return {
    compile(condition) {
      if (typeof condition === 'string') return compiled(programOf(condition), undefined);
      const memberships = membershipsOf(condition);
      const program = programOf(expressionOf(memberships));
      const ofKeys = {
        requirements: memberships,
        // A key is the whole name of a parameter; the predicate that the expression hangs on it does not show that.
        parameterPaths: memberships.flatMap(({ path }) => parameterPathOf({ names: path, whole: true })),
      };
      const bindings = bindingsOf(memberships);
      return { ...compiled({ ...program, ...ofKeys }, bindings), closure: closureOf(memberships) };
    },
  };
}

function compiled(
  { text, expression, requirements, readsParameters, parameterPaths }: Program,
  bindings: Readonly<Record<string, unknown>> | undefined,
): CompiledCondition {
  return {
    pin: pinOf(requirements),
    requirements,
    closure: null,
    source: { text, bindings: bindings ?? {} },
    conjuncts: [],
    readsParameters,
    parameterPaths,
    evaluate: (context) => expression.evaluate(context, bindings),
  };
}

function pinOf(requirements: readonly Requirement[]): CpeId | null {
  for (const { path, values } of requirements) {
    const [only, ...others] = values;
    if (path.join('.') === 'cpeid' && typeof only === 'string' && others.length === 0) return only as CpeId;
  }
  return null;
}

function parse(text: string, guards: Guards): Program {
  if (nestingOf(text) > CONDITION_NESTING_MAX) {
    throw new ConditionError(
      `brackets may nest at most ${CONDITION_NESTING_MAX} deep; flatten the expression`,
    );
  }
  const expression = compileText(quoteNumericSteps(text));
  const tree: unknown = expression.ast();
  refuse(tree);
  bindFunctions(expression, guards);
  return {
    text,
    expression,
    requirements: conjunctsOf(tree).flatMap((conjunct) => {
      const equality = equalityOf(conjunct);
      return equality === null ? [] : [{ path: [equality.field], values: [equality.value] }];
    }),
    ...parametersOf(tree),
  };
}

function compileText(text: string): jsonata.Expression {
  try {
    return jsonata(text, {
      timeout: EVALUATION_TIMEOUT_MS,
      stack: STACK_DEPTH_MAX,
      sequence: SEQUENCE_ITEMS_MAX,
      // JSONata only constructs it and calls exec(); V8's engine, with which its parser checks a pattern's syntax, never runs one.
      RegexEngine: LinearRegExp as unknown as RegExpConstructor,
    });
  } catch (error) {
    if (error instanceof RangeError) throw new ConditionError('the expression is too deep; flatten it');
    throw new ConditionError(`not a JSONata expression: ${describeError(error)}`);
  }
}

/** Refuses what parses but must not run. */
function refuse(tree: unknown): void {
  for (const { node, depth } of nodesOf(tree)) {
    if (depth > TREE_DEPTH_MAX) throw new ConditionError('the expression is too deep; flatten it');
    const { type, value } = node;
    if (value instanceof RegExp) refusePattern(value);
    if (typeof value === 'string' && NAMES_REFUSED.has(value)) {
      throw new ConditionError(`"${value}" cannot be used in a condition`);
    }
    if (type === 'variable' && typeof value === 'string') {
      const remedy = FUNCTIONS_REFUSED.get(value);
      if (remedy !== undefined) throw new ConditionError(`$${value} is not available; ${remedy}`);
    }
    if (type === 'lambda' && node['signature'] !== undefined) {
      throw new ConditionError(
        'a function may not declare a signature; leave out the <…> after its parameters',
      );
    }
  }
}

function refusePattern(pattern: RegExp): void {
  try {
    new LinearRegExp(pattern);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    throw new ConditionError(
      `the pattern /${pattern.source}/ cannot be matched in linear time: ${error.message}`,
    );
  }
}

/** Which parameters an expression names, and whether it may look at any. */
function parametersOf(tree: unknown): Pick<Program, 'readsParameters' | 'parameterPaths'> {
  let readsParameters = false;
  const paths = new Set<string>();
  for (const { node } of nodesOf(tree)) {
    const { type, value } = node;
    // `*`, `**` and $lookup(…, "parameters") reach them without a path.
    if (value === 'parameters' || type === 'wildcard' || type === 'descendant') readsParameters = true;
    for (const path of parameterPathOf(pathOf(node))) if (paths.size < PARAMETER_PATHS_MAX) paths.add(path);
  }
  return { readsParameters, parameterPaths: [...paths] };
}

function parameterPathOf(path: ReturnType<typeof pathOf>): readonly string[] {
  const [first, ...names] = path?.names ?? [];
  // A single step (`Device`) would ask for the whole data model.
  if (path === null || first !== 'parameters' || names.length < 2) return [];
  return [path.whole ? names.join('.') : `${names.join('.')}.`];
}

/** An error of JSONata (an object, not always an Error), or of a function called from it, as one short line. */
export function describeError(error: unknown): string {
  const message =
    typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string'
      ? error.message
      : String(error);
  return message.slice(0, 300);
}

/** The code of an error that JSONata threw (`D1012`: it took too long); null where it has none. */
export function errorCode(error: unknown): string | null {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : null;
}
