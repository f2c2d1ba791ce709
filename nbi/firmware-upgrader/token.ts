import { networkOf } from '../../common/index.js';
import {
  type Exchange,
  findingsOf,
  openQuery,
  type Route,
  requestIdOf,
  route,
  throttled,
  UnservedMethodError,
} from '../http/index.js';
import type { Users } from '../users/index.js';
import {
  allowOf,
  type BodyData,
  type Endpoint,
  type Field,
  fieldsBody,
  jsonAnswers,
  optionsOf,
  type PageMaker,
  type RequestThrottle,
  representationOf,
  said,
  sending,
  wrongFields,
} from './manners/index.js';

export const TOKEN_PATH = '/api/v1/users/token/';

const CREDENTIAL_CHARACTERS_MAX = 1_024;
const DENIED = 'Unable to log in with provided credentials.';

const FIELDS = [
  { name: 'username', kind: 'string', required: true, charactersMax: CREDENTIAL_CHARACTERS_MAX },
  {
    name: 'password',
    kind: 'string',
    required: true,
    charactersMax: CREDENTIAL_CHARACTERS_MAX,
    isAsItIs: true,
  },
  { name: 'token', kind: 'string', readOnly: true },
] as const satisfies readonly Field[];

interface TokenParts {
  readonly page: PageMaker;
  readonly users: Users;
  /** Of all requests from one address. */
  readonly throttle: RequestThrottle;
}

/** What pages and OPTIONS know of it; it is open to all, and so has a route of its own. */
export const TOKEN_ENDPOINT: Endpoint = {
  path: TOKEN_PATH,
  name: 'Obtain Auth Token',
  fields: FIELDS,
  methods: {
    POST: {
      operationId: 'obtainUpgraderToken',
      summary: 'Gives a user who shows his password his permanent token',
      answers: {},
      handle: () => Promise.reject(new Error('It is answered by the open route')),
    },
  },
};

/** `POST /api/v1/users/token/` */
export function tokenRoute(parts: TokenParts): Route {
  return route<string, URLSearchParams, BodyData>({
    method: 'POST',
    path: TOKEN_PATH,
    role: null,
    concerns: 'everyone',
    operationId: 'obtainUpgraderToken',
    summary: 'Gives a user who shows his password his permanent token',
    description:
      'The same one whenever it is asked for, until he has another password or it is revoked. Wrong passwords count as those of Basic authentication do.',
    query: openQuery(),
    body: fieldsBody(FIELDS, false),
    answers: jsonAnswers(TOKEN_ENDPOINT, 'POST', {
      '200': 'The token',
      '400': 'The password is not of that user, or the body is wrong',
      '403': 'It comes from a page of elsewhere',
      '406': 'None of the representations that there are will do',
      '413': 'The body is too large',
      '415': 'The Content-Type is another than the call takes',
      '429': 'Too much is asked; Retry-After tells how long to wait',
      '503': 'Too much is under way, or the store cannot be reached; Retry-After tells how long to wait',
      '507': 'The disk, or the database, is full',
    }),
    handle: (exchange) => answer(exchange, parts),
  });
}

async function answer(
  exchange: Exchange<string, URLSearchParams, BodyData>,
  { users, throttle, page }: TokenParts,
): Promise<void> {
  const { request, response } = exchange;
  representationOf(request);
  const { address = '', over } = findingsOf(response);
  const seconds = throttle.admit(networkOf(address));
  if (seconds !== null) throw throttled(seconds);
  const { username = '', password = '' } = await said(FIELDS, await exchange.body(), { isPartial: false });
  const requestId = requestIdOf(request);
  const verify = async () => {
    const verification = await users.verify({
      name: username,
      password,
      address,
      ...(over !== undefined && { over }),
      ...(requestId !== undefined && { requestId }),
    });
    if (verification.kind === 'throttled') throw throttled(verification.retryAfterSeconds);
    if (verification.kind === 'denied') throw denied();
    return verification.user.name;
  };
  const user = await users.find(await verify());
  // Once more: had the password been changed in between, the token would be of the new one, which nobody showed.
  await verify();
  if (user === null) throw denied();
  const { name, organization } = user;
  findingsOf(response).user = name;
  const given = await users.tokens.permanent(user, {
    name,
    how: 'password',
    ...(organization !== undefined && { organization }),
    address,
    ...(requestId !== undefined && { requestId }),
  });
  if (given === null) throw denied();
  sending(exchange, TOKEN_ENDPOINT, page)(200, { token: given.text });
}

function denied(): Error {
  return wrongFields({ non_field_errors: [DENIED] });
}

/** OPTIONS, and the refusal of all else, for whoever asks. */
export function unservedTokenRoute(method: string, page: PageMaker): Route {
  return route<string, URLSearchParams, BodyData>({
    method,
    path: TOKEN_PATH,
    role: null,
    concerns: 'everyone',
    operationId: 'unserved',
    summary: '',
    query: openQuery(),
    answers: {},
    async handle(exchange) {
      representationOf(exchange.request);
      if (method !== 'OPTIONS') throw new UnservedMethodError(allowOf(TOKEN_ENDPOINT).join(', '));
      sending(exchange, TOKEN_ENDPOINT, page)(200, optionsOf(TOKEN_ENDPOINT, 'POST'));
    },
  });
}
