import type { ConditionFlaw } from '../../condition/index.js';
import type { Remark } from './finding.js';

/**
 * What a condition holds that is the same for every CPE, beside what other lints say of it: they know better what was meant where both
 * speak of one place that is never true.
 */
export function constantRemarks(
  flaws: readonly ConditionFlaw[],
  others: readonly Remark[],
): readonly Remark[] {
  const spokenOf = new Set(
    others.map(({ path, character }) => (path[0] === 'condition' ? character : undefined)),
  );
  const told = flaws.filter(({ code, character }) => code !== 'never-true' || !spokenOf.has(character));
  // That the whole reads nothing says less than what is wrong with it.
  const kept = others.filter(({ code }) => code !== 'constant-condition' || told.length === 0);
  return [...kept, ...told.map((flaw) => ({ ...flaw, path: ['condition'] }))];
}
