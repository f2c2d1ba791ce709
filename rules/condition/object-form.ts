import type { Condition, Scalar } from '../rule.js';
import type { Closure } from './compiled.js';
import { reaches } from './reach.js';

export type ObjectCondition = Exclude<Condition, string>;

/** One key of a condition in object form: some value found at `path` must be one of `values`. */
export interface Membership {
  readonly path: readonly string[];
  readonly values: readonly Scalar[];
}

export function membershipsOf(condition: ObjectCondition): readonly Membership[] {
  return Object.entries(condition).map(([key, value]) => ({
    path: key.split('.'),
    values: isList(value) ? value : [value],
  }));
}

function isList(value: Scalar | readonly Scalar[]): value is readonly Scalar[] {
  return Array.isArray(value);
}

/**
 * The JSONata text of an object condition, `$count(k[$ in [v…]]) > 0` for each key. The values are variables (`$v0`, `$v1` …, see
 * {@link bindingsOf}), so that a million rules that differ only in their cpeid are one expression.
 */
export function expressionOf(memberships: readonly Membership[]): string {
  return memberships
    .map(({ path }, index) => `$count(${path.map((step) => `\`${step}\``).join('.')}[$ in $v${index}]) > 0`)
    .join(' and ');
}

export function bindingsOf(memberships: readonly Membership[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(memberships.map(({ values }, index) => [`v${index}`, values]));
}

/** The same without JSONata. */
export function closureOf(memberships: readonly Membership[]): Closure {
  return (context) => memberships.every(({ path, values }) => reaches(context, path, values));
}
