import {
  type Api,
  type Authentication,
  ORGANIZATION_PARAMETER,
  type Route,
  type Schema,
  told,
} from '../http/index.js';
import { responsesOf, SHARED_HEADERS } from './responses.js';

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
    // Wherever the document was fetched from.
    servers: [{ url: '/', description: 'This server' }],
    security: schemes.map(({ name }) => ({ [name]: [] })),
    tags: apis.map(({ name, description }) => ({ name, description })),
    paths: pathsOf(apis, schemes),
    components: {
      securitySchemes: schemesOf(apis, schemes),
      headers: SHARED_HEADERS,
      schemas: told(schemas),
    },
  };
}

type Schemes = Authentication['schemes'];

/** Of all APIs, those that most have first. */
function schemesOf(apis: readonly Api[], schemes: Schemes): Readonly<Record<string, unknown>> {
  const all = [...apis.flatMap(({ authentication }) => authentication.schemes), ...schemes];
  const described = new Map(all.map(({ name, description }) => [name, description]));
  const names = new Set([...schemes, ...all].map(({ name }) => name));
  return Object.fromEntries([...names].map((name) => [name, described.get(name)]));
}

/** How the users of an API log in, where that is otherwise than by the schemes that most have. */
function securityOf({ authentication }: Api, schemes: Schemes) {
  const own = authentication.schemes.map(({ name }) => name);
  const isSame = own.length === schemes.length && own.every((name, at) => name === schemes[at]?.name);
  return isSame ? {} : { security: own.map((name) => ({ [name]: [] })) };
}

function pathsOf(apis: readonly Api[], schemes: Schemes): Readonly<Record<string, unknown>> {
  const paths = new Map<string, Record<string, unknown>>();
  for (const api of apis) {
    for (const route of api.routes) {
      const item = paths.get(route.path) ?? {};
      item[route.method.toLowerCase()] = {
        tags: [api.name],
        ...(route.role !== null && securityOf(api, schemes)),
        ...operationOf(route),
      };
      paths.set(route.path, item);
    }
  }
  return Object.fromEntries(paths);
}

function operationOf(route: Route) {
  const { operationId, summary, description, role, concerns, query, headers, body, answers } = route;
  const isOfOrganizations = concerns === 'organizations' && route.namesOrganization !== false;
  const whose = isOfOrganizations ? [ORGANIZATION_PARAMETER] : [];
  const parameters = [
    ...(route.parameters ?? []),
    ...(query?.parameters ?? []),
    ...whose,
    ...(headers ?? []),
  ];
  return {
    operationId,
    summary,
    ...(description === undefined ? {} : { description }),
    ...(role === null && { security: route.changes === true ? [{ basic: [] }] : [] }),
    ...(parameters.length === 0 ? {} : { parameters: told(parameters) }),
    ...(body === undefined ? {} : { requestBody: { required: true, content: told(body.content) } }),
    responses: responsesOf(route, isOfOrganizations ? withUnknownOrganization(answers) : answers),
  };
}

/** Also where a route finds something whatever it is asked: the organization that is named may be none. */
function withUnknownOrganization(answers: Route['answers']): Route['answers'] {
  const { 403: refused } = answers;
  if (refused === undefined || answers[404] !== undefined) return answers;
  return { ...answers, 404: { ...refused, description: 'There is no organization of that name' } };
}
