/** Which rule upgrades a CPE now; the same in words, for one rule against many CPEs, and for an upgrade that may not have arrived. */
export { boardParameterOf, isBoardParameter, whyNotFitting } from './board.js';
export { type Decider, decide, parametersNamed } from './decide.js';
export { createDrafts } from './draft.js';
export { DECISION_WAIT_MS, type IsolatedOutcome } from './evaluation.js';
export { explain } from './explain.js';
export { foresee } from './foresee.js';
export { takeUp } from './match.js';
export { createProbation } from './probation.js';
export { mayRepeat } from './repeat.js';
export {
  createStandingConditions,
  type Standing,
  type StandingCondition,
  type StandingConditions,
} from './standing.js';
