import type { Request } from 'express';
import { type ApiError, type Asked, type Dialect, type Problem, renderJson } from '../http/index.js';
import { SESSION_COOKIE } from './session-cookie.js';

/** Where somebody shows a password, and where an access code; what is refused there is named by it. */
const LOGIN_END = '/api/common/1.0/login';
const TOKEN_END = '/api/common/1.0/oauth/token';

/**
 * The ids of Riverbed's APIs for log-ins and faults inside; for the rest its documentation has none, and these are Ferry's own. What is 401 is
 * told by `authErrorId`.
 */
const BY_STATUS: Readonly<Record<number, string>> = {
  400: 'REQUEST_INVALID_INPUT',
  403: 'AUTH_FORBIDDEN',
  404: 'RESOURCE_NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
  408: 'REQUEST_TIMEOUT',
  409: 'RESOURCE_CONFLICT',
  413: 'REQUEST_TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  421: 'DEVICE_AMBIGUOUS',
  429: 'TOO_MANY_REQUESTS',
  500: 'INTERNAL_ERROR',
  503: 'SERVICE_UNAVAILABLE',
  507: 'NO_SPACE',
};

/** Where a problem says more than the status does. */
const BY_CODE: Readonly<Record<string, string>> = {
  'unknown-device': 'DEVICE_NOT_FOUND',
  'update-state': 'UPDATE_STATE',
  'no-image': 'UPDATE_NO_IMAGE',
  'not-own': 'UPDATE_NOT_OWN',
  'not-enrolled': 'DEVICE_NOT_ENROLLED',
  'in-use': 'IMAGE_IN_USE',
  shared: 'IMAGE_NOT_OWN',
};

/**
 * `{"error_id", "error_text"}`. There is no `error_info`, which is optional: the vendor's client takes what has another field for no error of
 * this kind, and fails over it.
 */
export const systemUpdateDialect: Dialect = {
  error(error, asked) {
    return renderJson({ error_id: errorId(error, asked), error_text: errorText(error) });
  },
};

function errorId({ status, problems }: ApiError, { request }: Asked): string {
  if (status === 401) return authErrorId(request);
  const told = problems.flatMap(({ code }) => (code === undefined ? [] : (BY_CODE[code] ?? [])));
  return told[0] ?? BY_STATUS[status] ?? `HTTP_${status}`;
}

/** By what was shown, and was wrong. The vendor's client logs in anew for the first three, and tries once more. */
function authErrorId({ path, headers }: Request): string {
  if (path.endsWith(LOGIN_END)) return 'AUTH_INVALID_CREDENTIALS';
  const { authorization = '', cookie = '' } = headers;
  if (path.endsWith(TOKEN_END) || /^(?:Signed)?Bearer\b/i.test(authorization)) return 'AUTH_INVALID_TOKEN';
  if (cookie.includes(`${SESSION_COOKIE}=`)) return 'AUTH_INVALID_SESSION';
  return authorization === '' ? 'AUTH_REQUIRED' : 'AUTH_INVALID_CREDENTIALS';
}

function errorText({ status, problems }: ApiError): string {
  if (problems.length > 0) return problems.map(problemText).join('; ');
  return status === 500 ? 'The server failed; its log tells why' : 'There is none';
}

function problemText({ field, expected, found, ids = [] }: Problem): string {
  const where = field === '' ? '' : `${field}: `;
  const what = found === undefined ? '' : `, found ${found}`;
  // Such sentences name them themselves.
  const which = ids.length === 0 || ids.every((id) => expected.includes(id)) ? '' : ` (${ids.join(', ')})`;
  return `${where}${expected}${what}${which}`;
}
