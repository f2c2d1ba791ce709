/** Rules that are made by others than authors. */
export { openOwnedRules } from './open-owned-rules.js';
export {
  OWNED_RULES_PER_COMMIT_MAX,
  type OwnedOutcome,
  type OwnedRule,
  type OwnedRules,
} from './owned-rules.js';
