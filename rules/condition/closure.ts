import { LinearRegExp } from '../../common/linear-regexp.js';
import { type Argument, callEvaluator } from './closure-functions.js';
import { binaryEvaluator, negated } from './closure-operators.js';
import {
  applyFilter,
  descendants,
  type Evaluator,
  type Filter,
  nameEvaluator,
  pathEvaluator,
  type Step,
  wildcard,
} from './closure-path.js';
import { booleanOf, isRecord, Run, SEQUENCE_ITEMS_MAX, unwrapped } from './closure-values.js';
import type { Closure } from './compiled.js';
import { ConditionFault } from './fault.js';
import type { Guards } from './guards.js';
import {
  constantsOf,
  hasRareExtras,
  isConstant,
  isSyntaxNode,
  nodesOf,
  type SyntaxNode,
} from './syntax-tree.js';

/** Items of one list that are no constants. JSONata begins them all at once, and counts each as a level of its stack. */
const LIST_EXPRESSIONS_MAX = 256;

/** Nodes whose result is unwrapped last of all: a predicate on an empty sequence is asked of nothing, one on a missing value once. */
const YIELDS_SEQUENCES: ReadonlySet<unknown> = new Set(['name', 'wildcard', 'descendant', 'function']);

/** Null: outside the subset. */
type Compiled = Evaluator | null;

/**
 * The expression as a function that gives and throws what JSONata would; null where it has anything outside the common subset:
 * variables and functions of its own, chains, sorting, grouping, ranges, `[]`, other functions than the subset's.
 */
export function closureOf(tree: unknown, functions: Guards): Closure | null {
  const evaluator = new Compiler(functions).compile(tree);
  if (evaluator === null) return null;
  return (context, steps) => {
    try {
      return evaluator(context, new Run(context, steps));
    } catch (error) {
      throw error instanceof ConditionFault ? error.describe() : error;
    }
  };
}

class Compiler {
  readonly #functions: Guards;

  constructor(functions: Guards) {
    this.#functions = functions;
  }

  compile(node: unknown): Compiled {
    if (!isSyntaxNode(node) || hasRareExtras(node)) return null;
    const evaluator = this.#bare(node);
    const filters = this.#filters(node['predicate']);
    if (evaluator === null || filters === null) return null;
    if (filters.length === 0) {
      return YIELDS_SEQUENCES.has(node['type'])
        ? (input, run) => unwrapped(evaluator(input, run))
        : evaluator;
    }
    return (input, run) => {
      let result = evaluator(input, run);
      for (const filter of filters) result = applyFilter(filter, result, run);
      return unwrapped(result);
    };
  }

