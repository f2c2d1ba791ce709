import { RULE_FILE_SCHEMA, RULE_TEST_FILE_SCHEMA } from '../rules/index.js';
import { type Api, type Authentication, dynDialect, openFailures, type Route, route } from './http/index.js';

/** The JSON Schemas that rules are written by: open, since editors have no log-in. */
export function schemaApi(authentication: Authentication): Api {
  const routes = [
    schemaRoute('/v1/schemas/rule-file.json', 'ruleFileSchema', 'rule files', RULE_FILE_SCHEMA),
    schemaRoute(
      '/v1/schemas/rule-test.json',
      'ruleTestSchema',
      'the tests of rule files',
      RULE_TEST_FILE_SCHEMA,
    ),
  ];
  return {
    name: 'schemas',
    description: 'JSON Schemas of the files that rules are written in.',
    prefixes: routes.map(({ path }) => path),
    slashes: 'either',
    authentication,
    dialect: dynDialect('schemas'),
    routes,
  };
}

function schemaRoute(path: string, operationId: string, what: string, schema: object): Route {
  // Made once: all who read it share these bytes.
  const bytes = Buffer.from(JSON.stringify(schema));
  return route({
    method: 'GET',
    path,
    role: null,
    concerns: 'everyone',
    operationId,
    summary: `The JSON Schema (draft 7) of ${what}, for editors`,
    answers: {
      '200': {
        description: 'The schema',
        content: { 'application/schema+json': { schema: { type: 'object' } } },
      },
      ...openFailures('Answer'),
    },
    async handle({ response }) {
      response.type('application/schema+json; charset=utf-8').send(bytes);
    },
  });
}
