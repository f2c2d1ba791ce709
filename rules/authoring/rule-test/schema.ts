import { CPE_SCHEMA, timeSchema } from '../../validation/index.js';
import { VERDICTS } from '../../vocabulary/index.js';

export const TEST_CASES_MAX = 10_000;
const TEXT_CHARACTERS_MAX = 256;
const LIST_ITEMS_MAX = 64;
const BOARDS_MAX = 256;
const READ_FIELDS = ['softwareVersion', 'hardwareVersion', 'boards'];
const COUNT_MAX = 1_000_000;

const text = (description: string) =>
  ({ type: 'string', maxLength: TEXT_CHARACTERS_MAX, description }) as const;
const flag = (description: string) => ({ type: 'boolean', description }) as const;
const count = (what: string) =>
  ({
    type: 'integer',
    minimum: 0,
    maximum: COUNT_MAX,
    description: `${what}, a whole number from 0 to ${COUNT_MAX}`,
  }) as const;

const EXPECTATION = {
  type: 'object',
  required: ['decision'],
  additionalProperties: false,
  properties: {
    decision: {
      type: 'string',
      enum: ['upgrade', 'nothing', 'at-target'],
      description:
        '"upgrade", "nothing", or "at-target" (a rule for this one CPE finds it at its target and records that)',
    },
    rule: text('the id of the rule that upgrades the CPE'),
    target: text('the SoftwareVersion that the CPE must report after the upgrade'),
    verdicts: {
      type: 'object',
      maxProperties: LIST_ITEMS_MAX,
      additionalProperties: {
        type: 'string',
        enum: VERDICTS,
        description: `one of ${VERDICTS.join(', ')}`,
      },
      description: 'what is to become of single rules, such as {"hgw-2.0.0": "window-closed"}',
    },
  },
  description: 'an object such as {"decision": "upgrade", "rule": "hgw-2.0.0"}',
} as const;

const CASE = {
  type: 'object',
  required: ['name', 'expect'],
  additionalProperties: false,
  properties: {
    name: {
      type: 'string',
      minLength: 1,
      maxLength: TEXT_CHARACTERS_MAX,
      description: `what the case shows, a text of 1 to ${TEXT_CHARACTERS_MAX} characters`,
    },
    inform: {
      type: 'string',
      minLength: 1,
      maxLength: 1_024,
      description: 'a file with an Inform as a CPE sent it, its path told from this file',
    },
    cpe: CPE_SCHEMA,
    now: timeSchema('when the CPE calls; left out, 2026-01-01T12:00:00Z'),
    requested: flag('true: an operator asked for this session (SendCNR); left out, false'),
    counts: {
      type: 'object',
      maxProperties: LIST_ITEMS_MAX,
      additionalProperties: {
        type: 'object',
        additionalProperties: false,
        properties: {
          started: count('upgrades the rule has started on this CPE'),
          verified: flag('true: one of them was verified'),
          failures: count('how many have failed since'),
          lastEnded: timeSchema('when the last one ended'),
          givenBack: count('Downloads that the CPE refused as busy'),
        },
        description: 'an object such as {"started": 1, "failures": 1, "lastEnded": "2026-01-31T01:00:00Z"}',
      },
      description: 'what the CPE has behind it, by the id of the rule, such as {"hgw-2.0.0": {"started": 1}}',
    },
    images: {
      type: 'object',
      maxProperties: LIST_ITEMS_MAX,
      additionalProperties: {
        type: ['object', 'null'],
        additionalProperties: false,
        properties: {
          softwareVersion: text('the version of the image'),
          productClass: text('the product class that the image fits; left out, any'),
          hardwareVersion: text('the hardware version that the image fits; left out, any'),
          boards: {
            type: 'array',
            maxItems: BOARDS_MAX,
            items: text('a board such as "vendor,model"'),
            description: `an array of at most ${BOARDS_MAX} boards that the image fits; left out, any`,
          },
          fromFile: {
            type: 'array',
            maxItems: READ_FIELDS.length,
            items: {
              type: 'string',
              enum: READ_FIELDS,
              description: `one of ${READ_FIELDS.join(', ')}`,
            },
            description: 'an array of those fields that are read from the file, and typed by nobody',
          },
          signed: flag('false: it is not signed by a key that holds; left out, it is'),
        },
        description: 'an object such as {"softwareVersion": "2.0.0"}, or null for an image that is missing',
      },
      description:
        'what the library holds, by name; any other image that a rule names is there, and nothing is known of it',
    },
    expect: EXPECTATION,
  },
  description: 'an object with at least "name" and "expect"',
} as const;

/**
 * `NAME.test.json` (JSON Schema, draft 7): the cases of the rules in `NAME.json`. As in a rule's own schema, each `description` says
 * what a field should be: it is what the author reads where it is something else.
 */
export const RULE_TEST_SCHEMA = {
  type: 'object',
  required: ['cases'],
  additionalProperties: false,
  properties: {
    cases: {
      type: 'array',
      minItems: 1,
      maxItems: TEST_CASES_MAX,
      items: CASE,
      description: `an array of 1 to ${TEST_CASES_MAX} cases`,
    },
  },
  description: 'an object with "cases"',
} as const;
