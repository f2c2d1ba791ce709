export {
  type CaseResult,
  imagesOf,
  type Outcome,
  type RulesUnderTest,
  runCase,
  signingIn,
} from './run.js';
export { RULE_TEST_SCHEMA } from './schema.js';
export {
  createTestFileParser,
  type LocatedCase,
  type ParsedTestFile,
  type RuleTestCase,
} from './test-file.js';
