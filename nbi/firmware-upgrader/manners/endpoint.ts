import type { Request, Response } from 'express';
import type { Turn } from '../../../common/index.js';
import {
  type Answer,
  ApiError,
  type BodyKind,
  type Exchange,
  jsonAnswer,
  openQuery,
  type Parameter,
  queryParameter,
  type Reading,
  type Route,
  ref,
  route,
  type Schema,
  UnservedMethodError,
} from '../../http/index.js';
import type { Role } from '../../users/index.js';
import { type Asking, askingOf } from './asking.js';
import { type BodyData, fieldsBody, NO_BODY, PARSED_TYPES } from './body.js';
import { type Field, schemaOf } from './field.js';
import { type Filter, filterParameter } from './filter.js';
import { allowed, mannersOf } from './headers.js';
import { type ListPage, type ListSource, listPage, type Ordering } from './list.js';
import { fieldsMetadata } from './metadata.js';
import { HTML_MEDIA_TYPE, JSON_MEDIA_TYPE } from './negotiation.js';
import type { PageMaker } from './page.js';
import { jsonTexts, rendered, wanted } from './rendering.js';
import { cutFields, type StreamedFields, sendStreamed } from './streamed.js';

export const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
export type MethodName = (typeof METHODS)[number];

/** One call, with whoever makes it. */
export interface Call {
  readonly exchange: Exchange<string, URLSearchParams, BodyData>;
  readonly request: Request;
  readonly response: Response;
  readonly asking: Asking;
  /** Of the path: UUIDs. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Reads the body, once. @throws ApiError */
  body(): Promise<BodyData>;
  /** Answers. @param data  undefined: without a body */
  send(status: number, data?: unknown): void;
  /** Answers 200 with an object that has lists of any length ({@link LongList}): JSON as it is read; a page with the first of each. */
  sendStreamed(fields: (turn: Turn) => Promise<StreamedFields>): Promise<void>;
  /** Reads a list and answers with the page of it that was asked for. @param view  as the answer shows an item */
  sendList<Item>(
    source: ListSource<Item>,
    ordering: Ordering,
    view: (item: Item, turn: Turn) => unknown,
  ): Promise<void>;
  /** For what may look at any number of entries: see {@link Reading.long}. */
  long<T>(read: (turn: Turn) => Promise<T>): Promise<T>;
  /** The same for what changes things on the way, and goes on once it has begun. */
  change(change: (turn: Turn) => Promise<void>): Promise<void>;
}

/** One method of an endpoint. */
export interface Method {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  /** Who may; default: viewers read, operators change. */
  readonly role?: Role;
  /** A body beside one of the endpoint's fields; null: none is wanted. */
  readonly body?: BodyKind<BodyData> | null;
  /** By status, beside those that every call may be answered. The shape of 200 and 201 is that of the endpoint unless told. */
  readonly answers: Readonly<Record<string, string | Answer>>;
  handle(call: Call): Promise<void>;
}

/** One path of the API: from it come routes, OPTIONS, the OpenAPI document and pages. */
export interface Endpoint {
  /** Behind the prefix of the API: `build/{build}/`. */
  readonly path: string;
  /** As OPTIONS and pages call it. */
  readonly name: string;
  /** The fields of its objects, in their order; of its lists those of the items. */
  readonly fields: readonly Field[];
  /** It is a list. */
  readonly list?: { readonly filters: readonly Filter[]; readonly ordering: Ordering };
  /** More that its query may say. */
  readonly query?: readonly Parameter[];
  readonly methods: Readonly<Partial<Record<MethodName, Method>>>;
  /** Whether PUT could be done to this very object by whoever asks: only then OPTIONS tells of it. @throws ApiError where not */
  readonly requireChangeable?: (call: Call) => Promise<void>;
}

export interface EndpointParts {
  readonly reading: Reading;
  readonly page: PageMaker;
}

/** The methods that there are at an endpoint, as Allow tells them. */
export function allowOf({ methods }: Endpoint): readonly string[] {
  return allowed(METHODS.filter((name) => methods[name] !== undefined));
}

export const PREFIX = '/api/v1/firmware-upgrader/';

/** The path of an endpoint as routes write it. */
export function fullPath({ path }: Pick<Endpoint, 'path'>): string {
  return path.startsWith('/') ? path : `${PREFIX}${path}`;
}

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
    body: bodyOf(endpoint, name, method),
    answers: answersOf(endpoint, name, method),
    handle: (exchange) => method.handle(callOf(exchange, endpoint, parts)),
  });
}

/** Of whoever does nothing but look, and of all others. */
export function roleOf(method: string): Role {
  return method === 'POST' || method === 'PUT' || method === 'PATCH' || method === 'DELETE'
    ? 'operator'
    : 'viewer';
}

function bodyOf(endpoint: Endpoint, name: MethodName, { body }: Method): BodyKind<BodyData> {
  // Whoever has another kind reads it by itself.
  if (body !== undefined && body !== null) return body;
  const isOfFields = body === undefined && (name === 'POST' || name === 'PUT' || name === 'PATCH');
  return isOfFields ? fieldsBody(endpoint.fields, name === 'PATCH') : NO_BODY;
}

function pathParameter(name: string): Parameter {
  return { name, in: 'path', required: true, schema: { type: 'string', format: 'uuid' } };
}

const ORGANIZATION = queryParameter(
  'organization',
  'The slug of an organization: only what belongs to it is there.',
);
const LIST_PARAMETERS = [
  queryParameter('page', 'The number of the page, or `last`.'),
  queryParameter('page_size', 'Items of a page: 10 unless told, at most 100.'),
];

