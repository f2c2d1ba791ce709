import { isDeepStrictEqual } from 'node:util';
import { patternOf } from '../condition/index.js';
import { isLikeCpeId, type StoredRule, type WrittenAnew } from '../vocabulary/index.js';

/** What of a rule that is about to be stored its author may want to hear; null where there is nothing. */
export function writtenAnew(rule: StoredRule, before: StoredRule | null): WrittenAnew | null {
  const { condition } = rule;
  if (rule.patterns === undefined || typeof condition === 'string') return null;
  const wasEquality =
    before !== null && before.patterns === undefined && isDeepStrictEqual(condition, before.condition);
  const named = [condition['cpeid'] ?? []].flat();
  const serialNumbers = named.flatMap((value) => {
    const name = typeof value === 'string' ? patternOf(value) : null;
    return typeof name === 'string' && !isLikeCpeId(name) ? name : [];
  });
  return wasEquality || serialNumbers.length > 0 ? { rule, wasEquality, serialNumbers } : null;
}
