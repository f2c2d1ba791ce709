import {
  ALL_PARAMETER,
  failures,
  jsonBody,
  jsonResponse,
  LIST_PARAMETERS,
  listResponse,
  type Operation,
  PATTERN,
  queryParameter,
  REVISION_PARAMETER,
  ref,
} from './pieces.js';

type PathItem = Readonly<Record<string, Operation | readonly object[]>>;

const RULE_EXAMPLE = {
  id: 'UPGRADE_00A1B2-HGW-1',
  enabled: true,
  automatic: true,
  file: 'http://files.example.net/hgw-2.0.0.bin',
  condition: { cpeid: '00A1B2-HGW-1' },
  executions: 1,
  priority: 1,
  author: 'api',
};

const done = (storage: string) => ({ code: 204, message: `response from ${storage}`, details: '' });

const nothing = (storage: string) =>
  jsonResponse('Nothing matched', ref('Answer'), {
    code: 404,
    message: `response from ${storage}`,
    details: '',
  });

const ID = 'The id of a rule; campaignid means the same.';

export const dynPaths: Readonly<Record<string, PathItem>> = {
  '/v1/dyn/FirmwareStorage/{pattern}': {
    parameters: [PATTERN],
    get: {
      operationId: 'listRules',
      summary: 'Lists upgrade rules, newest first',
      description:
        'An entry is the rule as its author wrote it with the defaults filled in, and can be posted again as it is.',
      parameters: [
        ...LIST_PARAMETERS,
        queryParameter('id', ID),
        queryParameter('campaignid', ID),
        queryParameter('cpeid', 'Rules whose condition can only be true for this CPE (an index look-up).'),
      ],
      responses: {
        '200': listResponse('The rules', 'Rule'),
        ...failures('Answer'),
        '404': nothing('FirmwareStorage'),
      },
    },
    post: {
      operationId: 'putRules',
      summary: 'Creates or replaces upgrade rules, all or none, or any number of them batch by batch',
      description:
        'The same content again changes nothing. With `If-None-Match: *` a rule that exists is a conflict (409). NDJSON (a rule a line), and an array whose sender has `Accept: application/x-ndjson`, may be of any length: it is stored while it comes, in batches of 1,000 rules (or 8 MiB), each all or none, and answered by a report in NDJSON. That begins before the end of the body, so its HTTP status is 200 whatever becomes of the rules. Of two rules with one id in different batches the later stays; in one batch they are an error.',
      parameters: [
        { name: 'If-None-Match', in: 'header', description: 'Only create', schema: { enum: ['*'] } },
      ],
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: { oneOf: [ref('Rule'), { type: 'array', items: ref('Rule'), minItems: 1 }] },
            example: RULE_EXAMPLE,
          },
          'application/x-ndjson': { schema: ref('Rule') },
        },
      },
      responses: {
        '200': {
          description: 'Stored; or, as NDJSON, the report on each batch and at its end the sum',
          content: {
            'application/json': { schema: ref('Answer'), example: done('FirmwareStorage') },
            'application/x-ndjson': { schema: ref('BulkReport') },
          },
        },
        ...failures('Answer', '409', '413', '415', '507'),
      },
    },
    put: {
      operationId: 'changeRules',
      summary: 'Merges fields into every rule that matches',
      description:
        'An id in the body narrows what is changed and never renames; null takes a field away; a condition is replaced as a whole. Changed in steps of 1,000 rules, each atomic.',
      parameters: [ALL_PARAMETER, queryParameter('id', ID), queryParameter('campaignid', ID)],
      requestBody: jsonBody(
        { type: 'object' },
        { id: 'UPGRADE_00A1B2-HGW-1', enabled: false, automatic: false },
      ),
      responses: {
        '200': jsonResponse('Changed', ref('Answer'), done('FirmwareStorage')),
        ...failures('Answer', '409', '413', '415', '507'),
        '404': nothing('FirmwareStorage'),
      },
    },
    delete: {
      operationId: 'deleteRules',
      summary: 'Deletes every rule that matches',
      description: 'Results and counts stay.',
      parameters: [ALL_PARAMETER, queryParameter('id', ID), queryParameter('campaignid', ID)],
      responses: {
        '200': jsonResponse('Deleted', ref('Answer'), done('FirmwareStorage')),
        ...failures('Answer', '409'),
        '404': nothing('FirmwareStorage'),
      },
    },
  },
  '/v1/dyn/FirmwareResultStorage/{pattern}': {
    parameters: [PATTERN],
    get: {
      operationId: 'listResults',
      summary: 'Lists the results of upgrades, running and ended, the one begun last first',
      parameters: [
        ...LIST_PARAMETERS,
        queryParameter('id', 'The id of a result, or of the rule it is of.'),
        REVISION_PARAMETER,
      ],
      responses: {
        '200': listResponse('The results', 'Result', {
          code: 200,
          message: 'response from FirmwareResultStorage',
          details: [
            {
              id: 'cd3627cd-1908-4ff8-8fe3-f7078723a684',
              status: true,
              ts: 1743412508,
              cpeid: '00A1B2-HGW-1',
              rule_description: 'string',
              campaignid: 'UPGRADE_00A1B2-HGW-1',
              result: {
                code: 500,
                message:
                  'Upgrade has failed with FaultCode 9010. FaultString: Download failure. File not found.',
              },
            },
          ],
        }),
        ...failures('Answer'),
        '404': nothing('FirmwareResultStorage'),
      },
    },
    delete: {
      operationId: 'deleteResults',
      summary: 'Deletes every result that matches',
      description: 'Refused (409) where an upgrade among them still runs.',
      parameters: [
        ALL_PARAMETER,
        queryParameter('id', 'The id of a result, or of the rule it is of.'),
        REVISION_PARAMETER,
      ],
      responses: {
        '200': jsonResponse('Deleted', ref('Answer'), done('FirmwareResultStorage')),
        ...failures('Answer', '409'),
        '404': nothing('FirmwareResultStorage'),
      },
    },
  },
  '/v1/dyn/DeviceStorage/{pattern}': {
    parameters: [PATTERN],
    get: {
      operationId: 'listDevices',
      summary: 'Lists the CPEs that are known, by id',
      parameters: [
        ...LIST_PARAMETERS,
        queryParameter('parameters', 'true: with the data model; for a selection of one CPE.', {
          type: 'boolean',
        }),
      ],
      responses: {
        '200': listResponse('The CPEs', 'Device'),
        ...failures('Answer'),
        '404': nothing('DeviceStorage'),
      },
    },
  },
};
