/** The pieces that operations are put together from. */

type SchemaName = 'Answer' | 'MethodAnswer';

export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly security?: readonly [];
  readonly parameters?: readonly object[];
  readonly requestBody?: object;
  readonly responses: Readonly<Record<string, object>>;
}

export function ref(schema: string): { readonly $ref: string } {
  return { $ref: `#/components/schemas/${schema}` };
}

export function queryParameter(
  name: string,
  description: string,
  schema: object = { type: 'string' },
): object {
  return { name, in: 'query', description, schema };
}

export function jsonBody(schema: object, example: unknown): object {
  return { required: true, content: { 'application/json': { schema, example } } };
}

export function jsonResponse(description: string, schema: object, example?: unknown): object {
  return {
    description,
    content: { 'application/json': { schema, ...(example === undefined ? {} : { example }) } },
  };
}

/** A list: `details` carries the entries; as NDJSON, where `Accept` prefers it, they come an entry a line and nothing else. */
export function listResponse(description: string, schema: string, example?: unknown): object {
  const list = {
    allOf: [ref('Answer'), { properties: { details: { type: 'array', items: ref(schema) } } }],
  };
  const json = { schema: list, ...(example === undefined ? {} : { example }) };
  return {
    description: `${description}; as NDJSON an entry a line`,
    content: { 'application/json': json, 'application/x-ndjson': { schema: ref(schema) } },
  };
}

/** What every call but an open one may be answered. */
const COMMON: Readonly<Record<string, string>> = {
  '400': 'The request is wrong; details name each field and what it should be',
  '401': 'No right credentials; WWW-Authenticate tells how',
  '403': "The user's role does not allow it",
  '429': 'Too many wrong passwords, or too much under way; Retry-After tells how long to wait',
  '503': 'Too much is under way, or the store cannot be reached; Retry-After tells how long to wait',
};

const MORE: Readonly<Record<string, string>> = {
  '404': 'Nothing matched',
  '409': 'What is stored forbids it; details tell what to do',
  '412': 'A condition of the request does not hold',
  '413': 'The body is too large',
  '415': 'The Content-Type is another than the call takes',
  '416': 'The range is outside the image',
  '502': 'A CPE refused the connection request',
  '504': 'A CPE did not answer in time',
  '507': 'The disk, or the database, is full',
};

/** The failures of a call: the common ones and those named. */
export function failures(schema: SchemaName, ...codes: readonly string[]): Record<string, object> {
  const named = codes.map((code) => [code, MORE[code] ?? ''] as const);
  return Object.fromEntries(
    [...Object.entries(COMMON), ...named].map(([code, description]) => [
      code,
      jsonResponse(description, ref(schema)),
    ]),
  );
}

export const PATTERN = {
  name: 'pattern',
  in: 'path',
  required: true,
  schema: { type: 'string' },
  example: '.*',
  description:
    'A regular expression (RE2 syntax) matched against the whole id of each entry: .* is all. A literal, literals separated by |, or a literal beginning are looked up in the index.',
} as const;

export const LIST_PARAMETERS: readonly object[] = [
  queryParameter('limit', 'Entries a page; without it the whole list is sent.', {
    type: 'integer',
    minimum: 1,
    maximum: 1_000,
  }),
  queryParameter(
    'after',
    'Where the page before ended: what its X-Next-After header said (Link has the whole URL).',
  ),
  queryParameter('sort', 'A top-level field, with - before it for descending.'),
  {
    name: 'field',
    in: 'query',
    description:
      'Any field by its dotted path, e.g. `enabled=true`, `result.code=500`. Equality; repeated: any of; on an array field: any element.',
    schema: { type: 'object', additionalProperties: { type: 'string' } },
    style: 'form',
    explode: true,
  },
];

export const ALL_PARAMETER = queryParameter('all', 'Must be true where every entry is meant.', {
  type: 'boolean',
});

export const REVISION_PARAMETER = queryParameter(
  'revision',
  'current: results of the file and target that their rule has now, and of rules that are gone; all: every one. A result asked for by its own id is always shown.',
  { enum: ['current', 'all'], default: 'current' },
);
