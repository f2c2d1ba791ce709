import type { Requirement } from '../../condition/index.js';
import type { Place } from './entry.js';

/**
 * Rules are told apart by so many first characters of texts, in steps: each number of them that rules ask for costs every selection a
 * look-up.
 */
const PREFIX_LENGTHS = [64, 48, 32, 24, 16, 12, 8, 6, 4, 3, 2, 1];

/** What must be found in one place. */
export interface Demanded extends Place {
  readonly values: readonly unknown[];
}

/** What a requirement demands that can be looked up: more may have it than meet the requirement. Null where nothing can be. */
export function demandedBy({ path, orPath, values, patterns = [] }: Requirement): Demanded | null {
  const place = { path, ...(orPath !== undefined && { orPath }) };
  if (patterns.length === 0) return { ...place, values };
  const beginnings: string[] = patterns.map(({ prefix }) => prefix);
  for (const value of values) {
    // What is no text begins with nothing.
    if (typeof value !== 'string') return null;
    beginnings.push(value);
  }
  const shortest = beginnings.reduce(
    (least, { length }) => Math.min(least, length),
    Number.POSITIVE_INFINITY,
  );
  const prefixLength = PREFIX_LENGTHS.find((length) => length <= shortest);
  if (prefixLength === undefined) return null;
  return { ...place, prefixLength, values: beginnings.map((each) => each.slice(0, prefixLength)) };
}
