import type { DescribedCpe } from '../acs/index.js';
import type { ResultId } from '../common/index.js';
import type { DecisionExplanation, ExplainOptions, Rules } from '../rules/index.js';

/** What a session would do for one CPE now, and why. */
export interface CpeExplanation extends DecisionExplanation {
  /** The upgrade under way. */
  readonly inFlight: ResultId | null;
}

/**
 * Explains what the rules would decide for a CPE, and what keeps a session from asking them.
 * @throws UnknownRuleError, InvalidRuleError
 */
export async function explainFor(
  rules: Pick<Rules, 'explain'>,
  { input, inFlight, isWaiting }: DescribedCpe,
  options: ExplainOptions,
): Promise<CpeExplanation> {
  const explanation = await rules.explain(input, options);
  if (inFlight === null && isWaiting !== true) return { ...explanation, inFlight };
  const { winner: _, reads: _reads, ...rest } = explanation;
  const reason =
    inFlight === null
      ? `The CPE waits to be enrolled, and no rule looks at it until it is. If it were: ${explanation.reason}`
      : `The upgrade ${inFlight} is under way, and nothing is decided until it has ended. Without it: ${explanation.reason}`;
  return { ...rest, kind: 'nothing', reason, inFlight };
}
