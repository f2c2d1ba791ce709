import { isDeepStrictEqual } from 'node:util';
import type { Closure, Conjunct } from './compiled.js';
import { conjunctsOf, isSyntaxNode, nodesOf, pathOf, type SyntaxNode } from './syntax-tree.js';
import { type Slice, sidesOf, slicesOf, trimmed } from './text.js';

/** Paths that an explanation shows of one conjunct. */
const PATHS_MAX = 16;

/** What the conjuncts of a text are made with. */
export interface ConjunctMeans {
  /** The syntax tree of a text; throws for one that does not parse. */
  readonly parse: (text: string) => unknown;
  readonly closureOf: (tree: unknown) => Closure | null;
}

/**
 * The operands of a condition's outermost `and`s, each with its piece of the author's text. Where the text cannot be told apart with
 * certainty, the condition is one conjunct: a wrong piece would explain something that was not evaluated.
 */
export function conjunctsOfText(text: string, means: ConjunctMeans): readonly Conjunct[] {
  const tree = means.parse(text);
  const nodes = conjunctsOf(tree);
  const slices = piecesOf(text, 0, nodes.length, means);
  const fits =
    slices.length === nodes.length &&
    slices.every((slice, index) => isSameTree(parsed(slice.text, means), withoutBlocks(nodes[index])));
  const parts = fits
    ? slices.map((slice, index) => ({ slice, tree: nodes[index] }))
    : [{ slice: trimmed(text), tree }];
  return parts.map(({ slice, tree: part }) => ({
    text: slice.text,
    column: slice.start + 1,
    closure: means.closureOf(part),
    paths: pathsOf(part),
    ...callsOf(slice.text, part, means),
  }));
}

const COMPARISONS: ReadonlySet<unknown> = new Set(['=', '!=', '<', '<=', '>', '>=']);

/** The calls on either side of a comparison, where their text can be told apart with certainty. */
function callsOf(text: string, tree: unknown, means: ConjunctMeans): Pick<Conjunct, 'calls'> {
  if (!isSyntaxNode(tree) || tree['type'] !== 'binary' || !COMPARISONS.has(tree['value'])) return {};
  const [left, right] = sidesOf(text) ?? [];
  const calls = [
    { side: left, node: tree['lhs'] },
    { side: right, node: tree['rhs'] },
  ].flatMap(({ side, node }) => {
    if (side === undefined || !isSyntaxNode(node) || node['type'] !== 'function') return [];
    const closure = isSameTree(parsed(side, means), node) ? means.closureOf(node) : null;
    return closure === null ? [] : [{ text: side, closure }];
  });
  return calls.length === 0 ? {} : { calls };
}

/** The text cut into `count` pieces, also within parentheses that only hold more `and`s. */
function piecesOf(text: string, from: number, count: number, means: ConjunctMeans): readonly Slice[] {
  if (count === 1) return [trimmed(text, from)];
  const slices = slicesOf(text, from);
  if (slices.length === 1) return insideOf(slices[0], count, means);
  return slices.flatMap((slice) => {
    const inner = conjunctsOf(parsed(slice.text, means)).length;
    return inner === 1 ? [slice] : insideOf(slice, inner, means);
  });
}

function insideOf(slice: Slice | undefined, count: number, means: ConjunctMeans): readonly Slice[] {
  if (slice === undefined || !slice.text.startsWith('(') || !slice.text.endsWith(')')) return [];
  return piecesOf(slice.text.slice(1, -1), slice.start + 1, count, means);
}

function parsed(text: string, means: ConjunctMeans): unknown {
  try {
    return withoutBlocks(means.parse(text));
  } catch {
    return null;
  }
}

/** A conjunct comes without the parentheses around it. */
function withoutBlocks(tree: unknown): unknown {
  const [only, ...others] = conjunctsOf(tree);
  return others.length === 0 ? only : tree;
}

function isSameTree(left: unknown, right: unknown): boolean {
  return isDeepStrictEqual(shapeOf(left), shapeOf(right));
}

/** A tree without where its nodes stand. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shapeOf);
  if (!isSyntaxNode(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, inner]) => name !== 'position' && typeof inner !== 'function')
      .map(([name, inner]) => [name, shapeOf(inner)]),
  );
}

/** The fields that an expression reads, as far as their names are fixed; those within predicates belong to the path these hang on. */
export function pathsOf(tree: unknown): readonly string[] {
  const paths = new Set<string>();
  const withinPredicates = new Set<SyntaxNode>();
  for (const { node } of nodesOf(tree)) {
    if (node['type'] === 'filter') for (const inner of nodesOf(node)) withinPredicates.add(inner.node);
    if (withinPredicates.has(node) || paths.size >= PATHS_MAX) continue;
    const names = pathOf(node)?.names ?? [];
    if (names.length > 0) paths.add(names.join('.'));
  }
  return [...paths].reverse();
}
