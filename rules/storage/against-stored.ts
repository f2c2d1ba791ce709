import { isDeepStrictEqual } from 'node:util';
import type { LocatedProblem, ValidRule } from '../validation/index.js';
import { PASSWORD_KEPT, type StoredRule } from '../vocabulary/index.js';
import { keepingRefused } from './sealed-password.js';

/** Whether what is stored in its place has a say in whether the rule can be. */
export function dependsOnStored({ rule, refusals }: ValidRule): boolean {
  return refusals.length > 0 || rule.password === PASSWORD_KEPT;
}

/** What is wrong with storing a rule in place of `before`. */
export function problemsAgainst(
  { rule, refusals }: ValidRule,
  before: StoredRule | null,
): readonly LocatedProblem[] {
  const expected = keepingRefused(rule, before);
  return [
    ...refusals.filter(({ path: [field] }) => !isAsBefore(field, rule, before)),
    ...(expected === null ? [] : [{ path: ['password'], field: 'password', code: 'not-stored', expected }]),
  ];
}

/** What is stored already runs on: such a rule can be switched off, and be posted again as it is. */
function isAsBefore(
  field: string | number | undefined,
  rule: ValidRule['rule'],
  before: StoredRule | null,
): boolean {
  if (before === null) return false;
  if (field === 'id') return true;
  if (field === 'condition') return isDeepStrictEqual(rule.condition, before.condition);
  return field === 'file' && rule.file === before.file;
}
