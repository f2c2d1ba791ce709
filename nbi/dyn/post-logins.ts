import {
  type CpeCredentials,
  type CpeLogin,
  CREDENTIALS_A_BATCH_MAX,
  CredentialError,
  credentialProblem,
} from '../../acs/index.js';
import type { CpeId } from '../../common/index.js';
import type { Actor } from '../../events/index.js';
import {
  ApiError,
  actorOf,
  type DynDialect,
  type Exchange,
  invalid,
  isObject,
  NDJSON,
  type Problem,
  type RecordsBody,
} from '../http/index.js';
import type { NbiLimits } from '../limits.js';
import { type BatchSink, type ItemRefusal, storeInBatches } from './bulk.js';
import { type IdPattern, parseIdPattern } from './id-pattern.js';

export const MORE_LOGINS = `send it in several requests, or as NDJSON (Content-Type: ${NDJSON}): then there may be any number of CPEs`;

const FIELDS = ['cpeid', 'username', 'password'] as const;

/**
 * POST of what CPEs log in with. One, or an array, is stored as a whole and answered as a whole; NDJSON, and an array whose sender accepts
 * NDJSON, batch by batch while it comes. What is wrong is named without its value, which may be a password.
 * @throws ApiError
 */
export async function postLogins(
  exchange: Exchange<'pattern', unknown, RecordsBody>,
  credentials: Pick<CpeCredentials, 'put'>,
  dialect: DynDialect,
  limits: NbiLimits,
): Promise<void> {
  const { request, response, parameters, body: read } = exchange;
  const pattern = parseIdPattern(parameters.pattern);
  const by = actorOf(exchange);
  const body = await read();
  if (body.kind === 'records') {
    const { unit, splitter } = body;
    const itemProblem = (each: unknown) => problemOf(each, pattern);
    const sink = sinkOf(credentials, by);
    await storeInBatches({ sink, dialect, limits, itemProblem, unit, splitter }, request, response);
    return;
  }
  const { value } = body;
  const bodies: readonly unknown[] = Array.isArray(value) ? value : [value];
  const expected = `an object with ${FIELDS.join(', ')}, or an array of 1 to ${CREDENTIALS_A_BATCH_MAX}`;
  if (bodies.length === 0) throw invalid('', expected);
  if (bodies.length > CREDENTIALS_A_BATCH_MAX)
    throw new ApiError(413, [{ field: '', expected: `${expected}: ${MORE_LOGINS}` }]);
  for (const [item, each] of bodies.entries()) {
    const problem = problemOf(each, pattern);
    if (problem !== null) throw new ApiError(400, [{ ...problem, item }]);
  }
  try {
    await credentials.put(bodies.map(loginOf), by);
  } catch (error) {
    if (!(error instanceof CredentialError)) throw error;
    throw new ApiError(409, [{ ...takenProblem(error), item: error.index }]);
  }
  response.json(dialect.answer(204, ''));
}

function sinkOf(credentials: Pick<CpeCredentials, 'put'>, by: Actor): BatchSink {
  return {
    what: 'CPE',
    async put(bodies) {
      const { stored, unchanged } = await credentials.put(bodies.map(loginOf), by);
      return { written: stored, unchanged };
    },
    // Each has been looked at by itself, and together only the store knows.
    check: async () => [],
    refusals: (error): readonly ItemRefusal[] | null =>
      error instanceof CredentialError
        ? [{ item: error.index, code: 409, problem: takenProblem(error) }]
        : null,
  };
}

/** All that can be wrong with a batch whose every login is right in itself. */
function takenProblem({ message }: CredentialError): Problem {
  return { field: 'username', code: 'taken', expected: `a user name of this CPE alone; ${message}` };
}

function problemOf(body: unknown, pattern: IdPattern): Problem | null {
  if (!isObject(body)) return { field: '', expected: `an object with ${FIELDS.join(', ')}` };
  for (const [name, value] of Object.entries(body)) {
    const field = FIELDS.find((each) => each === name);
    if (field === undefined) return { field: name.slice(0, 100), expected: `only ${FIELDS.join(', ')}` };
    if (typeof value !== 'string') return { field, expected: 'a string' };
  }
  const login = loginOf(body);
  const problem = credentialProblem(login);
  if (problem !== null) return { field: problem.split(' ', 1)[0] ?? '', expected: problem };
  if (pattern.matches(login.username)) return null;
  return {
    field: 'username',
    expected: 'a user name that matches the pattern in the path; .* takes every one',
  };
}

/** Without a user name that is the cpeid. */
function loginOf(body: unknown): CpeLogin {
  const text = (name: (typeof FIELDS)[number]) => {
    const value = isObject(body) ? body[name] : undefined;
    return typeof value === 'string' ? value : '';
  };
  const cpeid = text('cpeid');
  return { cpeid: cpeid as CpeId, username: text('username') || cpeid, password: text('password') };
}
