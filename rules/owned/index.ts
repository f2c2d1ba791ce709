/** Rules that are made by others than authors, and their gates. */
export {
  gateIdOf,
  OWNED_RULES_PER_COMMIT_MAX,
  type OwnedOutcome,
  type OwnedRule,
  type OwnedRules,
  RULE_GATES,
  type RuleGate,
} from './owned-rules.js';
