import { type Api, type Authentication, dynDialect, jsonAnswer, route } from '../http/index.js';

/**
 * `GET /v1/openapi.json`
 * @param describe  makes the document; asked for it once, when somebody first wants it; all who read it share its bytes
 */
export function openApiApi(describe: () => unknown, authentication: Authentication): Api {
  let document: Buffer | null = null;
  const openapi = route({
    method: 'GET',
    path: '/v1/openapi.json',
    role: null,
    concerns: 'everyone',
    operationId: 'openapi',
    summary: 'This document',
    answers: { '200': jsonAnswer('OpenAPI 3.1', { type: 'object' }) },
    async handle({ response }) {
      document ??= Buffer.from(JSON.stringify(describe()));
      response.type('json').send(document);
    },
  });
  return {
    name: 'openapi',
    prefixes: ['/v1/openapi.json'],
    slashes: 'either',
    authentication,
    dialect: dynDialect('openapi'),
    routes: [openapi],
  };
}
