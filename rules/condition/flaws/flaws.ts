import { sourceMapOf } from '../source-map.js';
import { isSyntaxNode, nodesOf, type SyntaxNode } from '../syntax-tree.js';
import { type Constant, constantOf, type Scope, scopeOf, truthOf, withoutParentheses } from './constant.js';
import type { ConditionFlaw, FlawCode } from './flaw.js';
import { callOf, type Logic, LogicMaker, operandsOf, pathFrom } from './logic.js';
import { isListField } from './subject.js';
import { Judge, type Verdict } from './verdict.js';

/** Most flaws told of one condition: after the first few they are echoes. */
const FLAWS_MAX = 10;
const SHOWN_VALUES_MAX = 8;
const SHOWN_CHARACTERS_MAX = 80;

type Found = Omit<ConditionFlaw, 'character'> & { readonly node: SyntaxNode };

/**
 * What a condition in JSONata holds that cannot have been meant: constants that are joined by `and` and `or` to what reads a CPE, and
 * parts that are true, or not true, whatever the CPE is. Only what is certain is told, from the syntax tree alone.
 */
export function flawsOf(text: string, tree: unknown): readonly ConditionFlaw[] {
  if (!isSyntaxNode(tree)) return [];
  const scope = scopeOf(tree);
  const constants = [...constantOperands(tree, scope)];
  const found = [...constants, ...decidedParts(tree, scope, new Set(constants.map(({ node }) => node)))];
  if (found.length === 0) return [];
  const source = sourceMapOf(text);
  return found
    .slice(0, FLAWS_MAX)
    .map(({ node, ...flaw }) => ({ ...flaw, character: startOf(node, source) }))
    .sort((left, right) => left.character - right.character);
}

function startOf(root: SyntaxNode, source: ReturnType<typeof sourceMapOf>): number {
  let start = Number.POSITIVE_INFINITY;
  for (const { node } of nodesOf(root)) {
    if (typeof node['position'] === 'number') start = Math.min(start, source.startOf(node['position']));
  }
  return Number.isFinite(start) ? start : 0;
}

/** Wherever in the expression, also in predicates and functions. */
function* constantOperands(tree: SyntaxNode, scope: Scope): Generator<Found> {
  const told = new Set<SyntaxNode>();
  for (const { node } of nodesOf(tree)) {
    // What stands within a constant that was told of is not told of again.
    if (told.has(node)) continue;
    const { type, value } = node;
    if (type === 'condition') {
      const constant = constantOf(node['condition'], scope);
      if (constant !== null && isSyntaxNode(node['condition'])) {
        const message = `${comesTo(constant)} whatever the CPE is, so ? and : choose nothing; compare it with a field`;
        yield { code: 'constant-operand', node: node['condition'], message };
        for (const inner of nodesOf(node['condition'])) told.add(inner.node);
      }
    }
    if (type !== 'binary' || (value !== 'and' && value !== 'or')) continue;
    const operands = operandsOf(node, value);
    for (const operand of operands) {
      const constant = told.has(operand) ? null : constantOf(operand, scope);
      if (constant === null) continue;
      yield {
        code: 'constant-operand',
        node: operand,
        message: constantMessage(value, constant, operands, scope),
      };
      for (const inner of nodesOf(operand)) told.add(inner.node);
    }
    for (const inner of chainOf(node, value)) told.add(inner);
  }
}

/** The nodes of a chain of one operator, whose operands were all looked at with its uppermost. */
function chainOf(root: SyntaxNode, operator: 'and' | 'or'): readonly SyntaxNode[] {
  const chain: SyntaxNode[] = [];
  const open: unknown[] = [root];
  while (open.length > 0) {
    const node = withoutParentheses(open.pop());
    if (!isSyntaxNode(node) || node['type'] !== 'binary' || node['value'] !== operator) continue;
    chain.push(node);
    open.push(node['rhs'], node['lhs']);
  }
  return chain;
}

function constantMessage(
  operator: 'and' | 'or',
  constant: Constant,
  operands: readonly SyntaxNode[],
  scope: Scope,
): string {
  const isTrue = constant.kind === 'value' && truthOf(constant.value);
  const remedy = remedyOf(operator, operands, scope) ?? 'compare it with a field, or take it out';
  if (constant.kind === 'untold') return `this reads nothing, so it is the same for every CPE; ${remedy}`;
  if (operator === 'or' && isTrue) return `${comesTo(constant)}, so this "or" holds for every CPE; ${remedy}`;
  if (operator === 'and' && !isTrue) return `${comesTo(constant)}, so this "and" holds for no CPE; ${remedy}`;
  return `${comesTo(constant)}, so it decides nothing in this "${operator}"; ${remedy}`;
}

function comesTo(constant: Constant): string {
  if (constant.kind === 'untold') return 'this is the same';
  const shown = typeof constant.value === 'symbol' ? 'a pattern or a function' : quoted(constant.value);
  return `${shown} is always ${truthOf(constant.value)}`;
}

