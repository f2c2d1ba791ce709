import { conjunctsOf, isSyntaxNode, listed, patternOf, type SyntaxNode } from '../../condition/index.js';
import { CONTEXT_FIELDS, type Condition, type Scalar } from '../../vocabulary/index.js';
import { constantOf, constantsOf, fieldOf, parseExpression } from './expression.js';

/**
 * What one conjunct of a condition says, in a form in which two can be compared. `oneOf` says exactly that some value at the field is
 * one of these; of anything else only its wording is known.
 */
export type Fact =
  | { readonly kind: 'one-of'; readonly field: string; readonly values: ReadonlySet<unknown> }
  | { readonly kind: 'other'; readonly wording: string };

/** The facts that are together the same as the condition; null where it cannot be taken apart. */
export function factsOf(condition: Condition): readonly Fact[] | null {
  if (typeof condition !== 'string') {
    return Object.entries(condition).map(([field, wanted]) => factOfField(field, listed(wanted)));
  }
  const expression = parseExpression(condition);
  return expression === null ? null : conjunctsOf(expression.tree).map(factOf);
}

function factOfField(field: string, written: readonly Scalar[]): Fact {
  const values = written.map((value) => (typeof value === 'string' ? patternOf(value) : value));
  const isPlain = values.every((value) => typeof value !== 'object' || value === null);
  // What is a cpeid or a serial number is neither for certain.
  return isPlain
    ? { kind: 'one-of', field: field === 'cpeid' ? 'cpeid, serialNumber' : field, values: new Set(values) }
    : { kind: 'other', wording: JSON.stringify([field, ...written]) };
}

function factOf(conjunct: SyntaxNode): Fact {
  const { type, value: operator, lhs, rhs } = conjunct;
  if (type === 'binary' && operator === '=') {
    const equality = equalityFact(lhs, rhs) ?? equalityFact(rhs, lhs);
    if (equality !== null) return equality;
  }
  if (type === 'binary' && operator === 'in') {
    const [field, values] = [fieldOf(lhs), constantsOf(rhs)];
    if (field !== null && values !== null && isSingle(field)) {
      return { kind: 'one-of', field, values: new Set(values) };
    }
    const [list, value] = [fieldOf(rhs), constantOf(lhs)];
    if (list !== null && value !== undefined)
      return { kind: 'one-of', field: list, values: new Set([value]) };
  }
  return { kind: 'other', wording: JSON.stringify(withoutPositions(conjunct)) };
}

function equalityFact(fieldNode: unknown, valueNode: unknown): Fact | null {
  const [field, value] = [fieldOf(fieldNode), constantOf(valueNode)];
  // What equals a list is the list, not one of its values.
  return field === null || value === undefined || !isSingle(field)
    ? null
    : { kind: 'one-of', field, values: new Set([value]) };
}

function isSingle(field: string): boolean {
  return CONTEXT_FIELDS.get(field.split('.')[0] ?? '')?.type !== 'list';
}

/** Depth is bounded: what is deeper was refused when the condition was compiled. */
function withoutPositions(value: unknown): unknown {
  if (value instanceof RegExp) return String(value);
  if (Array.isArray(value)) return value.map(withoutPositions);
  if (!isSyntaxNode(value)) return value;
  const kept = Object.entries(value).filter(([name]) => name !== 'position');
  return Object.fromEntries(kept.map(([name, inner]) => [name, withoutPositions(inner)]));
}

/** Whether every CPE of which `narrow` holds is one of which `wide` holds. False also where that is not known. */
export function implies(narrow: readonly Fact[], wide: readonly Fact[]): boolean {
  return wide.every((wanted) => narrow.some((given) => impliesFact(given, wanted)));
}

function impliesFact(given: Fact, wanted: Fact): boolean {
  if (given.kind === 'one-of' && wanted.kind === 'one-of') {
    return given.field === wanted.field && [...given.values].every((value) => wanted.values.has(value));
  }
  return given.kind === 'other' && wanted.kind === 'other' && given.wording === wanted.wording;
}

/** The values that a field must have for these facts to hold; null where they do not say. */
export function valuesAt(facts: readonly Fact[], field: string): ReadonlySet<unknown> | null {
  const found = facts.find((fact) => fact.kind === 'one-of' && fact.field === field);
  return found?.kind === 'one-of' ? found.values : null;
}
