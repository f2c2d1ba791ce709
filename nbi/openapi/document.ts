import { isDeepStrictEqual } from 'node:util';
import { type Api, type Authentication, type Route, type Schema, told } from '../http/index.js';

/** What the document is made of beside what the routes declare. */
interface DocumentParts {
  readonly apis: readonly Api[];
  /** What the APIs that it describes have in common. */
  readonly authentication: Authentication;
  readonly description: string;
  /** The shapes that declarations refer to, by name. */
  readonly schemas: Readonly<Record<string, Schema>>;
}

/** The northbound API as OpenAPI 3.1, put together from what its routes declare. */
export function openApiDocument({ apis, authentication, description, schemas }: DocumentParts) {
  const { schemes } = authentication;
  return {
    openapi: '3.1.0',
    info: {
      title: 'Ferry northbound API',
      version: '1',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      description,
    },
    security: securityOf(authentication),
    paths: pathsOf(apis, securityOf(authentication)),
    components: {
      securitySchemes: Object.fromEntries(schemes.map(({ name, description }) => [name, description])),
      schemas: told(schemas),
    },
  };
}

type Security = readonly Readonly<Record<string, readonly string[]>>[];

function securityOf({ schemes }: Authentication): Security {
  return schemes.map(({ name }) => ({ [name]: [] }));
}

/** @param common  how one logs in where nothing else is said */
function pathsOf(apis: readonly Api[], common: Security): Readonly<Record<string, unknown>> {
  const paths = new Map<string, Record<string, unknown>>();
  const routes = apis.flatMap((api) => {
    const own = securityOf(api.authentication);
    const security = isDeepStrictEqual(own, common) ? null : own;
    return api.routes.map((route) => ({ route, security: route.role === null ? [] : security }));
  });
  for (const { route, security } of routes) {
    const item = paths.get(route.path) ?? (route.parameters && { parameters: told(route.parameters) }) ?? {};
    item[route.method.toLowerCase()] = operationOf(route, security);
    paths.set(route.path, item);
  }
  return Object.fromEntries(paths);
}

function operationOf(
  { operationId, summary, description, query, headers, body, answers }: Route,
  security: Security | null,
) {
  const parameters = [...(query?.parameters ?? []), ...(headers ?? [])];
  return {
    operationId,
    summary,
    ...(description === undefined ? {} : { description }),
    ...(security === null ? {} : { security }),
    ...(parameters.length === 0 ? {} : { parameters: told(parameters) }),
    ...(body === undefined ? {} : { requestBody: { required: true, content: told(body.content) } }),
    responses: told(answers),
  };
}