function parametersOf({ list, query = [] }: Endpoint, name: MethodName): readonly Parameter[] {
  if (name !== 'GET' || list === undefined) return name === 'GET' ? [...query, ORGANIZATION] : query;
  const { filters, ordering } = list;
  const sorted =
    ordering.keys.length === 0
      ? []
      : [
          queryParameter(
            'ordering',
            `What it is sorted by, of ${ordering.keys.join(', ')}, separated by commas, each with a minus for descending.`,
          ),
        ];
  return [...filters.map(filterParameter), ...query, ORGANIZATION, ...LIST_PARAMETERS, ...sorted];
}

/** What any call may be answered. */
const COMMON: Readonly<Record<string, string>> = {
  '401': 'No right credentials',
  '403': 'Not permitted to whoever asks',
  '404': 'There is no such thing, as far as whoever asks may know',
  '406': 'None of the representations that there are will do',
  '429': 'Too much is asked; Retry-After tells how long to wait',
  '503': 'Too much is under way, or the store cannot be reached; Retry-After tells how long to wait',
};

function answersOf(endpoint: Endpoint, name: MethodName, { answers }: Method): Route['answers'] {
  const ofKind = Object.entries({ ...COMMON, ...answers }).map(([status, said]) => {
    if (typeof said !== 'string') return [status, said] as const;
    if (status === '204') return [status, { description: said }] as const;
    const isGood = status === '200' || status === '201';
    const schema = isGood ? goodSchema(endpoint, name) : ref('UpgraderProblem');
    return [status, jsonAnswer(said, schema)] as const;
  });
  return Object.fromEntries(ofKind);
}

function goodSchema({ fields, list }: Endpoint, name: MethodName): Schema {
  const item = schemaOf(fields);
  return list === undefined || name !== 'GET' ? item : listSchema(item);
}

function listSchema(item: Schema): Schema {
  return {
    type: 'object',
    required: ['count', 'next', 'previous', 'results'],
    properties: {
      count: { type: 'integer' },
      next: { type: ['string', 'null'] },
      previous: { type: ['string', 'null'] },
      results: { type: 'array', items: item },
    },
  };
}

/** The shapes that all endpoints share, under `#/components/schemas`. */
export const upgraderSchemas = {
  UpgraderProblem: {
    type: 'object',
    description:
      'What is wrong: `detail`, or by field (`non_field_errors` and `__all__` of none) what is wrong with it.',
    properties: { detail: { type: 'string' } },
  },
} as const;

function callOf(
  exchange: Exchange<string, URLSearchParams, BodyData>,
  endpoint: Endpoint,
  { reading, page }: EndpointParts,
): Call {
  const { request, response, parameters } = exchange;
  const allow = allowOf(endpoint);
  const send = (status: number, data?: unknown) => {
    response.status(status).set({ ...mannersOf(request, allow) });
    if (data === undefined) {
      response.end();
      return;
    }
    const { headers, body } = rendered({ request, status, data, endpoint, allow }, page);
    // Not express's `set`, which has its own mind of charsets.
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    response.send(Buffer.from(body));
  };
  const long: Call['long'] = (read) => reading.long(exchange, read);
  return {
    exchange,
    request,
    response,
    asking: askingOf(exchange),
    parameters,
    body: () => exchange.body(),
    send,
    long,
    change: (change) => reading.change(exchange, change),
    sendStreamed: (fields) =>
      long(async (turn) => {
        const as = wanted({ request });
        if (as.kind === 'html' || request.method === 'HEAD') {
          send(200, await cutFields(await fields(turn)));
          return;
        }
        const texts = jsonTexts(await fields(turn), as.indent);
        await sendStreamed(exchange, texts, () => {
          response.status(200).set({ ...mannersOf(request, allow) });
          response.setHeader('Content-Type', JSON_MEDIA_TYPE);
        });
      }),
    async sendList(source, ordering, view) {
      send(
        200,
        await long(async (turn) => {
          const found = await listPage(request, source, ordering, turn);
          return { ...pageView(found), results: await viewed(found, (item) => view(item, turn)) };
        }),
      );
    },
  };
}

function pageView({ count, next, previous }: ListPage<unknown>) {
  return { count, next, previous };
}

async function viewed<Item>({ items }: ListPage<Item>, view: (item: Item) => unknown): Promise<unknown[]> {
  const views: unknown[] = [];
  for (const item of items) views.push(await view(item));
  return views;
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
    body: NO_BODY,
    answers: {},
    async handle(exchange) {
      if (method !== 'OPTIONS') throw new UnservedMethodError(allowOf(endpoint).join(', '));
      const call = callOf(exchange, endpoint, parts);
      call.send(200, { ...described(endpoint), ...(await actionsOf(endpoint, call)) });
    },
  });
}

function described({ name }: Endpoint) {
  return { name, description: '', renders: [JSON_MEDIA_TYPE, HTML_MEDIA_TYPE], parses: PARSED_TYPES };
}

/** What may be written by whoever asks, of this very object. */
async function actionsOf({ methods, fields, requireChangeable }: Endpoint, call: Call) {
  const name = methods.POST !== undefined ? 'POST' : methods.PUT !== undefined ? 'PUT' : null;
  if (name === null || !call.asking.mayWrite) return {};
  try {
    await requireChangeable?.(call);
  } catch (error) {
    if (error instanceof ApiError && error.status < 500) return {};
    throw error;
  }
  return { actions: { [name]: fieldsMetadata(fields) } };
}
