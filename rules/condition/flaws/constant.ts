import { isSyntaxNode, nodesOf, type SyntaxNode, soleExpression } from '../syntax-tree.js';

/** What an expression comes to that reads nothing of a CPE; `untold` where that is not worked out here. */
export type Constant = { readonly kind: 'value'; readonly value: unknown } | { readonly kind: 'untold' };

/** Stands for a pattern or a function: no text, number or list equals it, and as true or false it is false. */
export const FUNCTION = Symbol('function');

/** The variables of an expression that stand for one constant each; every other variable may be anything. */
export interface Scope {
  readonly bound: ReadonlySet<string>;
  readonly constants: ReadonlyMap<string, Constant>;
}

/** How deep constants are looked into: deeper ones are not written by hand. */
const DEPTH_MAX = 32;
const UNTOLD: Constant = { kind: 'untold' };
const NOTHING: Constant = { kind: 'value', value: undefined };
/**
 * Functions that give the same for the same arguments, with how many it takes for none of them to be read off the context. The clock
 * is not among them.
 */
const PURE: ReadonlyMap<string, number> = new Map(
  Object.entries({
    abs: 1,
    boolean: 1,
    bucket: 2,
    ceil: 1,
    compareVersions: 2,
    contains: 2,
    count: 1,
    exists: 1,
    floor: 1,
    inSubnet: 2,
    length: 1,
    lowercase: 1,
    not: 1,
    number: 1,
    string: 1,
    substringAfter: 2,
    substringBefore: 2,
    sum: 1,
    toMillis: 1,
    trim: 1,
    uppercase: 1,
  }),
);

/** What the variables of an expression stand for. */
export function scopeOf(tree: unknown): Scope {
  const bound = new Set<string>();
  const bindings = new Map<string, unknown>();
  for (const { node } of nodesOf(tree)) {
    for (const name of namesBoundBy(node)) {
      // What is bound twice is not one thing.
      if (bound.has(name)) bindings.delete(name);
      else if (node['type'] === 'bind') bindings.set(name, node['rhs']);
      bound.add(name);
    }
  }
  const constants = new Map<string, Constant>();
  for (const [name, node] of bindings) {
    const constant = constantOf(node, { bound, constants });
    if (constant !== null) constants.set(name, constant);
  }
  return { bound, constants };
}

function namesBoundBy(node: SyntaxNode): readonly string[] {
  const names: unknown[] = [node['focus'], node['index']];
  if (node['type'] === 'bind' && isSyntaxNode(node['lhs'])) names.push(node['lhs']['value']);
  if (node['type'] === 'lambda' && Array.isArray(node['arguments'])) {
    for (const argument of node['arguments'] as readonly unknown[]) {
      if (isSyntaxNode(argument)) names.push(argument['value']);
    }
  }
  return names.filter((name) => typeof name === 'string');
}

/** What an expression always comes to; null where it reads something, so that it may differ between CPEs. */
export function constantOf(node: unknown, scope: Scope, depth = 0): Constant | null {
  if (!isSyntaxNode(node) || depth > DEPTH_MAX || isHungOn(node)) return null;
  const inside = (inner: unknown): Constant | null => constantOf(inner, scope, depth + 1);
  switch (node['type']) {
    case 'string':
    case 'number':
    case 'value':
      return { kind: 'value', value: node['value'] };
    case 'regex':
    case 'lambda':
      return { kind: 'value', value: FUNCTION };
    case 'variable':
      return constantVariable(node['value'], scope);
    case 'block':
      return constantBlock(node, inside);
    case 'unary':
      return constantUnary(node, inside);
    case 'binary':
      return constantBinary(node, inside);
    case 'function':
      return constantCall(node, inside);
    case 'condition':
      return together([node['condition'], node['then'], node['else'] ?? NULL_NODE].map(inside));
    default:
      return null;
  }
}

