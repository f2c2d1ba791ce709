import { SECOND_MS, type Turn } from '../../common/index.js';
import {
  ApiError,
  closedQuery,
  type DynDialect,
  failures,
  invalid,
  objectBody,
  openQuery,
  PASSWORD_SCHEMA,
  Places,
  passwordOf,
  type Reading,
  type Route,
  route,
  type Scope,
  scopeOf,
  withinOf,
} from '../http/index.js';
import type { NbiLimits } from '../limits.js';
import { ROLES, type Users } from '../users/index.js';
import { doneAnswer, listAnswer, nothingAnswer } from './answers.js';
import { changeSelected, requireIntent } from './changes.js';
import { countRoute } from './count-route.js';
import { type Deleting, type Deletion, deletionRoutes } from './deletion-routes.js';
import { parseIdPattern } from './id-pattern.js';
import { sendSelected } from './list.js';
import { ALL, fieldParameter, listOptions, PATTERN, PATTERN_OF_SOME } from './parameters.js';
import { parseQuery } from './query.js';
import { type Selection, type Storage, selectEntries } from './storage.js';
import { USER_FIELDS, userStorage } from './user-storage.js';

export interface UserRouteParts {
  readonly users: Users;
  readonly limits: NbiLimits;
  readonly reading: Reading;
}

const ROLE = { enum: ROLES, expected: 'viewer, operator or admin' } as const;
const ACTIVE = { type: 'boolean', expected: 'true or false' } as const;
const NAME = {
  type: 'string',
  pattern: '^[A-Za-z0-9_.@-]{1,64}$',
  expected: '1 to 64 letters, digits, or _ . @ -',
} as const;
const RETRY_SECONDS = 1;
const HASHES_AT_A_TIME = 2;
const SC_CLOUD = {
  type: 'boolean',
  description:
    'Whether he can log in to /sc_cloud, by the MD5 of his password. Switching it on needs the password beside it, unless it is on.',
  expected: 'true or false',
} as const;
const OTHERS = 'only name, role, active, password and scCloud';
const ORGANIZATION = {
  type: 'string',
  minLength: 1,
  maxLength: 64,
  description:
    'Whose user he is, for good: the slug or id of an organization; else the installation’s. Said by users of the installation alone.',
  expected: 'the slug or id of an organization',
} as const;
const LAST_ADMIN =
  'The last admin of the installation who is active is kept (409), and the last of an organization against its own users.';

/**
 * Who may use the northbound interface: listed without passwords, added, changed and removed. UserStorage and AuthStorage are two names of
 * the same; each answers in its own.
 */
export function userRoutes(parts: UserRouteParts, dialect: DynDialect): Route[] {
  const { limits, users, reading } = parts;
  const path = `/v1/dyn/${dialect.name}/{pattern}` as const;
  const hashing = new Places({
    what: 'changes of passwords',
    perClientMax: 1,
    totalMax: HASHES_AT_A_TIME,
    waiting: { perClientMax: limits.requestsPerClientMax, msMax: limits.waitSecondsMax * SECOND_MS },
    retryAfterSeconds: RETRY_SECONDS,
  });
  return [
    listRoute(parts, path, dialect),
    countRoute({
      dialect,
      fields: USER_FIELDS,
      role: 'admin',
      concerns: 'organizations',
      things: dialect.name,
      reading,
      storage: (exchange) => userStorage(dialect.name, users, scopeOf(exchange)),
    }),
    postRoute(parts, path, dialect, hashing),
    putRoute(parts, path, dialect, hashing),
    ...deletionRoutes(deletionOf(parts, dialect)),
  ];
}

type Path = `/v1/dyn/${string}/{pattern}`;

function listRoute({ users, limits, reading }: UserRouteParts, path: Path, dialect: DynDialect): Route {
  const options = listOptions(limits.storagePageItemsMax, USER_FIELDS);
  return route({
    method: 'GET',
    path,
    parameters: [PATTERN],
    role: 'admin',
    concerns: 'organizations',
    operationId: `list${dialect.name}`,
    summary: 'Lists the users, by name, never with a password',
    query: openQuery(...Object.values(options), fieldParameter(USER_FIELDS)),
    answers: {
      '200': listAnswer('The users', 'User'),
      ...failures('Answer'),
      '404': nothingAnswer(dialect),
    },
    async handle(exchange) {
      const storage = userStorage(dialect.name, users, scopeOf(exchange));
      const query = parseQuery(storage, exchange.parameters.pattern, exchange.query, options);
      await sendSelected(exchange, storage, query, dialect, { limits, reading });
    },
  });
}

