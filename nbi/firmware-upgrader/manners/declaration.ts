import {
  type Answer,
  type BodyKind,
  jsonAnswer,
  type Parameter,
  queryParameter,
  type Route,
  ref,
  type Schema,
} from '../../http/index.js';
import type { Role } from '../../users/index.js';
import { type BodyData, fieldsBody } from './body.js';
import type { Endpoint, Method, MethodName } from './endpoint.js';
import { schemaOf } from './field.js';
import { filterParameter } from './filter.js';

// What the routes of endpoints declare, so that they are checked by it, documented and tested.

/** Of whoever does nothing but look, and of all others. */
export function roleOf(method: string): Role {
  return method === 'POST' || method === 'PUT' || method === 'PATCH' || method === 'DELETE'
    ? 'operator'
    : 'viewer';
}

/** How a method reads its body; none where none is wanted. */
export function bodyOf(
  endpoint: Endpoint,
  name: MethodName,
  { body }: Method,
): { readonly body?: BodyKind<BodyData> } {
  // Whoever has another kind reads it by itself.
  if (body !== undefined) return body === null ? {} : { body };
  const isOfFields = name === 'POST' || name === 'PUT' || name === 'PATCH';
  return isOfFields ? { body: fieldsBody(endpoint.fields, name === 'PATCH') } : {};
}

export function pathParameter(name: string): Parameter {
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

/** What the query of a method may say. */
export function parametersOf(
  { list, query = [], isNarrowed = true }: Endpoint,
  name: MethodName,
): readonly Parameter[] {
  if (name !== 'GET') return [];
  if (!isNarrowed) return query;
  if (list === undefined) return [...query, ORGANIZATION];
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

/** What a call with a body may be answered. */
export const WRITE_ANSWERS = {
  '400': 'The body is wrong: by field what is wrong with it',
  '413': 'The body is too large',
  '415': 'The Content-Type is another than the call takes',
  '507': 'The disk, or the database, is full',
} as const;

/** The answers of a method, with those that any call may have. */
export function answersOf(endpoint: Endpoint, name: MethodName, { answers }: Method): Route['answers'] {
  return jsonAnswers(endpoint, name, { ...COMMON, ...answers });
}

/** The answers of a method by status: of good ones the shape is that of the endpoint. */
export function jsonAnswers(
  endpoint: Endpoint,
  name: MethodName,
  answers: Readonly<Record<string, string | Answer>>,
): Route['answers'] {
  const ofKind = Object.entries(answers).map(([status, said]) => {
    if (typeof said !== 'string') return [status, said] as const;
    if (status === '204') return [status, { description: said }] as const;
    const isGood = status === '200' || status === '201';
    const schema = isGood ? goodSchema(endpoint, name) : ref('UpgraderProblem');
    const answer = jsonAnswer(said, schema);
    // A path in which no id stands is none of the reference's: that is told by a page.
    return [status, status === '404' ? withPage(answer) : answer] as const;
  });
  return Object.fromEntries(ofKind);
}

function withPage(answer: Answer): Answer {
  return { ...answer, content: { ...answer.content, 'text/html': { schema: { type: 'string' } } } };
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
