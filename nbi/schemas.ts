import { RULE_FILE_SCHEMA, RULE_TEST_FILE_SCHEMA } from '../rules/index.js';
import { dynDialect, type Route } from './http/index.js';

/** The JSON Schemas that rules are written by: open, since editors have no log-in. */
export function schemaRoutes(): Route[] {
  return [
    schemaRoute('/v1/schemas/rule-file.json', RULE_FILE_SCHEMA),
    schemaRoute('/v1/schemas/rule-test.json', RULE_TEST_FILE_SCHEMA),
  ];
}

function schemaRoute(path: string, schema: object): Route {
  return {
    method: 'get',
    path,
    role: null,
    dialect: dynDialect('schemas'),
    async handle({ response }) {
      response.type('application/schema+json').send(JSON.stringify(schema));
    },
  };
}