function postRoute({ users }: UserRouteParts, path: Path, dialect: DynDialect, hashing: Places): Route {
  return route({
    method: 'POST',
    path,
    parameters: [PATTERN],
    role: 'admin',
    concerns: 'organizations',
    operationId: `put${dialect.name}`,
    summary: 'Adds a user, or changes the one of that name',
    description: `A new one needs a password, and is an operator and active unless told; of one that there is, what is not named stays. A name that ends in @ and the slug of an organization is for its users, whose admins make no others. ${LAST_ADMIN}`,
    query: closedQuery(),
    body: objectBody({
      required: ['name'],
      properties: {
        name: NAME,
        role: ROLE,
        active: ACTIVE,
        password: PASSWORD_SCHEMA,
        scCloud: SC_CLOUD,
        organization: ORGANIZATION,
      },
      others: OTHERS,
      taken: ['id', 'created'],
      example: { name: 'oss', role: 'operator', password: 'correct horse battery' },
    }),
    answers: {
      '200': doneAnswer('Stored', dialect),
      ...failures('Answer', '409', '413', '415', '507'),
    },
    async handle(exchange) {
      const { response, parameters, body, user, by, over } = exchange;
      const pattern = parseIdPattern(parameters.pattern);
      const { name, role, active, password: given, scCloud, organization: said } = await body();
      if (!pattern.matches(name)) {
        throw invalid('name', 'a name that matches the pattern in the path; .* takes every one', name);
      }
      const password = passwordOf('password', given);
      const organization = organizationFor(said, scopeOf(exchange));
      const put = { name, role, active, password, scCloud, ...(organization !== null && { organization }) };
      await hashing.run(user?.name ?? '', over, () => users.put(put, by, withinOf(exchange)));
      response.json(dialect.answer(204, ''));
    },
  });
}

function putRoute(
  { users, reading }: UserRouteParts,
  path: Path,
  dialect: DynDialect,
  hashing: Places,
): Route {
  return route({
    method: 'PUT',
    path,
    parameters: [PATTERN_OF_SOME],
    role: 'admin',
    concerns: 'organizations',
    operationId: `change${dialect.name}`,
    summary: 'Changes role, activity, password or log-in to /sc_cloud of every user that matches',
    description: `Whoever is not active cannot log in, nor can his tokens. ${LAST_ADMIN}`,
    query: openQuery(ALL, fieldParameter(USER_FIELDS)),
    body: objectBody({
      properties: { role: ROLE, active: ACTIVE, password: PASSWORD_SCHEMA, scCloud: SC_CLOUD },
      others: 'only role, active, password and scCloud; the path names the user',
      example: { active: true },
    }),
    answers: {
      '200': doneAnswer('Changed', dialect),
      ...failures('Answer', '409', '413', '415', '507'),
      '404': nothingAnswer(dialect),
    },
    async handle(exchange) {
      const { response, parameters, query: text, body, user, by, over } = exchange;
      const storage = userStorage(dialect.name, users, scopeOf(exchange));
      const query = parseQuery(storage, parameters.pattern, text, { all: ALL });
      const { role, active, password: given, scCloud } = await body();
      const password = passwordOf('password', given);
      if ([role, active, password, scCloud].every((each) => each === undefined)) {
        throw invalid('', 'role, active, password or scCloud, at least one');
      }
      const { selection } = query;
      requireIntent(query, selection);
      const change = () =>
        changeSelected({ storage, selection, reading }, exchange, async (turn) => {
          const names = await namesOf(storage, selection, turn);
          await users.change(names, { role, active, password, scCloud }, by, withinOf(exchange));
        });
      await (password === undefined ? change() : hashing.run(user?.name ?? '', over, change));
      response.json(dialect.answer(204, ''));
    },
  });
}

function deletionOf({ users, reading }: UserRouteParts, dialect: DynDialect): Deletion {
  const storageOf = (exchange: Deleting) => userStorage(dialect.name, users, scopeOf(exchange));
  return {
    dialect,
    role: 'admin',
    concerns: 'organizations',
    operationId: `delete${dialect.name}`,
    summary: 'Removes every user that matches, with his tokens',
    description: LAST_ADMIN,
    options: { all: ALL },
    parameters: [fieldParameter(USER_FIELDS)],
    example: { criteria: { role: 'viewer', active: false }, id: 'oss' },
    done: doneAnswer('Removed', dialect),
    refusals: ['409', '507'],
    words: storageOf,
    async remove(exchange, { selection }) {
      const storage = storageOf(exchange);
      await changeSelected({ storage, selection, reading }, exchange, async (turn) =>
        users.remove(await namesOf(storage, selection, turn), exchange.by, withinOf(exchange)),
      );
      exchange.response.json(dialect.answer(204, ''));
    },
  };
}

/**
 * The organization that a new user is to be of; null: of none. Where a request is about one, its users are shown with it to the installation.
 * @throws ApiError 400
 */
function organizationFor(
  said: string | undefined,
  { organization, isInstallation, organizations }: Scope,
): string | null {
  if (organization !== null) {
    const isShown = isInstallation && said !== undefined && organizations.find(said) === organization;
    if (said !== undefined && !isShown) throw invalid('organization', OTHERS);
    return organization.id;
  }
  if (said === undefined) return null;
  const found = organizations.find(said);
  if (found === null) throw invalid('organization', 'the slug or id of an organization that there is', said);
  return found.id;
}

/** All of them, before any is changed: an admin must be left. @throws ApiError 404 where there is none */
async function namesOf(storage: Storage, selection: Selection, turn: Turn): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { id } of selectEntries(storage, selection, { turn })) names.push(id);
  if (names.length === 0) throw new ApiError(404);
  return names;
}