const NULL_NODE: SyntaxNode = { type: 'value', value: null };
/** What hangs on a node decides what it comes to. */
const HUNG = ['predicate', 'stages', 'group', 'focus', 'index', 'tuple'];

function isHungOn(node: SyntaxNode): boolean {
  return HUNG.some((name) => node[name] !== undefined);
}

/** Constant where all of them are. */
function together(parts: readonly (Constant | null)[]): Constant | null {
  return parts.includes(null) ? null : UNTOLD;
}

type Inside = (node: unknown) => Constant | null;

function constantVariable(name: unknown, { bound, constants }: Scope): Constant | null {
  // `$` and `$$` are the context.
  if (typeof name !== 'string' || name === '' || name === '$') return null;
  if (bound.has(name)) return constants.get(name) ?? null;
  return PURE.has(name) ? { kind: 'value', value: FUNCTION } : null;
}

function constantBlock(node: SyntaxNode, inside: Inside): Constant | null {
  const { expressions } = node;
  return Array.isArray(expressions)
    ? expressions.length === 0
      ? NOTHING
      : inside(expressions.at(-1))
    : null;
}

function constantUnary(node: SyntaxNode, inside: Inside): Constant | null {
  const { value, expression, expressions, lhs } = node;
  if (value === '-') return inside(expression) === null ? null : UNTOLD;
  if (value === '[' && Array.isArray(expressions)) {
    const items = expressions.map(inside);
    if (items.includes(null)) return null;
    const values = items.flatMap((item) => (item?.kind === 'value' ? [item.value] : []));
    return values.length === items.length ? { kind: 'value', value: values } : UNTOLD;
  }
  if (value === '{' && Array.isArray(lhs)) {
    return lhs.length === 0 ? { kind: 'value', value: {} } : together(lhs.flat().map(inside));
  }
  return null;
}

const LOGICAL: ReadonlySet<unknown> = new Set(['and', 'or']);

function constantBinary({ value, lhs, rhs }: SyntaxNode, inside: Inside): Constant | null {
  const [left, right] = [inside(lhs), inside(rhs)];
  if (left === null || right === null) return null;
  if (left.kind !== 'value' || right.kind !== 'value') return UNTOLD;
  if (LOGICAL.has(value)) {
    const [first, second] = [truthOf(left.value), truthOf(right.value)];
    return { kind: 'value', value: value === 'and' ? first && second : first || second };
  }
  const known = isScalar(left.value) && isScalar(right.value);
  if (!known) return UNTOLD;
  if (value === '=') return { kind: 'value', value: left.value === right.value };
  if (value === '!=') return { kind: 'value', value: left.value !== right.value };
  return UNTOLD;
}

function isScalar(value: unknown): boolean {
  return (
    value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
  );
}

function constantCall(node: SyntaxNode, inside: Inside): Constant | null {
  const { procedure, arguments: given } = node;
  if (!isSyntaxNode(procedure) || procedure['type'] !== 'variable' || !Array.isArray(given)) return null;
  const name = procedure['value'];
  const least = typeof name === 'string' ? PURE.get(name) : undefined;
  if (least === undefined || given.length < least) return null;
  const [first, ...others] = given.map(inside);
  if (first === undefined || first === null || others.includes(null)) return null;
  if (first.kind === 'value' && (name === 'not' || name === 'boolean')) {
    return { kind: 'value', value: truthOf(first.value) === (name === 'boolean') };
  }
  return UNTOLD;
}

/** What JSONata takes a value for where true or false is wanted (`$boolean`). */
export function truthOf(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(truthOf);
  if (value === FUNCTION || value === null || value === undefined) return false;
  return typeof value === 'object' ? Object.keys(value).length > 0 : Boolean(value);
}

/** Without the parentheses around it. */
export function withoutParentheses(node: unknown): unknown {
  let inner = node;
  for (let sole = soleExpression(inner); sole !== null; sole = soleExpression(inner)) inner = sole;
  return inner;
}
