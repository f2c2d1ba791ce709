import { failures, jsonBody, jsonResponse, type Operation, queryParameter, ref } from './pieces.js';

type PathItem = Readonly<Record<string, Operation | readonly object[]>>;

const OK = { result: { code: 200, message: 'OK' } };

const NAME = {
  name: 'name',
  in: 'path',
  required: true,
  schema: { type: 'string', pattern: '^[A-Za-z0-9_~][A-Za-z0-9_.~-]{0,127}$' },
} as const;

export const methodPaths: Readonly<Record<string, PathItem>> = {
  '/v1/method/SendCNR': {
    post: {
      operationId: 'sendConnectionRequest',
      summary: 'Asks CPEs to start a session',
      description:
        'Options are cpe_id or any field of DeviceStorage, by equality (an array: any of). Where several CPEs match (at most 1,000), result is the worst of them and details tells them one by one.',
      requestBody: jsonBody(
        {
          type: 'object',
          required: ['search_options'],
          properties: { search_options: { type: 'object', minProperties: 1 } },
        },
        { search_options: { cpe_id: '00A1B2-HGW-1' } },
      ),
      responses: {
        '200': jsonResponse('Every CPE that matched has answered', ref('MethodAnswer'), OK),
        ...failures('MethodAnswer', '404', '413', '415', '502', '504', '507'),
      },
    },
  },
  '/v1/method/RestartRule': {
    post: {
      operationId: 'restartRule',
      summary: 'Forgets what was counted against rules, so that they upgrade their CPEs again',
      requestBody: jsonBody(
        {
          type: 'object',
          properties: {
            id: { oneOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
            search_options: { type: 'object' },
          },
        },
        { id: 'UPGRADE_00A1B2-HGW-1' },
      ),
      responses: {
        '200': jsonResponse('Restarted', ref('MethodAnswer'), OK),
        ...failures('MethodAnswer', '404', '413', '415', '507'),
      },
    },
  },
  '/v1/method/FreezeUpgrades': {
    get: {
      operationId: 'freezeState',
      summary: 'Tells whether upgrades are frozen',
      responses: { '200': jsonResponse('The state', ref('MethodAnswer')), ...failures('MethodAnswer') },
    },
    post: {
      operationId: 'freezeUpgrades',
      summary: 'The emergency brake: while upgrades are frozen no Download is sent',
      requestBody: jsonBody(
        {
          type: 'object',
          required: ['frozen'],
          properties: { frozen: { type: 'boolean' }, reason: { type: 'string', maxLength: 1_000 } },
        },
        { frozen: true, reason: 'hgw-2.0.0 loses its configuration' },
      ),
      responses: {
        '200': jsonResponse('The state from now on', ref('MethodAnswer')),
        ...failures('MethodAnswer', '413', '415', '507'),
      },
    },
  },
};

const imageAnswer = (description: string) =>
  jsonResponse(description, { allOf: [ref('Answer'), { properties: { details: ref('Image') } }] });

export const imagePaths: Readonly<Record<string, PathItem>> = {
  '/v1/images': {
    get: {
      operationId: 'listImages',
      summary: 'Lists the firmware library, by name',
      parameters: [
        queryParameter('limit', 'Images a page.', {
          type: 'integer',
          minimum: 1,
          maximum: 1_000,
          default: 100,
        }),
        queryParameter('after', 'The last name of the page before; Link and X-Next-After tell it.'),
      ],
      responses: {
        '200': jsonResponse('The images', {
          allOf: [ref('Answer'), { properties: { details: { type: 'array', items: ref('Image') } } }],
        }),
        ...failures('Answer'),
      },
    },
  },
  '/v1/images/{name}': {
    parameters: [NAME],
    get: {
      operationId: 'getImage',
      summary: 'Tells what is known of an image',
      responses: { '200': imageAnswer('The image'), ...failures('Answer', '404') },
    },
    put: {
      operationId: 'uploadImage',
      summary: 'Uploads an image: the body is the file itself',
      parameters: [
        queryParameter('softwareVersion', 'What a CPE reports once it runs this image.'),
        queryParameter('productClass', 'The product class it fits; without: any.'),
        queryParameter('hardwareVersion', 'The hardware version it fits; without: any.'),
        queryParameter('fileType', 'TR-069 FileType.', {
          type: 'string',
          default: '1 Firmware Upgrade Image',
        }),
        queryParameter('sha256', 'What the content must hash to.', {
          type: 'string',
          pattern: '^[0-9A-Fa-f]{64}$',
        }),
      ],
      requestBody: {
        required: true,
        content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
      },
      responses: {
        '200': imageAnswer('The library holds the same content and metadata under this name already'),
        '201': imageAnswer('Uploaded'),
        ...failures('Answer', '409', '413', '415', '507'),
      },
    },
    delete: {
      operationId: 'deleteImage',
      summary: 'Deletes an image',
      parameters: [
        queryParameter('force', 'true: also while an enabled rule names it.', { type: 'boolean' }),
      ],
      responses: {
        '200': jsonResponse('Deleted', ref('Answer'), {
          code: 204,
          message: 'response from images',
          details: '',
        }),
        ...failures('Answer', '404', '409', '507'),
      },
    },
  },
  '/v1/images/{name}/content': {
    parameters: [NAME],
    get: {
      operationId: 'downloadImage',
      summary: 'Downloads an image, or a range of it',
      responses: {
        '200': { description: 'The file', content: { 'application/octet-stream': {} } },
        '206': { description: 'The range that was asked for', content: { 'application/octet-stream': {} } },
        ...failures('Answer', '404', '412', '416'),
      },
    },
  },
};

const schemaOf = (operationId: string, what: string): PathItem => ({
  get: {
    operationId,
    summary: `The JSON Schema (draft 7) of ${what}, for editors`,
    security: [],
    responses: {
      '200': {
        description: 'The schema',
        content: { 'application/schema+json': { schema: { type: 'object' } } },
      },
    },
  },
});

export const ownPaths: Readonly<Record<string, PathItem>> = {
  '/v1/schemas/rule-file.json': schemaOf('ruleFileSchema', 'rule files'),
  '/v1/schemas/rule-test.json': schemaOf('ruleTestSchema', 'the tests of rule files'),
  '/healthz': {
    get: {
      operationId: 'health',
      summary: 'Tells whether this process can do its work',
      security: [],
      responses: {
        '200': jsonResponse('It can', ref('Health'), { status: 'ok', parts: { store: 'ok' } }),
        '503': jsonResponse('A part is failing', ref('Health')),
      },
    },
  },
  '/metrics': {
    get: {
      operationId: 'metrics',
      summary: 'Metrics for Prometheus',
      responses: {
        '200': {
          description: 'Prometheus text format',
          content: { 'text/plain': { schema: { type: 'string' } } },
        },
        ...failures('Answer'),
      },
    },
  },
  '/v1/openapi.json': {
    get: {
      operationId: 'openapi',
      summary: 'This document',
      security: [],
      responses: { '200': jsonResponse('OpenAPI 3.1', { type: 'object' }) },
    },
  },
};
