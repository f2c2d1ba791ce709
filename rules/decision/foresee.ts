import type { RuleId } from '../../common/index.js';
import type { DecisionInput, Foreseen } from '../vocabulary/index.js';
import { type Decider, decide } from './decide.js';

/** Rules of one CPE that send nothing, and are passed over to see what comes behind: as many as one session would. */
const PASSED_OVER_MAX = 8;

/**
 * What a CPE would be upgraded by, by what is known of it: what a session would begin now, else what only time holds back. Writes nothing.
 * @param decider  one that holds nothing against rules
 */
export async function foresee(decider: Decider, given: DecisionInput): Promise<Foreseen | null> {
  const input = { ...given, unread: async () => [] };
  return (await firstOf(decider, input)) ?? (await firstOf({ ...decider, looksAhead: true }, input));
}

async function firstOf(decider: Decider, input: DecisionInput): Promise<Foreseen | null> {
  const passedOver = new Set<RuleId>(input.passedOver);
  for (let round = 0; round <= PASSED_OVER_MAX; round++) {
    const decision = await decide(decider, { ...input, passedOver });
    if (decision.kind === 'upgrade') {
      const { rule, targetVersion } = decision;
      return { rule, targetVersion };
    }
    if (decision.kind !== 'at-target' && decision.kind !== 'unfit') return null;
    passedOver.add(decision.rule.id);
  }
  return null;
}
