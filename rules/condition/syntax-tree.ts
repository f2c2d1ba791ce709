/** A node of JSONata's syntax tree, as far as anything here looks at it. Its own types leave most of the shape open. */
export type SyntaxNode = Readonly<Record<string, unknown>>;

export function isSyntaxNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof RegExp);
}

/** Every object of the tree with its depth, parents first; iterative, so that a deep tree cannot exhaust the stack. */
export function* nodesOf(root: unknown): Generator<{ readonly node: SyntaxNode; readonly depth: number }> {
  const open: { readonly value: unknown; readonly depth: number }[] = [{ value: root, depth: 1 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, depth } = next;
    if (Array.isArray(value)) {
      for (const item of value) open.push({ value: item, depth });
    } else if (isSyntaxNode(value)) {
      yield { node: value, depth };
      for (const child of Object.values(value)) {
        if (typeof child === 'object' && child !== null) open.push({ value: child, depth: depth + 1 });
      }
    }
  }
}

/** What must all be true for the expression to be true: the operands of its outermost `and`s, parentheses removed. */
export function conjunctsOf(root: unknown): readonly SyntaxNode[] {
  const conjuncts: SyntaxNode[] = [];
  const open: unknown[] = [root];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (!isSyntaxNode(next)) continue;
    const inner = soleExpression(next);
    if (inner !== null) open.push(inner);
    else if (next['type'] === 'binary' && next['value'] === 'and') open.push(next['rhs'], next['lhs']);
    else conjuncts.push(next);
  }
  return conjuncts;
}

/** What a pair of parentheses holds, where it is one expression. */
function soleExpression(node: SyntaxNode): unknown {
  const expressions = node['expressions'];
  if (node['type'] !== 'block' || !Array.isArray(expressions) || expressions.length !== 1) return null;
  return hasExtras(node) ? null : expressions[0];
}

/** `field = "constant"`, either way round; null for anything else. */
export function equalityOf(node: SyntaxNode): { readonly field: string; readonly value: unknown } | null {
  if (node['type'] !== 'binary' || node['value'] !== '=') return null;
  const { lhs, rhs } = node;
  const [left, right] = [plainFieldOf(lhs), plainFieldOf(rhs)];
  if (left !== null && isConstant(rhs)) return { field: left, value: rhs['value'] };
  if (right !== null && isConstant(lhs)) return { field: right, value: lhs['value'] };
  return null;
}

function isConstant(node: unknown): node is SyntaxNode {
  return (
    isSyntaxNode(node) &&
    (node['type'] === 'string' || node['type'] === 'number' || node['type'] === 'value') &&
    !hasExtras(node)
  );
}

/** A path that is one name and nothing else. */
function plainFieldOf(node: unknown): string | null {
  if (!isSyntaxNode(node) || node['type'] !== 'path' || hasExtras(node) || !Array.isArray(node['steps'])) {
    return null;
  }
  const [step, ...others]: readonly unknown[] = node['steps'];
  if (others.length > 0 || !isSyntaxNode(step) || step['type'] !== 'name' || hasExtras(step)) return null;
  return typeof step['value'] === 'string' ? step['value'] : null;
}

/**
 * The leading names of a path, and whether they are all of it: no wildcard, function … among its steps, and no predicate but one at the
 * end that looks at the value itself (`a.b[$ > 1]`).
 */
export function pathOf(node: unknown): { readonly names: readonly string[]; readonly whole: boolean } | null {
  if (!isSyntaxNode(node) || node['type'] !== 'path' || !Array.isArray(node['steps'])) return null;
  const names: string[] = [];
  for (const step of node['steps'] as readonly unknown[]) {
    if (!isSyntaxNode(step) || step['type'] !== 'name' || typeof step['value'] !== 'string') {
      return { names, whole: false };
    }
    names.push(step['value']);
    if (hasExtras(step)) return { names, whole: names.length === node['steps'].length && !looksInside(step) };
  }
  return { names, whole: true };
}

/** Whether what hangs on a step names anything below it (`Interface[Status = "Up"]`). */
function looksInside({ value: _, type: _type, ...hung }: SyntaxNode): boolean {
  return [...nodesOf(hung)].some(({ node }) => node['type'] === 'name' || node['type'] === 'wildcard');
}

/** Anything hung on a node that changes what it yields: predicates, grouping, `[]`, focus and index variables. */
function hasExtras(node: SyntaxNode): boolean {
  return ['stages', 'predicate', 'group', 'focus', 'index', 'tuple', 'ancestor', 'keepArray'].some(
    (extra) => node[extra] !== undefined,
  );
}
