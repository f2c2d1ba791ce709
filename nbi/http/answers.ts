import type { Headers } from './response-headers.js';
import type { Schema } from './schema.js';

/** One answer of a route, as the OpenAPI document shows it. */
export interface Answer {
  readonly description: string;
  /** Beside those that come with its status, or with every answer. */
  readonly headers?: Headers;
  readonly content?: Readonly<Record<string, { readonly schema?: Schema; readonly example?: unknown }>>;
}

/** The answers of a route by status. */
export type Answers = Readonly<Record<string, Answer>>;

/** One of the shapes under `#/components/schemas`. */
export function ref(schema: string): { readonly $ref: string } {
  return { $ref: `#/components/schemas/${schema}` };
}

export function jsonAnswer(description: string, schema: Schema, example?: unknown): Answer {
  return {
    description,
    content: { 'application/json': { schema, ...(example === undefined ? {} : { example }) } },
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

/** What an open call may be answered, as long as nobody can log in by it. */
export function openFailures(schema: string): Answers {
  const { 429: tooMany, 503: busy } = OPEN;
  return {
    '429': jsonAnswer(tooMany, ref(schema)),
    '503': jsonAnswer(busy, ref(schema)),
  };
}

const OPEN = {
  '429': 'Too much is under way from where it comes; Retry-After tells how long to wait',
  '503': 'Too much is under way; Retry-After tells how long to wait',
} as const;

const MORE = {
  '404': 'Nothing matched',
  '409': 'What is stored forbids it; details tell what to do',
  '412': 'A condition of the request does not hold',
  '413': 'The body is too large',
  '415': 'The Content-Type is another than the call takes',
  '416': 'The range is outside the image',
  '421': 'Several CPEs that the user sees have this name',
  '422': 'What was sent cannot be used; details tell why',
  '502': 'A CPE refused the connection request',
  '504': 'A CPE did not answer in time',
  '507': 'The disk, or the database, is full',
} as const;

/**
 * The failures of a call: the common ones and those named.
 * @param schema  the shape in which the dialect of the API words them
 */
export function failures(schema: string, ...statuses: readonly (keyof typeof MORE)[]): Answers {
  const named = statuses.map((status) => [status, MORE[status]] as const);
  return Object.fromEntries(
    [...Object.entries(COMMON), ...named].map(([status, description]) => [
      status,
      jsonAnswer(description, ref(schema)),
    ]),
  );
}
