export { CAMPAIGN_SHARES, CAMPAIGNS, type CampaignShare, shareId } from './campaign.js';
export { CONTEXT_FIELDS, type ContextField } from './context-fields.js';
export { CPE_SCHEMA, type CpeFields, parseCpe } from './cpe-description.js';
export * from './decision.js';
export { openRules, type RuleEngine, type RulesOptions } from './engine.js';
export * from './explanation.js';
export { RULE_FILE_SCHEMA, RULE_TEST_FILE_SCHEMA } from './file-schema.js';
export { openFreeze } from './freeze.js';
export { bucket, compareVersions, inSubnet } from './functions/index.js';
export * from './lint/index.js';
export * from './problems.js';
export * from './rule.js';
export {
  isRuleFileName,
  RULE_FILES_MAX,
  type RuleFileContent,
  readBounded,
  readRuleDirectory,
  TEST_FILE_SUFFIX,
} from './rule-directory.js';
export { parseRuleFile, type RuleFileProblem } from './rule-file.js';
export * from './rule-test/index.js';
export * from './rules.js';
export { DEFAULT_DEADLINES, DEFAULT_RETRY, RULE_SCHEMA } from './schema.js';
export { ruleOf } from './stored-rule.js';
export { RULE_COLLECTIONS } from './tables.js';
export type { LocatedProblem } from './validate.js';
export type { OpenRule, Waking } from './waking.js';
export {
  type RuleFilesStatus,
  type RuleFileWatcher,
  type WatchOptions,
  watchRuleDirectory,
} from './watch.js';
export { RULES_PER_COMMIT_MAX } from './writes.js';
