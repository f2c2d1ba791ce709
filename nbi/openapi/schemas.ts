import { RULE_SCHEMA } from '../../rules/index.js';

/** Shapes that several calls share, under `#/components/schemas`. */
export const schemas = {
  BulkReport: {
    description: 'A line of the report on rules that were stored while they came.',
    oneOf: [
      {
        title: 'A rule that is to blame for its batch being refused; comes before the batch',
        type: 'object',
        required: ['code', 'details'],
        oneOf: [{ required: ['line'] }, { required: ['item'] }],
        properties: {
          line: { type: 'integer', minimum: 1, description: 'Of NDJSON.' },
          item: { type: 'integer', minimum: 0, description: 'Of an array.' },
          code: { enum: [400, 409] },
          details: { type: 'array', minItems: 1, items: { $ref: '#/components/schemas/Problem' } },
        },
        additionalProperties: false,
      },
      {
        title: 'A batch: stored as a whole, or not at all',
        type: 'object',
        required: ['code', 'written', 'unchanged'],
        oneOf: [{ required: ['lines'] }, { required: ['items'] }],
        properties: {
          lines: { type: 'array', minItems: 2, maxItems: 2, items: { type: 'integer' } },
          items: { type: 'array', minItems: 2, maxItems: 2, items: { type: 'integer' } },
          code: { enum: [204, 400, 409] },
          written: { type: 'integer' },
          unchanged: { type: 'integer', description: 'Stored already as they were posted.' },
        },
        additionalProperties: false,
      },
      {
        title: 'The sum, always the last line: a report without it is of a load that broke off',
        type: 'object',
        required: ['code', 'message', 'written', 'unchanged', 'refused'],
        properties: {
          code: {
            type: 'integer',
            description:
              '204 all stored, 207 some batches refused, 400 all of them; another, or 400 with details: why no more of the body was read.',
          },
          message: { type: 'string' },
          written: { type: 'integer' },
          unchanged: { type: 'integer' },
          refused: { type: 'integer', description: 'Rules in batches that were refused.' },
          details: { type: 'array', items: { $ref: '#/components/schemas/Problem' } },
        },
        additionalProperties: false,
      },
    ],
  },
  /** What rules are checked by, so that the document cannot say anything else; and what is shown beside a rule. */
  Rule: {
    ...RULE_SCHEMA,
    properties: {
      ...RULE_SCHEMA.properties,
      lastError: {
        type: 'object',
        readOnly: true,
        description:
          'What the condition failed with last since the rule was edited; absent where it did not.',
        required: ['at', 'cpeid', 'code', 'message'],
        properties: {
          at: { type: 'integer', description: 'In epoch seconds.' },
          cpeid: { type: 'string', description: 'The CPE it was evaluated for.' },
          code: {
            type: 'string',
            description: "JSONata's code, such as D1012, or out-of-time, out-of-memory, argument-too-large …",
          },
          message: { type: 'string' },
        },
      },
      suspended: {
        type: 'object',
        readOnly: true,
        description:
          'The condition went beyond its bounds for 20 CPEs: the rule is not considered until it is edited.',
        required: ['at', 'message'],
        properties: {
          at: { type: 'integer', description: 'In epoch seconds.' },
          message: { type: 'string' },
        },
      },
    },
  },
  Result: {
    type: 'object',
    required: ['id', 'status', 'ts', 'cpeid', 'rule_description', 'campaignid', 'result'],
    properties: {
      id: { type: 'string', format: 'uuid' },
      status: { type: 'boolean', description: 'True once the upgrade ended.' },
      ts: { type: 'integer', description: 'Last change, in epoch seconds.' },
      cpeid: { type: 'string' },
      rule_description: { type: 'string' },
      campaignid: { type: 'string' },
      result: {
        type: 'object',
        required: ['code', 'message'],
        properties: {
          code: {
            enum: [200, 202, 408, 499, 500],
            description: '200 verified, 202 running, 408 timed out, 499 cancelled, 500 failed.',
          },
          message: { type: 'string' },
        },
      },
    },
  },
  Device: {
    type: 'object',
    required: ['id', 'cpeid', 'serialNumber'],
    properties: {
      id: { type: 'string' },
      cpeid: { type: 'string', description: 'OUI-ProductClass-SerialNumber, escaped; the same as id.' },
      manufacturer: { type: 'string' },
      oui: { type: 'string' },
      productClass: { type: 'string' },
      serialNumber: { type: 'string' },
      modelName: { type: 'string' },
      softwareVersion: { type: 'string' },
      hardwareVersion: { type: 'string' },
      ip: { type: 'string', description: 'Where its last Inform came from.' },
      connectionRequestUrl: { type: 'string' },
      provisioning: {
        enum: ['due', 'done', 'refused'],
        description:
          'Whether connection-request credentials and periodic Inform have been set; refused: the CPE answered with a fault.',
      },
      registered: { type: 'integer', description: 'First Inform, in epoch seconds.' },
      lastInform: { type: 'integer', description: 'In epoch seconds.' },
      lastEvents: { type: 'array', items: { type: 'string' } },
      tags: { type: 'array', items: { type: 'string' } },
      organization: { type: 'string' },
      upgrade: { type: ['string', 'null'], description: 'The id of the result of the upgrade under way.' },
      parameters: {
        type: 'object',
        description: 'With parameters=true: the data model as last reported, by full name.',
        additionalProperties: { type: ['string', 'number', 'boolean'] },
      },
    },
  },
  Image: {
    type: 'object',
    required: ['name', 'sizeBytes', 'sha256', 'fileType', 'uploaded', 'uploadedBy'],
    properties: {
      name: { type: 'string', pattern: '^[A-Za-z0-9_~][A-Za-z0-9_.~-]{0,127}$' },
      sizeBytes: { type: 'integer' },
      sha256: { type: 'string' },
      fileType: { type: 'string', default: '1 Firmware Upgrade Image' },
      softwareVersion: { type: 'string', description: 'What a CPE reports once it runs this image.' },
      productClass: { type: 'string' },
      hardwareVersion: { type: 'string' },
      uploaded: { type: 'integer', description: 'In epoch seconds.' },
      uploadedBy: { type: 'string' },
      sameContentAs: {
        type: 'array',
        items: { type: 'string' },
        description: 'In the answer to an upload: other names that hold the same content.',
      },
    },
  },
  Problem: {
    type: 'object',
    required: ['field', 'expected'],
    properties: {
      field: {
        type: 'string',
        description: 'Dotted path, parameter or header; empty for the body as a whole.',
      },
      expected: { type: 'string', description: 'What it should be, with the remedy.' },
      found: { type: 'string' },
      code: { type: 'string' },
      item: { type: 'integer', description: 'Which entry of an array, counted from 0.' },
      line: { type: 'integer' },
      column: { type: 'integer' },
      ids: { type: 'array', items: { type: 'string' } },
    },
  },
  Answer: {
    type: 'object',
    required: ['code', 'message', 'details'],
    properties: {
      code: { type: 'integer', description: 'As the HTTP status; 204 comes with HTTP 200.' },
      message: { type: 'string', description: '`response from ` and the storage.' },
      details: { description: 'What was asked for; empty, or an array of Problem, where there is none.' },
    },
  },
  MethodAnswer: {
    type: 'object',
    required: ['result'],
    properties: {
      result: {
        type: 'object',
        required: ['code', 'message'],
        properties: {
          code: { type: 'integer', description: 'As the HTTP status.' },
          message: { type: 'string' },
        },
      },
      details: {},
    },
  },
  Health: {
    type: 'object',
    required: ['status', 'parts'],
    properties: {
      status: { enum: ['ok', 'failing'] },
      parts: {
        type: 'object',
        additionalProperties: { enum: ['ok', 'degraded', 'failing'] },
        description:
          'A part that is degraded needs someone to look at it, but does its work: status stays ok.',
      },
    },
  },
} as const;
