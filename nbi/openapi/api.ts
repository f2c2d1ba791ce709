import { type Api, type Authentication, dynDialect, jsonAnswer, openFailures, route } from '../http/index.js';

/**
 * The document as it is sent: made when somebody first wants it, once.
 * @param describe  makes the document
 */
export function openApiBytes(describe: () => unknown): () => Buffer {
  let document: Buffer | null = null;
  return () => {
    document ??= Buffer.from(JSON.stringify(describe()));
    return document;
  };
}

/**
 * `GET /v1/openapi.json`
 * @param document  all who read it share its bytes
 */
export function openApiApi(document: () => Buffer, authentication: Authentication): Api {
  const openapi = route({
    method: 'GET',
    path: '/v1/openapi.json',
    role: null,
    concerns: 'everyone',
    operationId: 'openapi',
    summary: 'This document',
    answers: { '200': jsonAnswer('OpenAPI 3.1', { type: 'object' }), ...openFailures('Answer') },
    async handle({ response }) {
      response.type('json').send(document());
    },
  });
  return {
    name: 'openapi',
    description: 'This document.',
    prefixes: ['/v1/openapi.json'],
    slashes: 'either',
    authentication,
    dialect: dynDialect('openapi'),
    routes: [openapi],
  };
}
