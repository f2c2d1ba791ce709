import type { Requirement } from './compiled.js';
import { someReached } from './reach.js';

/** Whether a context has what is demanded. */
export function meets(context: object, requirement: Requirement): boolean {
  const { path, orPath } = requirement;
  const test = (found: unknown): boolean => isAmong(found, requirement);
  return someReached(context, path, test) || (orPath !== undefined && someReached(context, orPath, test));
}

function isAmong(found: unknown, { values, patterns }: Requirement): boolean {
  if (values.includes(found)) return true;
  return patterns !== undefined && typeof found === 'string' && patterns.some((each) => each.mayMatch(found));
}
