export { type CheckReport, checkRuleFiles, FINDINGS_MAX, type FileToCheck } from './check.js';
export { conditionRemarks } from './condition-lints.js';
export { type Finding, LINTS, type LintCode, type Severity } from './finding.js';
