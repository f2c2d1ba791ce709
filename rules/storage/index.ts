/** What is kept: rules, the generations by which processes find what is new, errors and suspensions, the emergency brake. */
export { problemsAgainst } from './against-stored.js';
export {
  type Failure,
  type FailureKind,
  failureOf,
  failureOfOutcome,
  IMAGE_MISSING,
  isTrip,
  OUT_OF_MEMORY,
  OUT_OF_TIME,
  type RuleFailure,
  TIMED_OUT,
} from './failure.js';
export { type Freeze, openFreeze, type PulledBrake } from './freeze.js';
export { refuseOwned } from './owned-conflict.js';
export { ofOrganization, openRepository, withoutPath } from './repository.js';
export { openRuleErrors } from './rule-errors.js';
export { gateIdOf, RULE_GATES, type RuleGate } from './rule-gate.js';
export { pinnedAt } from './scan.js';
export type { Sealing } from './sealed-password.js';
export { openSharedSerials, type SharedSerial } from './shared-serials.js';
export { isFromFile, type Provenance, ruleOf, toStored } from './stored-rule.js';
export {
  FLEET_GENERATION_ID,
  type GenerationDocument,
  goneId,
  type KeepingFiles,
  openTables,
  ownersOfRules,
  type RestartsDocument,
  RULE_COLLECTIONS,
  RULES,
  readMany,
  type Tables,
} from './tables.js';
export { warningOf, withFindings } from './warning.js';
export {
  commitWrites,
  RULES_PER_COMMIT_MAX,
  restartsCounted,
  type Write,
  writeInPortions,
} from './writes.js';
export { writtenAnew } from './written-anew.js';