/** `x = "a" or "b"` was to be `x in ["a", "b"]`, and `x != "a" and "b"` was to be `$not(x in ["a", "b"])`. */
function remedyOf(operator: 'and' | 'or', operands: readonly SyntaxNode[], scope: Scope): string | null {
  const compared = operands.flatMap(({ type, value, lhs, rhs }) => {
    const path = pathFrom(lhs) ?? pathFrom(rhs);
    const fits = type === 'binary' && (operator === 'or' ? value === '=' || value === 'in' : value === '!=');
    return fits && path !== null
      ? [{ field: shownPath(path), with: pathFrom(lhs) === null ? lhs : rhs }]
      : [];
  });
  const [first, ...others] = compared;
  if (first === undefined || others.some(({ field }) => field !== first.field)) return null;
  const constants = [...compared.map((each) => each.with), ...operands].map((node) =>
    constantOf(node, scope),
  );
  const values = constants.flatMap((constant) => (constant?.kind === 'value' ? [constant.value].flat() : []));
  if (!values.every((value) => typeof value === 'string' || typeof value === 'number')) return null;
  if (values.length > SHOWN_VALUES_MAX) return null;
  const membership = `${first.field} in [${values.map(quoted).join(', ')}]`;
  return `write ${operator === 'or' ? membership : `$not(${membership})`}`;
}

/** Parts that are wanted true or false, the outermost of those that are decided. */
function* decidedParts(tree: SyntaxNode, scope: Scope, constants: ReadonlySet<SyntaxNode>): Generator<Found> {
  const whole = constantOf(tree, scope);
  if (whole !== null) {
    yield* wholeConstant(tree, whole);
    return;
  }
  const maker = new LogicMaker(scope);
  const judge = new Judge();
  const root = maker.make(tree);
  const tainted = taintedBy(root, constants);
  const open: Logic[] = [root];
  for (let logic = open.pop(); logic !== undefined; logic = open.pop()) {
    const verdict = tainted.has(logic) ? null : judge.verdictOf(logic);
    // Where one side alone makes the whole so, it is that side that is wrong.
    const isBySide = logic.kind !== 'not' && partsOf(logic).some((part) => judge.verdictOf(part) === verdict);
    if (verdict === null || isBySide) open.push(...partsOf(logic));
    else yield { node: logic.node, ...decided(logic, verdict) };
  }
  for (const node of maker.wholeBuckets) {
    const message = 'buckets are 0 to 99, so this is every CPE; where that is meant it can be left out';
    yield { code: 'every-bucket', node, message };
  }
}

/** `true` alone is how "every CPE" is written: nothing else can be meant by it. */
function* wholeConstant(tree: SyntaxNode, constant: Constant): Generator<Found> {
  if (constant.kind === 'untold' || tree['type'] === 'value') return;
  // A condition holds where it is true, and nothing that is merely taken for it.
  const isTrue = constant.value === true;
  const code: FlawCode = isTrue ? 'always-true' : 'never-true';
  const message = isTrue
    ? 'the condition is true for every CPE; write true where that is meant, or compare a field'
    : 'the condition is true for no CPE; compare a field with something';
  yield { code, node: tree, message };
}

/** The pieces that hold a constant operand: what they come to is told by that. */
function taintedBy(root: Logic, constants: ReadonlySet<SyntaxNode>): ReadonlySet<Logic> {
  const tainted = new Set<Logic>();
  const order: Logic[] = [root];
  for (let index = 0; index < order.length; index++) {
    const logic = order[index];
    if (logic !== undefined) order.push(...partsOf(logic));
  }
  for (const logic of order.reverse()) {
    if (constants.has(logic.node) || partsOf(logic).some((part) => tainted.has(part))) tainted.add(logic);
  }
  return tainted;
}

function partsOf(logic: Logic): readonly Logic[] {
  switch (logic.kind) {
    case 'and':
    case 'or':
      return logic.operands;
    case 'not':
      return [logic.operand];
    case 'atom':
    case 'free':
    case 'fixed':
      return [];
    default:
      return logic satisfies never;
  }
}

function decided(logic: Logic, verdict: Verdict): Omit<Found, 'node'> {
  const { node } = logic;
  const code: FlawCode = verdict === 'always' ? 'always-true' : 'never-true';
  const what = verdict === 'always' ? 'always true' : 'never true';
  if (callOf(node['lhs'], 'bucket') !== null || callOf(node['rhs'], 'bucket') !== null) {
    return { code, message: `this is ${what}, as buckets are 0 to 99; write a number below 100 and above 0` };
  }
  const path = pathFrom(node['lhs']) ?? pathFrom(node['rhs']);
  if (logic.kind === 'or' && verdict === 'always') {
    return {
      code,
      message: `this is ${what}: whatever the CPE is, one side of "or" holds; write and, or $not(… in […])`,
    };
  }
  if (logic.kind === 'and' && verdict === 'never') {
    return { code, message: `this is ${what}: no CPE can be both at once; write or, or … in […]` };
  }
  if (path === null)
    return { code, message: `this is ${what}, whatever the CPE is; take it out, or write what is meant` };
  const field = shownPath(path);
  const remedy = isListField(path)
    ? `write "…" in ${field}, or $not("…" in ${field})`
    : 'compare it with what it can be';
  return { code, message: `this is ${what}, whatever ${field} is; ${remedy}` };
}

function shownPath(path: readonly string[]): string {
  return path.map((step) => (/^[A-Za-z_]\w*$/.test(step) ? step : `\`${step}\``)).join('.');
}

function quoted(value: unknown): string {
  const json = JSON.stringify(value) ?? 'nothing';
  return json.length > SHOWN_CHARACTERS_MAX ? `${json.slice(0, SHOWN_CHARACTERS_MAX)}…` : json;
}
