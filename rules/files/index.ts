/** Rules from files: read, watched, and applied all or none. */
export { applyFileRules, type FileRules, rulesWithoutFile } from './file-rules.js';
export {
  isRuleFileName,
  RULE_FILES_MAX,
  type RuleFileContent,
  readBounded,
  readRuleDirectory,
  TEST_FILE_SUFFIX,
} from './rule-directory.js';
export { type Position, parseRuleFile, type RuleFileEntry, type RuleFileProblem } from './rule-file.js';
export type { RuleFilesNow, RuleFilesStatus } from './status.js';
export { type RuleFileWatcher, type WatchOptions, watchRuleDirectory } from './watch.js';
