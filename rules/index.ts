export { openRules, type RuleEngine, type RulesOptions } from './engine.js';
export { bucket, compareVersions, inSubnet } from './functions/index.js';
export * from './rule.js';
export type { RuleFileProblem } from './rule-file.js';
export { DEFAULT_DEADLINES, DEFAULT_RETRY, RULE_SCHEMA } from './schema.js';
export { ruleOf } from './stored-rule.js';
export type { OpenRule, Waking } from './waking.js';
export {
  type RuleFilesStatus,
  type RuleFileWatcher,
  type WatchOptions,
  watchRuleDirectory,
} from './watch.js';
export { RULES_PER_COMMIT_MAX } from './writes.js';
