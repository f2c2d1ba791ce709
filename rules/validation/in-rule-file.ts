import { PASSWORD_KEPT } from '../vocabulary/index.js';
import type { LocatedProblem, ValidRule } from './validate.js';

/** What is wrong with a rule that stands in a rule file, whatever is stored. */
export function problemsInFile({ rule, refusals }: ValidRule): readonly LocatedProblem[] {
  const problems = refusals.filter((refusal) => !isLenient(refusal));
  if (rule.password !== PASSWORD_KEPT) return problems;
  const expected = 'the password itself: a rule file is all that there is of its rules';
  return [...problems, { path: ['password'], field: 'password', code: 'not-stored', expected }];
}

/** What is only warned of in rule files: the server of this release takes it still, the next one will not. */
export function warningsInFile({ refusals }: ValidRule): readonly LocatedProblem[] {
  return refusals.filter(isLenient);
}

function isLenient({ path }: LocatedProblem): boolean {
  return path[0] === 'condition' || path[0] === 'id';
}
