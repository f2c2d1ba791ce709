import { type Api, type Authentication, dynDialect, jsonAnswer, route } from '../http/index.js';

/**
 * `GET /v1/openapi.json`
 * @param describe  makes the document; asked for it once, when somebody first wants it
 */
export function openApiApi(describe: () => unknown, authentication: Authentication): Api {
  let document: unknown;
  const openapi = route({
    method: 'GET',
    path: '/v1/openapi.json',
    role: null,
    operationId: 'openapi',
    summary: 'This document',
    answers: { '200': jsonAnswer('OpenAPI 3.1', { type: 'object' }) },
    async handle({ response }) {
      document ??= describe();
      response.json(document);
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
