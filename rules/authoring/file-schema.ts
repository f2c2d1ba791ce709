import { RULE_SCHEMA } from '../vocabulary/index.js';
import { RULE_TEST_SCHEMA } from './rule-test/index.js';

const DRAFT = 'http://json-schema.org/draft-07/schema#';
/** Editors want the key in the file; it is no part of a rule, and dropped when the file is read. */
const SCHEMA_KEY = {
  $schema: { type: 'string', description: 'where the schema is that an editor checks this file by; ignored' },
} as const;

const EXAMPLES = {
  id: ['UPGRADE_00A1B2-HGW-1', 'hgw-2.0.0-canary'],
  file: ['hgw-2.0.0.bin', 'https://firmware.example.net/hgw-2.0.0.bin'],
  condition: [
    { cpeid: '00A1B2-HGW-1' },
    { productClass: 'HGW', softwareVersion: ['1.8.0', '1.9.0'] },
    "productClass = 'HGW' and $compareVersions(softwareVersion, '2.0.0') < 0",
    "productClass = 'HGW' and $bucket(cpeid, 'hgw-2.0.0') < 5",
  ],
  executions: [1, 3, -1],
  priority: [1, 10],
  target: [{ softwareVersion: '2.0.0' }],
  window: [{ cron: '0 2 * * *', durationMinutes: 120, timezone: 'Europe/Berlin' }],
  limits: [{ concurrent: 50, total: 1_000, stopAfterFailures: 20 }],
  retry: [{ afterMinutes: 60, factor: 2, maxHours: 24 }],
} as const satisfies Partial<Record<keyof typeof RULE_SCHEMA.properties, readonly unknown[]>>;

const EXAMPLES_OF: ReadonlyMap<string, readonly unknown[]> = new Map(Object.entries(EXAMPLES));

const PROPERTIES = Object.fromEntries(
  Object.entries(RULE_SCHEMA.properties).map(([name, schema]) => {
    const examples = EXAMPLES_OF.get(name);
    return [name, examples === undefined ? schema : { ...schema, examples }];
  }),
);

/**
 * A rule file (JSON Schema, draft 7), for editors and for checks without Ferry. It is the very schema that Ferry checks a rule by; what
 * a schema cannot say (whether a condition parses) `ferry rules check` tells.
 */
export const RULE_FILE_SCHEMA = {
  $schema: DRAFT,
  $id: 'urn:ferry-acs:rule-file',
  title: 'Ferry rule file',
  description: 'A rule, or an array of rules',
  type: ['object', 'array'],
  // Not oneOf: an editor then tells what is wrong with the rule rather than that neither fits.
  if: { type: 'array' },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: { items: { $ref: '#/definitions/rule' } },
  else: { ...RULE_SCHEMA, properties: { ...SCHEMA_KEY, ...PROPERTIES } },
  definitions: { rule: { ...RULE_SCHEMA, properties: PROPERTIES } },
} as const;

/** The tests beside a rule file (JSON Schema, draft 7). */
export const RULE_TEST_FILE_SCHEMA = {
  $schema: DRAFT,
  $id: 'urn:ferry-acs:rule-test',
  title: 'Tests of a Ferry rule file',
  ...RULE_TEST_SCHEMA,
  properties: { ...SCHEMA_KEY, ...RULE_TEST_SCHEMA.properties },
} as const;
