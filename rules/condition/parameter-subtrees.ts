import type { Subtrees } from '../vocabulary/index.js';
import { isSyntaxNode, nodesOf, pathOf, type SyntaxNode } from './syntax-tree.js';

const FIELD = 'parameters';
/** The field, the root and what is below it: as much as names a subtree. */
const STEPS_LEAST = 3;
/** With fewer arguments these take the context in place of the first one, which may be all that there is to see of a CPE. */
const ARGUMENTS_LEAST: ReadonlyMap<unknown, number> = new Map([
  ['string', 1],
  ['boolean', 1],
  ['not', 1],
  ['keys', 1],
  ['spread', 1],
  ['clone', 1],
  ['lookup', 2],
  ['each', 2],
  ['sift', 2],
]);
/** What these do to the context is not followed: `%`, `@`, an update, a function with some arguments left open. */
const TYPES_NOT_FOLLOWED: ReadonlySet<unknown> = new Set(['parent', 'transform', 'partial']);
const EXTRAS_NOT_FOLLOWED = ['focus', 'ancestor', 'seekingParent'];

/** The subtree that a path into the context reads, `parameters.Device.WiFi.…`; null where it may read more than one. */
export function subtreeAt(path: readonly string[]): string | null {
  return path.length < STEPS_LEAST ? null : `${path[1]}.${path[2]}`;
}

/**
 * The subtrees of the data model that an expression can look at, told from its text: every way to the data model must be a path that
 * names one. Null where there is another way, or may be.
 */
export function subtreesReadBy(tree: unknown): Subtrees {
  const subtrees = new Set<string>();
  /** Nodes that lead no further than what has been noted. */
  const followed = new Set<unknown>();
  for (const { node } of nodesOf(tree)) {
    if (!isFollowed(node)) return null;
    if (node['type'] === 'path') {
      const subtree = followPath(node, followed);
      if (subtree === null) return null;
      if (subtree !== '') subtrees.add(subtree);
    }
    if (!followed.has(node) && mayReachAll(node)) return null;
  }
  return [...subtrees];
}

function isFollowed(node: SyntaxNode): boolean {
  if (TYPES_NOT_FOLLOWED.has(node['type']) || EXTRAS_NOT_FOLLOWED.some((extra) => node[extra] !== undefined))
    return false;
  if (node['type'] !== 'function') return true;
  const { procedure, arguments: given } = node;
  const least = isSyntaxNode(procedure) ? ARGUMENTS_LEAST.get(procedure['value']) : undefined;
  return least === undefined || (Array.isArray(given) && given.length >= least);
}

/** Whether a node is a way into the context that need not be a path: the field by its name, all fields, the context itself. */
function mayReachAll({ type, value }: SyntaxNode): boolean {
  if (type === 'variable') return value === '' || value === '$';
  return value === FIELD || type === 'wildcard' || type === 'descendant';
}

/** @returns the subtree of a path into the data model; empty for any other, null for one that is not followed */
function followPath(path: SyntaxNode, followed: Set<unknown>): string | null {
  const steps: unknown = path['steps'];
  if (!Array.isArray(steps)) return null;
  // `$` in a step behind the first, and in a predicate, is what the steps before it have led to.
  for (const [index, step] of steps.entries()) {
    if (!isSyntaxNode(step)) return null;
    const { predicate, stages } = step;
    for (const { node } of nodesOf([predicate, stages, index > 0 ? step : null])) {
      if (node['type'] === 'variable' && node['value'] === '') followed.add(node);
    }
  }
  const names = pathOf(path)?.names ?? [];
  if (names[0] !== FIELD) return '';
  followed.add(steps[0]);
  for (const step of steps.slice(STEPS_LEAST)) {
    if (isSyntaxNode(step) && (step['type'] === 'wildcard' || step['type'] === 'descendant'))
      followed.add(step);
  }
  return subtreeAt(names);
}
