/** What authors write, held against what it may be: a rule, and a CPE that is told of. */
export { ajvWithTimes, CPE_SCHEMA, type CpeFields, parseCpe, timeSchema } from './cpe-description.js';
export { problemsInFile, warningsInFile } from './in-rule-file.js';
export {
  createRuleValidator,
  type LocatedProblem,
  PROBLEMS_MAX,
  problemsOf,
  type RuleValidator,
  type Validation,
  type ValidRule,
} from './validate.js';
