/** The rules that are pinned to no CPE, in memory, and how those that may concern one are found without trying each. */
export { type Candidate, candidateOf, inOrder, mergeInOrder } from './candidate.js';
export { type Fleet, openFleet } from './fleet.js';
export { FleetRules, type RuleSelection } from './fleet-rules.js';
export { demandedBy, PARAMETERS_READ_MAX, RuleIndex } from './rule-index/index.js';
