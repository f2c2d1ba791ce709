/** A node of JSONata's syntax tree, as far as anything here looks at it. Its own types leave most of the shape open. */
export type SyntaxNode = Readonly<Record<string, unknown>>;

export function isSyntaxNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof RegExp);
}

/** Hung on a node, these make it something of their own: `[]`, `@`, `#`, `%`, grouping, a list that begins a path. */
const RARE_EXTRAS = [
  'keepArray',
  'keepSingletonArray',
  'consarray',
  'group',
  'focus',
  'index',
  'tuple',
  'ancestor',
  'seekingParent',
];

/** Whether anything but predicates is hung on a node. */
export function hasRareExtras(node: SyntaxNode): boolean {
  return RARE_EXTRAS.some((extra) => node[extra] !== undefined);
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
export function soleExpression(node: unknown): unknown {
  if (!isSyntaxNode(node)) return null;
  const expressions = node['expressions'];
  if (node['type'] !== 'block' || !Array.isArray(expressions) || expressions.length !== 1) return null;
  return hasExtras(node) ? null : expressions[0];
}

/** The names of a path that is nothing but names; null for anything else. */
export function plainPathOf(node: unknown): readonly string[] | null {
  if (!isSyntaxNode(node) || hasExtras(node)) return null;
  const path = pathOf(node);
  if (path === null || !path.whole) return null;
  const steps: unknown = node['steps'];
  return Array.isArray(steps) && steps.every((step) => isSyntaxNode(step) && !hasExtras(step))
    ? path.names
    : null;
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

/** Whether anything is hung on a node that changes what it yields. */
function hasExtras(node: SyntaxNode): boolean {
  return node['stages'] !== undefined || node['predicate'] !== undefined || hasRareExtras(node);
}

/** A text, a number, true, false or null. */
export function isConstant(node: unknown): node is SyntaxNode {
  return (
    isSyntaxNode(node) &&
    (node['type'] === 'string' || node['type'] === 'number' || node['type'] === 'value') &&
    !hasExtras(node)
  );
}

/** The items of a list of plain constants; null for anything else. */
export function constantsOf(node: unknown): readonly unknown[] | null {
  if (!isSyntaxNode(node) || node['type'] !== 'unary' || node['value'] !== '[' || hasExtras(node))
    return null;
  const items: unknown = node['expressions'];
  return Array.isArray(items) && items.every(isConstant) ? items.map((item) => item['value']) : null;
}
