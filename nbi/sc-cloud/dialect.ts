import {
  type Answers,
  ApiError,
  type Dialect,
  type JsonObject,
  jsonAnswer,
  renderJson,
  type Schema,
  UndecodablePathError,
} from '../http/index.js';
import { CODES, type Code } from './codes.js';

export const PREFIX = '/sc_cloud';

/** What a call is answered that is refused: its `result` says why, and HTTP 200 that it was understood. */
export class CloudError extends ApiError {
  constructor(
    readonly code: Code,
    /** Which field of the request, or empty. */
    field: string,
    expected: string,
  ) {
    super(STATUSES.get(code) ?? 400, [{ field, expected }]);
  }
}

/** As which status it is logged and counted, but for those that are 400. */
const STATUSES: ReadonlyMap<Code, number> = new Map<Code, number>([
  [CODES.wrongPassword, 401],
  [CODES.notLoggedIn, 401],
  [CODES.notAllowed, 403],
  [CODES.noFirmware, 404],
  [CODES.noDevice, 404],
  [CODES.wrongFile, 422],
  [CODES.tooManyFiles, 409],
]);

/** What some calls say of themselves in each of their answers, and what stands in one that has nothing to tell. */
const NAMED: ReadonlyMap<string, JsonObject> = new Map([
  [`${PREFIX}/upgrade/start`, { method: 'start-upgrade', details: [] }],
  [`${PREFIX}/firmware/add`, { method: 'add-firmware' }],
]);

const OTHER_SITE = 'other-site';

/** Errors are answers with a `result`, and what is wrong in words; those of HTTP itself have its status, and that with a minus as `result`. */
export const dialect: Dialect = {
  error(error, { request }) {
    const code = codeOf(error);
    const named = NAMED.get(request.path.replace(/\/$/, ''));
    const body = { result: code ?? -error.status, ...named, message: messageOf(error) };
    return { ...(code !== null && { status: 200 }), ...renderJson(body) };
  },
};

/** Null: HTTP's own status says it. */
function codeOf(error: ApiError): Code | null {
  if (error instanceof CloudError) return error.code;
  if (error instanceof UndecodablePathError) return null;
  switch (error.status) {
    case 400:
      return CODES.wrongBody;
    case 401:
      return CODES.notLoggedIn;
    // What pages of other sites have sent is refused before anybody reads it.
    case 403:
      return error.problems.some(({ code }) => code === OTHER_SITE) ? null : CODES.notAllowed;
    case 422:
      return CODES.wrongFile;
    default:
      return null;
  }
}

function messageOf(error: ApiError): string {
  return error.message === '' ? 'it failed' : error.message;
}

const RESULT = { type: 'integer', description: '0: done. 1: it was already. Below 0: why not.' } as const;

/** The shape of an answer. @param fields  beside `result`, in their order; those that an error lacks are not required */
export function answerSchema(fields: Readonly<Record<string, Schema>> = {}): Schema {
  return {
    type: 'object',
    required: ['result'],
    properties: {
      result: RESULT,
      ...fields,
      message: { type: 'string', description: 'What is wrong, in words.' },
    },
  };
}

const FAILURES: Readonly<Record<string, string>> = {
  '429': 'Too many wrong passwords, or too much under way; Retry-After tells how long to wait',
  '503': 'Too much is under way, or the store cannot be reached; Retry-After tells how long to wait',
};
const OF_ORGANIZATIONS: Readonly<Record<string, string>> = { '404': 'There is no such organization' };
const OF_CHANGES: Readonly<Record<string, string>> = {
  '403': 'A page of another site has sent it',
  '507': 'The disk, or the database, is full',
};
const OF_BODIES: Readonly<Record<string, string>> = {
  '413': 'The body is too large',
  '415': 'The Content-Type is another than the call takes',
};

/** What HTTP's own status says of a call beside 200. */
interface CallKind {
  readonly concerns: 'organizations' | 'everyone';
  readonly changes?: boolean;
  readonly hasBody?: boolean;
}

/** What a call may be answered. */
export function answers(
  description: string,
  schema: Schema,
  { concerns, changes = false, hasBody = false }: CallKind,
  example?: unknown,
): Answers {
  const failures = {
    ...FAILURES,
    ...(concerns === 'organizations' && OF_ORGANIZATIONS),
    ...(changes && OF_CHANGES),
    ...(hasBody && OF_BODIES),
  };
  return {
    '200': jsonAnswer(description, schema, example),
    ...Object.fromEntries(
      Object.entries(failures).map(([status, said]) => [status, jsonAnswer(said, answerSchema())]),
    ),
  };
}