  /** Without its predicates. */
  #bare(node: SyntaxNode): Compiled {
    const { type, value } = node;
    switch (type) {
      case 'string':
      case 'number':
      case 'value':
        return () => value;
      case 'variable':
        return variable(value);
      case 'path':
        return this.#path(node);
      case 'name':
        return nameEvaluator(String(value));
      case 'wildcard':
        return wildcard;
      case 'descendant':
        return descendants;
      case 'binary':
        return this.#binary(node);
      case 'unary':
        return value === '-' ? this.#negation(node) : value === '[' ? this.#list(node) : null;
      case 'condition':
        return this.#choice(node);
      case 'block':
        return this.#block(node);
      case 'function':
        return this.#call(node);
      default:
        return null;
    }
  }

  /** All of them, or null where one is outside the subset. */
  #all(nodes: unknown): readonly Evaluator[] | null {
    if (!Array.isArray(nodes)) return null;
    const evaluators: Evaluator[] = [];
    for (const node of nodes) {
      const evaluator = this.compile(node);
      if (evaluator === null) return null;
      evaluators.push(evaluator);
    }
    return evaluators;
  }

  #filters(nodes: unknown): readonly Filter[] | null {
    if (nodes === undefined) return [];
    if (!Array.isArray(nodes)) return null;
    const filters: Filter[] = [];
    for (const node of nodes as readonly unknown[]) {
      if (!isSyntaxNode(node) || node['type'] !== 'filter' || !isSyntaxNode(node['expr'])) return null;
      const { expr } = node;
      const evaluate = this.compile(expr);
      if (evaluate === null) return null;
      filters.push(
        typeof expr['value'] === 'number' && expr['type'] === 'number'
          ? { position: expr['value'] }
          : { position: null, evaluate, weight: weightOf(expr) },
      );
    }
    return filters;
  }

  #path({ steps: nodes, predicate }: SyntaxNode): Compiled {
    // Predicates hang on a path's steps, not on the path.
    if (!Array.isArray(nodes) || predicate !== undefined) return null;
    const steps: Step[] = [];
    for (const node of nodes as readonly unknown[]) {
      const evaluate = this.compile(node);
      if (evaluate === null || !isSyntaxNode(node)) return null;
      const filters = this.#filters(node['stages']);
      if (filters === null) return null;
      const plain = node['type'] === 'name' && filters.length === 0 && node['predicate'] === undefined;
      steps.push({ name: plain ? String(node['value']) : null, evaluate, filters, weight: weightOf(node) });
    }
    const [first]: readonly unknown[] = nodes;
    return pathEvaluator(steps, isSyntaxNode(first) && first['type'] === 'variable');
  }

  #binary({ value, lhs, rhs }: SyntaxNode): Compiled {
    const [left, right] = [this.compile(lhs), this.compile(rhs)];
    if (left === null || right === null) return null;
    if (value === 'in') {
      const members = constantsOf(rhs);
      if (members !== null) return memberEvaluator(left, new Set(members));
    }
    return binaryEvaluator(String(value), left, right);
  }

  #negation({ expression }: SyntaxNode): Compiled {
    const operand = this.compile(expression);
    if (operand === null) return null;
    return (input, run) => negated(operand(input, run));
  }

  #list(node: SyntaxNode): Compiled {
    const nodes: unknown = node['expressions'];
    const constants = constantsOf(node);
    if (constants !== null) return () => constants;
    const items = this.#all(nodes);
    if (items === null || !Array.isArray(nodes) || !mayBeginAtOnce(nodes)) return null;
    // A list within a list stays one; what any other item yields is spread.
    const nested = nodes.map((item) => isSyntaxNode(item) && item['value'] === '[');
    return (input, run) => {
      const list: unknown[] = [];
      run.spend(items.length);
      for (const [index, item] of items.entries()) {
        const value = item(input, run);
        if (value === undefined) continue;
        if (nested[index] === true) list.push(value);
        else append(list, Array.isArray(value) ? value : [value], run);
      }
      return list;
    };
  }

  #choice(node: SyntaxNode): Compiled {
    const [condition, yes] = [this.compile(node['condition']), this.compile(node['then'])];
    const no = node['else'] === undefined ? () => undefined : this.compile(node['else']);
    if (condition === null || yes === null || no === null) return null;
    return (input, run) =>
      booleanOf(condition(input, run), run) === true ? yes(input, run) : no(input, run);
  }

  #block(node: SyntaxNode): Compiled {
    const expressions = this.#all(node['expressions']);
    if (expressions === null) return null;
    const [only, ...others] = expressions;
    if (only !== undefined && others.length === 0) return only;
    return (input, run) => {
      let result: unknown;
      for (const expression of expressions) result = expression(input, run);
      return result;
    };
  }

  #call({ procedure, arguments: nodes }: SyntaxNode): Compiled {
    if (
      !isSyntaxNode(procedure) ||
      procedure['type'] !== 'variable' ||
      procedure['predicate'] !== undefined
    ) {
      return null;
    }
    if (!Array.isArray(nodes)) return null;
    const args: Argument[] = [];
    for (const node of nodes as readonly unknown[]) {
      const argument = patternOf(node) ?? this.compile(node);
      if (argument === null) return null;
      args.push(argument);
    }
    return callEvaluator(String(procedure['value']), args, this.#functions);
  }
}

function variable(name: unknown): Compiled {
  if (name === '$') return (_, run) => run.root;
  if (name !== '') return null;
  // JSONata takes anything with this mark for its own wrapping of an array, also what a CPE named so.
  return (input) => (isRecord(input) && input['outerWrapper'] ? input['0'] : input);
}

function patternOf(node: unknown): LinearRegExp | null {
  if (!isSyntaxNode(node) || node['type'] !== 'regex' || !(node['value'] instanceof RegExp)) return null;
  return node['predicate'] === undefined ? new LinearRegExp(node['value']) : null;
}

/** How many steps evaluating a node once takes, what it does with the data aside. */
function weightOf(root: unknown): number {
  let nodes = 0;
  // A list of constants is made once.
  for (const { node } of nodesOf(root)) nodes += 1 - (constantsOf(node)?.length ?? 0);
  return nodes;
}

/** JSONata's $append. */
function append(list: unknown[], values: readonly unknown[], run: Run): void {
  const size = list.length + values.length;
  if (size > SEQUENCE_ITEMS_MAX) throw new ConditionFault('D2015', { value: size });
  run.spend(values.length);
  for (const value of values) list.push(value);
}

/** `x in [constants]`. A set finds what `===` finds, since no constant is NaN. */
function memberEvaluator(operand: Evaluator, members: ReadonlySet<unknown>): Evaluator {
  return (input, run) => members.has(operand(input, run));
}

/**
 * Whether the items of a list may be evaluated in turn although JSONata begins all of them at once: only where no two of them can throw,
 * as which error is first would depend on how they interleave.
 */
function mayBeginAtOnce(items: readonly unknown[]): boolean {
  const expressions = items.filter((item) => !isConstant(item));
  if (weightOf(expressions) > LIST_EXPRESSIONS_MAX) return false;
  return expressions.filter((item) => !cannotThrow(item)).length <= 1;
}

function cannotThrow(item: unknown): boolean {
  return [...nodesOf(item)].every(
    ({ node: { type, value, predicate, stages } }) =>
      (type === 'path' || type === 'name' || type === 'variable' || (type === 'unary' && value === '[')) &&
      predicate === undefined &&
      stages === undefined,
  );
}
