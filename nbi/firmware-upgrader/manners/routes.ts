import { ApiError, JSON_TYPE, openQuery, type Route, route, UnservedMethodError } from '../../http/index.js';
import { type BodyData, PARSED_TYPES } from './body.js';
import { callOf } from './call.js';
import { answersOf, bodyOf, parametersOf, pathParameter, roleOf } from './declaration.js';
import {
  allowOf,
  type Call,
  type Endpoint,
  fullPath,
  METHODS,
  type Method,
  type MethodName,
} from './endpoint.js';
import { fieldsMetadata } from './metadata.js';
import { HTML_MEDIA_TYPE } from './negotiation.js';
import type { EndpointParts } from './page.js';
import { wanted } from './rendering.js';

/** The routes of an endpoint, in the order in which Allow tells its methods. */
export function routesOf(endpoint: Endpoint, parts: EndpointParts): readonly Route[] {
  return METHODS.flatMap((name) => {
    const method = endpoint.methods[name];
    return method === undefined ? [] : [routeOf(endpoint, name, method, parts)];
  });
}

function routeOf(endpoint: Endpoint, name: MethodName, method: Method, parts: EndpointParts): Route {
  const { operationId, summary, description, role = roleOf(name) } = method;
  const path = fullPath(endpoint);
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, each = '']) => each);
  return route<string, URLSearchParams, BodyData>({
    method: name,
    path,
    ...(names.length > 0 && { parameters: names.map(pathParameter) }),
    role,
    concerns: 'organizations',
    namesOrganization: false,
    operationId,
    summary,
    ...(description !== undefined && { description }),
    query: openQuery(...parametersOf(endpoint, name)),
    ...bodyOf(endpoint, name, method),
    answers: answersOf(endpoint, name, method),
    async handle(exchange) {
      const call = callOf(exchange, endpoint, parts);
      const isPage = name === 'GET' && wanted(exchange).kind === 'html';
      const more = isPage ? { isChangeable: await isChangeable(endpoint, call) } : {};
      await method.handle(isPage ? callOf(exchange, endpoint, parts, more) : call);
    },
  });
}

/** OPTIONS, and what refuses methods that an endpoint has not: who asks logs in before he is told. */
export function unservedRoute(endpoint: Endpoint, method: string, parts: EndpointParts): Route {
  return route<string, URLSearchParams, BodyData>({
    method,
    path: fullPath(endpoint),
    role: roleOf(method),
    concerns: 'organizations',
    namesOrganization: false,
    operationId: 'unserved',
    summary: '',
    query: openQuery(),
    answers: {},
    async handle(exchange) {
      if (method !== 'OPTIONS') throw new UnservedMethodError(allowOf(endpoint).join(', '));
      const call = callOf(exchange, endpoint, parts);
      call.send(200, optionsOf(endpoint, await writableBy(endpoint, call)));
    },
  });
}

/** What OPTIONS tells of an endpoint. @param writable  by which method whoever asks may write there; null: by none */
export function optionsOf({ name, fields }: Endpoint, writable: MethodName | null) {
  return {
    name,
    description: '',
    renders: [JSON_TYPE, HTML_MEDIA_TYPE],
    parses: PARSED_TYPES,
    ...(writable !== null && { actions: { [writable]: fieldsMetadata(fields) } }),
  };
}

/** How whoever asks may write this very object. */
async function writableBy(endpoint: Endpoint, call: Call): Promise<MethodName | null> {
  const { methods } = endpoint;
  const name = methods.POST !== undefined ? 'POST' : methods.PUT !== undefined ? 'PUT' : null;
  return name !== null && (await isChangeable(endpoint, call)) ? name : null;
}

async function isChangeable({ requireChangeable }: Endpoint, call: Call): Promise<boolean> {
  if (!call.asking.mayWrite) return false;
  try {
    await requireChangeable?.(call);
  } catch (error) {
    if (error instanceof ApiError && error.status < 500) return false;
    throw error;
  }
  return true;
}
