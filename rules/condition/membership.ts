import type { Condition, ObjectReading, Scalar } from '../vocabulary/index.js';
import { CLOSURE_STEPS_MAX, Run } from './closure-values.js';
import type { Closure, Requirement } from './compiled.js';
import { ConditionError, TooManyStarsError } from './condition-error.js';
import { isNameRefused, nameProblem } from './parse.js';
import { type Pattern, patternOf, STARS_MAX } from './pattern.js';
import { someReached } from './reach.js';

export type ObjectCondition = Exclude<Condition, string>;

/** More values than these are looked up by hash. */
const VALUES_SCANNED_MAX = 8;
const VALUES_SHOWN_MAX = 5;
const VALUE_CHARACTERS_MAX = 80;
/** Patterns of one condition: each is tried one after the other. */
const PATTERNS_MAX = 100;

/** A CPE goes by this, and by its serial number. */
const NAME = 'cpeid';
const OTHER_NAME = ['serialNumber'];

/** One key of a condition in object form: some value found at its path must be one of its values, or match one of its patterns. */
export interface Membership extends Requirement {
  readonly key: string;
  /** As they were written. */
  readonly written: readonly Scalar[];
  readonly patterns: readonly Pattern[];
}

/** @throws ConditionError */
export function membershipsOf(condition: ObjectCondition, reading: ObjectReading): readonly Membership[] {
  const memberships = Object.entries(condition).map(([key, value]): Membership => {
    const path = key.split('.');
    const refused = path.find(isNameRefused);
    if (refused !== undefined) throw new ConditionError(nameProblem(refused));
    if (key.includes('`'))
      throw new ConditionError(`a field path has no back-quotes, unlike ${JSON.stringify(key)}`);
    const written = listed(value);
    if (reading === 'equality') return { key, path, written, values: written, patterns: [] };
    return { key, path, ...(key === NAME && { orPath: OTHER_NAME }), written, ...asPatterns(key, written) };
  });
  if (memberships.length === 0) throw new ConditionError('an object condition needs at least one field');
  const patterns = memberships.reduce((sum, membership) => sum + membership.patterns.length, 0);
  if (patterns > PATTERNS_MAX)
    throw new TooManyStarsError(
      `at most ${PATTERNS_MAX} values with a * in one condition; use several rules`,
    );
  return memberships;
}

/** Whether it makes a difference how a condition is read. */
export function isReadAnew(condition: Condition): boolean {
  return typeof condition !== 'string' && (Object.hasOwn(condition, NAME) || hasStars(condition));
}

/** Whether it has a star, which is a pattern unless the condition is read by equality. */
export function hasStars(condition: Condition): boolean {
  if (typeof condition === 'string') return false;
  return Object.values(condition).some((value) => listed(value).some(isStarry));
}

function isStarry(value: Scalar): boolean {
  return typeof value === 'string' && value.includes('*');
}

/** What is wanted at a field: one value stands for a list of it. */
export function listed(wanted: Scalar | readonly Scalar[]): readonly Scalar[] {
  return isList(wanted) ? wanted : [wanted];
}

function isList(value: Scalar | readonly Scalar[]): value is readonly Scalar[] {
  return Array.isArray(value);
}

function asPatterns(key: string, written: readonly Scalar[]): Pick<Membership, 'values' | 'patterns'> {
  const patterns: Pattern[] = [];
  const values: Scalar[] = [];
  for (const value of written) {
    const meant = typeof value === 'string' ? patternOf(value) : value;
    if (typeof meant !== 'object' || meant === null) values.push(meant);
    else patterns.push(meant);
  }
  const starry = patterns.find(({ stars }) => stars > STARS_MAX);
  if (starry !== undefined)
    throw new TooManyStarsError(
      `at most ${STARS_MAX} stars in a value, unlike the one of ${JSON.stringify(key)}`,
    );
  return { values, patterns };
}

export function closureOf(membership: Membership): Closure {
  const closure = membership.patterns.length === 0 ? equality(membership) : matching(membership);
  const { orPath, ...others } = membership;
  if (orPath === undefined) return closure;
  const otherwise = closureOf({ ...others, path: orPath });
  return (context, steps) => closure(context, steps) === true || otherwise(context, steps);
}

function equality({ path, values }: Membership): Closure {
  const [only] = values;
  if (values.length === 1) return (context) => someReached(context, path, (found) => found === only);
  if (values.length <= VALUES_SCANNED_MAX) {
    return (context) => someReached(context, path, (found) => values.some((value) => value === found));
  }
  let hashed: ReadonlySet<unknown> | null = null;
  return (context) => {
    // Made when first asked: most rules in such number are never evaluated.
    hashed ??= new Set(values);
    const among = hashed;
    return someReached(context, path, (found) => among.has(found));
  };
}

function matching(membership: Membership): Closure {
  const { path, patterns } = membership;
  const isEqual = equality(membership);
  return (context, steps = { left: CLOSURE_STEPS_MAX }) => {
    if (isEqual(context) === true) return true;
    const run = new Run(context, steps);
    return someReached(context, path, (found) => {
      if (typeof found !== 'string') return false;
      return patterns.some((pattern) => {
        run.spendOnText(found);
        return pattern.matches(found);
      });
    });
  };
}

/** The same in JSONata, where `variable` is bound to the values. */
export function expressionOf({ path, orPath, patterns }: Membership, variable: string): string {
  const isAmong = `$ in ${variable}`;
  const test =
    patterns.length === 0
      ? isAmong
      : `${isAmong} or ($type($) = "string" ? $contains($, /^(?:${patterns.map(({ regexp }) => regexp).join('|')})$/) : false)`;
  const [expression = '', ...others] = [path, ...(orPath === undefined ? [] : [orPath])].map(
    (each) => `$count(${each.map((step) => `\`${step}\``).join('.')}[${test}]) > 0`,
  );
  return others.length === 0 ? expression : `(${[expression, ...others].join(' or ')})`;
}

/** For people. */
export function textOf({ key, written, patterns }: Membership): string {
  const among = new Set(patterns.map((pattern) => pattern.written));
  const shown = written
    .slice(0, VALUES_SHOWN_MAX)
    .map((value) => `${typeof value === 'string' && among.has(value) ? 'like ' : ''}${shortened(value)}`)
    .join(', ');
  if (written.length === 1) return `${key}: ${shown}`;
  return `${key}: one of ${shown}${written.length > VALUES_SHOWN_MAX ? ` … (${written.length} values)` : ''}`;
}

function shortened(value: Scalar): string {
  const cut = typeof value === 'string' && value.length > VALUE_CHARACTERS_MAX;
  return JSON.stringify(cut ? `${value.slice(0, VALUE_CHARACTERS_MAX)}…` : value);
}
