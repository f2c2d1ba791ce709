import {
  type CpeCredentials,
  type CpeLogin,
  CREDENTIALS_A_BATCH_MAX,
  CredentialError,
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
/** What a list shows of one and nobody says. */
const SHOWN: readonly string[] = ['id', 'formerly', 'proven', 'since', 'firstUsed'];

/**
 * POST of what CPEs log in with. One, or an array, is stored as a whole and answered as a whole; NDJSON, and an array whose sender accepts
 * NDJSON, batch by batch while it comes. What is wrong is named without its value, which may be a password. What a list shows has none, and
 * changes nothing where it is there still.
 * @throws ApiError
 */
export async function postLogins(
  exchange: Exchange<'pattern', unknown, RecordsBody>,
  credentials: Credentials,
  dialect: DynDialect,
  limits: NbiLimits,
): Promise<void> {
  const { request, response, parameters, body: read } = exchange;
  const pattern = parseIdPattern(parameters.pattern);
  const by = actorOf(exchange);
  const body = await read();
  if (body.kind === 'records') {
    const { unit, splitter } = body;
    const itemProblem = (each: unknown) => problemOf(each, pattern, credentials);
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
    const problem = problemOf(each, pattern, credentials);
    if (problem !== null) throw new ApiError(400, [{ ...problem, item }]);
  }
  try {
    await put(credentials, bodies, by);
  } catch (error) {
    const [refusal] = refusalsOf(error) ?? [];
    if (refusal === undefined) throw error;
    const { item, code, problem } = refusal;
    throw new ApiError(code, [{ ...problem, ...(item !== null && { item }) }]);
  }
  response.json(dialect.answer(204, ''));
}

type Credentials = Pick<CpeCredentials, 'problemIn' | 'put' | 'scan'>;

/** One that brings no password is not there to be left as it is. */
class NoPasswordError extends Error {
  override readonly name = 'NoPasswordError';
  constructor(readonly index: number) {
    super('a password');
  }
}

/** @throws CredentialError, NoPasswordError, with the index of the first */
async function put(
  credentials: Credentials,
  bodies: readonly unknown[],
  by: Actor,
): Promise<{ readonly written: number; readonly unchanged: number }> {
  const logins = bodies.map((body, index) => ({ ...loginOf(body), index, isShown: isShown(body) }));
  const shown = logins.filter((login) => login.isShown);
  const cpeids = new Map<string, string>();
  for await (const { username, cpeid } of credentials.scan({
    usernames: shown.map(({ username }) => username),
  }))
    cpeids.set(username, cpeid);
  const gone = shown.find(({ username, cpeid }) => cpeids.get(username) !== cpeid);
  if (gone !== undefined) throw new NoPasswordError(gone.index);
  const given = logins.filter((login) => !login.isShown);
  if (given.length === 0) return { written: 0, unchanged: shown.length };
  try {
    const { stored, unchanged } = await credentials.put(
      given.map(({ cpeid, username, password }) => ({ cpeid, username, password })),
      by,
    );
    return { written: stored, unchanged: unchanged + shown.length };
  } catch (error) {
    if (!(error instanceof CredentialError)) throw error;
    throw new CredentialError(error.message, given[error.index]?.index ?? error.index);
  }
}

/** Whether it is as a list shows it. */
function isShown(body: unknown): boolean {
  return isObject(body) && body['password'] === undefined && SHOWN.some((name) => Object.hasOwn(body, name));
}

/** Null for what nobody can have caused who sends a body. */
function refusalsOf(error: unknown): readonly ItemRefusal[] | null {
  if (error instanceof CredentialError)
    return [{ item: error.index, code: 409, problem: takenProblem(error) }];
  if (error instanceof NoPasswordError) {
    const expected = 'the password: there are no such credentials that could stay as they are';
    return [{ item: error.index, code: 400, problem: { field: 'password', expected } }];
  }
  return null;
}

function sinkOf(credentials: Credentials, by: Actor): BatchSink {
  return {
    what: 'CPE',
    put: (bodies) => put(credentials, bodies, by),
    // Each has been looked at by itself, and together only the store knows.
    check: async () => [],
    refusals: refusalsOf,
  };
}

/** All that can be wrong with a batch whose every login is right in itself. */
function takenProblem({ message }: CredentialError): Problem {
  return { field: 'username', code: 'taken', expected: `a user name of this CPE alone; ${message}` };
}

/** In the place of a password that stays as it is. */
const UNSAID = 'unsaid';

function problemOf(
  body: unknown,
  pattern: IdPattern,
  credentials: Pick<CpeCredentials, 'problemIn'>,
): Problem | null {
  if (!isObject(body)) return { field: '', expected: `an object with ${FIELDS.join(', ')}` };
  for (const [name, value] of Object.entries(body)) {
    if (SHOWN.includes(name)) continue;
    const field = FIELDS.find((each) => each === name);
    if (field === undefined) return { field: name.slice(0, 100), expected: `only ${FIELDS.join(', ')}` };
    if (typeof value !== 'string') return { field, expected: 'a string' };
  }
  const login = loginOf(body);
  const problem = credentials.problemIn(isShown(body) ? { ...login, password: UNSAID } : login);
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
