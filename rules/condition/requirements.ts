import type { Requirement } from './compiled.js';
import {
  conjunctsOf,
  constantsOf,
  isConstant,
  isSyntaxNode,
  plainPathOf,
  type SyntaxNode,
  soleExpression,
} from './syntax-tree.js';

/**
 * What must be found on the CPE for the expression to be true, read off its outermost conjuncts: `path = constant` either way round,
 * `path in [constants]`, `constant in path`, and alternatives of these that all look at one path.
 */
export function requirementsOf(tree: unknown): readonly Requirement[] {
  return conjunctsOf(tree).flatMap(requirementsOfConjunct);
}

function requirementsOfConjunct(node: SyntaxNode): readonly Requirement[] {
  if (node['type'] !== 'binary') return [];
  const { value, lhs, rhs } = node;
  if (value === 'or') return commonTo(alternativesOf(node).map(requirementsOf));
  if (value === '=') return [...requirement(lhs, valuesOf(rhs)), ...requirement(rhs, valuesOf(lhs))];
  if (value === 'in') {
    return [...requirement(lhs, constantsOf(rhs) ?? valuesOf(rhs)), ...requirement(rhs, valuesOf(lhs))];
  }
  return [];
}

function requirement(place: unknown, values: readonly unknown[] | null): readonly Requirement[] {
  const path = plainPathOf(place);
  // An empty list is left to the expression itself: what is never true needs no index.
  return path === null || values === null || values.length === 0
    ? []
    : [{ path, values: [...new Set(values)] }];
}

function valuesOf(node: unknown): readonly unknown[] | null {
  return isConstant(node) ? [node['value']] : null;
}

/** The operands of a chain of `or`s; iterative, as there may be a thousand. */
function alternativesOf(root: SyntaxNode): readonly unknown[] {
  const alternatives: unknown[] = [];
  const open: unknown[] = [root];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const inner = soleExpression(next) ?? next;
    if (isSyntaxNode(inner) && inner['type'] === 'binary' && inner['value'] === 'or')
      open.push(inner['rhs'], inner['lhs']);
    else alternatives.push(inner);
  }
  return alternatives;
}

/** Whichever alternative holds, one of its values is found: on a path that every one of them looks at, all their values together. */
function commonTo(alternatives: readonly (readonly Requirement[])[]): readonly Requirement[] {
  const [first = [], ...others] = alternatives;
  return first.flatMap(({ path, values }) => {
    const together = new Set(values);
    for (const requirements of others) {
      const same = requirements.find((other) => isSamePath(other.path, path));
      if (same === undefined) return [];
      for (const value of same.values) together.add(value);
    }
    return [{ path, values: [...together] }];
  });
}

function isSamePath(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((step, index) => step === right[index]);
}
