import {
  type ApiError,
  type Dialect,
  type JsonObject,
  UnknownPathError,
  UnservedMethodError,
} from '../http/index.js';
import { metaOfRequest } from './links.js';
import { noResource, SlotsApiError } from './slots-error.js';

/** What every answer says of itself: nothing is in another language. */
export const MANNERS = { 'Content-Language': 'en', 'Content-Type': 'application/json' } as const;

/** Errors as this API words them, whatever they come from: a type, words, details, and where it was. */
export const slotsDialect: Dialect = {
  error(error, { request, allow }) {
    const { type, words, details } = worded(error, request.originalUrl);
    return {
      headers: { ...MANNERS, ...(allow !== null && { Allow: allow }) },
      body: JSON.stringify({ error: { details, message: words, type }, meta: metaOfRequest(request) }),
    };
  },
};

/** For the types that a status has where nothing more is to be said. */
interface Kind {
  readonly type: string;
  readonly words: string;
}

const KINDS: Readonly<Record<number, Kind>> = {
  400: { type: 'InvalidRequestBodyError', words: 'The request cannot be used' },
  401: { type: 'AuthenticationFailure', words: 'Authentication is required, or has failed' },
  403: { type: 'Unauthorized', words: 'The user may not do this' },
  404: { type: 'ResourceNotFound', words: 'Resource was not found' },
  405: { type: 'MethodNotAllowed', words: 'The method is not allowed here' },
  408: { type: 'RequestTimeout', words: 'The request has not come in time' },
  409: { type: 'Conflict', words: 'What there is forbids it' },
  411: { type: 'LengthRequired', words: 'The length of the body is to be told' },
  413: { type: 'RequestEntityTooLarge', words: 'The body is too large' },
  415: { type: 'UnsupportedMediaType', words: 'The body is of another media type than is taken here' },
  421: { type: 'MisdirectedRequest', words: 'Several devices have this name' },
  422: { type: 'InvalidFirmware', words: 'The firmware cannot be used' },
  429: { type: 'TooManyRequests', words: 'Too much is asked: try again' },
  503: { type: 'ServiceUnavailable', words: 'Too much is under way: try again' },
  507: { type: 'InsufficientStorage', words: 'There is no room for it' },
};
const FAULT: Kind = { type: 'InternalError', words: 'An internal error occurred' };

function worded(error: ApiError, url: string): Kind & { readonly details: JsonObject } {
  if (error instanceof SlotsApiError) return error;
  if (error instanceof UnknownPathError) return noResource('/', pathOf(url));
  const [problem] = error.problems;
  const kind = KINDS[error.status] ?? FAULT;
  if (error instanceof UnservedMethodError)
    return { ...kind, details: { allow: error.headers['Allow'] ?? '' } };
  if (problem === undefined) return { ...kind, details: {} };
  const { field, expected, found } = problem;
  return {
    ...kind,
    details: { ...(field !== '' && { path: field }), expected, ...(found !== undefined && { found }) },
  };
}

function pathOf(url: string): string {
  return url.split(/[?#]/, 1)[0] ?? '';
}
