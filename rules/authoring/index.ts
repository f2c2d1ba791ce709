/** What tells authors more before anything is stored: published schemas, lints, and the tests beside a rule file. */
export { RULE_FILE_SCHEMA, RULE_TEST_FILE_SCHEMA } from './file-schema.js';
export * from './lint/index.js';
export * from './rule-test/index.js';
