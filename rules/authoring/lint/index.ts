export { type CheckReport, checkRuleFiles, FINDINGS_MAX, type FileToCheck } from './check.js';
export { type Finding, LINTS, type LintCode, type Severity } from './finding.js';
