import jsonata from 'jsonata';
import { isSyntaxNode, quoteNumericSteps, type SyntaxNode, sourceMapOf } from '../../condition/index.js';

/** A condition in JSONata, taken apart for looking at; it is never evaluated here. */
export interface Expression {
  readonly tree: SyntaxNode;
  /** Where the leftmost part of a node begins in the author's text, counted from 0. */
  startOf(node: SyntaxNode): number;
}

/** A node, and whether the names in it are fields of the context, or of something that a path has led to. */
export interface Visit {
  readonly node: SyntaxNode;
  readonly atRoot: boolean;
}

/** Null where the text does not parse; the compiler's `ConditionError` says where. */
export function parseExpression(text: string): Expression | null {
  let tree: unknown;
  try {
    tree = jsonata(quoteNumericSteps(text)).ast();
  } catch {
    return null;
  }
  if (!isSyntaxNode(tree)) return null;
  const source = sourceMapOf(text);
  return {
    tree,
    startOf(node) {
      const starts = [...visitsOf(node)].flatMap(({ node: { position } }) =>
        typeof position === 'number' ? [source.startOf(position)] : [],
      );
      return starts.length === 0 ? 0 : Math.min(...starts);
    },
  };
}

/** What hangs on a node sees what the node yields, not the context. */
const HUNG: ReadonlySet<string> = new Set(['stages', 'predicate', 'group']);

/** Every node, parents first, in the order of the text; iterative, so that a deep tree cannot exhaust the stack. */
export function* visitsOf(root: unknown): Generator<Visit> {
  const open: { readonly value: unknown; readonly atRoot: boolean }[] = [{ value: root, atRoot: true }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, atRoot } = next;
    if (Array.isArray(value)) {
      open.push(...value.map((item: unknown) => ({ value: item, atRoot })).reverse());
    } else if (isSyntaxNode(value)) {
      if (typeof value['type'] === 'string') yield { node: value, atRoot };
      open.push(...childrenOf(value, atRoot).reverse());
    }
  }
}

function childrenOf(node: SyntaxNode, atRoot: boolean): { value: unknown; atRoot: boolean }[] {
  return Object.entries(node).flatMap(([name, value]) => {
    if (name === 'steps' && Array.isArray(value)) {
      return value.map((step: unknown, index) => ({ value: step, atRoot: atRoot && index === 0 }));
    }
    return [{ value, atRoot: atRoot && !HUNG.has(name) }];
  });
}

/** A path from the context: its leading names, and whether they are all of it. */
export interface FieldPath {
  readonly names: readonly string[];
  readonly whole: boolean;
}

/** Null for what is no path of names from the context (`$$.a` and `$.a` are the same as `a`). */
export function fieldPathOf({ node, atRoot }: Visit): FieldPath | null {
  if (node['type'] !== 'path' || !Array.isArray(node['steps'])) return null;
  let steps: readonly unknown[] = node['steps'];
  const [first] = steps;
  if (isSyntaxNode(first) && first['type'] === 'variable') {
    const isRoot = first['value'] === '$' || (first['value'] === '' && atRoot);
    if (!isRoot || isHungOn(first)) return null;
    steps = steps.slice(1);
  } else if (!atRoot) {
    return null;
  }
  const names: string[] = [];
  for (const step of steps) {
    if (!isSyntaxNode(step) || step['type'] !== 'name' || typeof step['value'] !== 'string') {
      return names.length === 0 ? null : { names, whole: false };
    }
    names.push(step['value']);
    if (isHungOn(step)) return { names, whole: false };
  }
  return names.length === 0 ? null : { names, whole: !isHungOn(node) };
}

function isHungOn(node: SyntaxNode): boolean {
  return [...HUNG].some((name) => node[name] !== undefined);
}

/** The operand of a comparison as a whole path from the context, dotted; null for anything else. */
export function fieldOf(node: unknown): string | null {
  if (!isSyntaxNode(node)) return null;
  const path = fieldPathOf({ node, atRoot: true });
  return path?.whole ? path.names.join('.') : null;
}

/** The value of a literal; undefined for anything else. */
export function constantOf(node: unknown): string | number | boolean | null | undefined {
  if (!isSyntaxNode(node) || isHungOn(node)) return undefined;
  const { type, value } = node;
  if (type !== 'string' && type !== 'number' && type !== 'value') return undefined;
  return typeof value === 'string' ||
    typeof value === 'number' ||
    typeof value === 'boolean' ||
    value === null
    ? value
    : undefined;
}

/** The literals of `["a", "b"]` or of a single one; null where anything else is among them. */
export function constantsOf(node: unknown): readonly (string | number | boolean | null)[] | null {
  const single = constantOf(node);
  if (single !== undefined) return [single];
  if (!isSyntaxNode(node) || !isList(node) || !Array.isArray(node['expressions'])) return null;
  const values = node['expressions'].map(constantOf);
  return values.some((value) => value === undefined)
    ? null
    : values.filter((value): value is Exclude<typeof value, undefined> => value !== undefined);
}

export function isList(node: unknown): boolean {
  return isSyntaxNode(node) && node['type'] === 'unary' && node['value'] === '[';
}

/** The name of the function that a node calls; null where it calls none, or one without a name. */
export function calledBy(node: unknown): string | null {
  if (!isSyntaxNode(node) || node['type'] !== 'function' || !isSyntaxNode(node['procedure'])) return null;
  const { type, value } = node['procedure'];
  return type === 'variable' && typeof value === 'string' ? value : null;
}
