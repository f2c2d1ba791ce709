import { SECOND_MS } from '../../common/index.js';
import {
  closedQuery,
  type DynDialect,
  failures,
  invalid,
  jsonAnswer,
  objectBody,
  openQuery,
  type Reading,
  type Route,
  ref,
  route,
  scopeOf,
  withinOf,
} from '../http/index.js';
import type { NbiLimits } from '../limits.js';
import {
  ROLES,
  SUBNET_CHARACTERS_MAX,
  TOKEN_DAYS_DEFAULT,
  TOKEN_DAYS_MAX,
  TOKEN_NAME_CHARACTERS_MAX,
  TOKEN_SUBNETS_MAX,
  TokenError,
  type Users,
} from '../users/index.js';
import { doneAnswer, listAnswer, nothingAnswer } from './answers.js';
import { changeSelected, inBatches } from './changes.js';
import { countRoute } from './count-route.js';
import { type Deleting, type Deletion, deletionRoutes } from './deletion-routes.js';
import { parseIdPattern } from './id-pattern.js';
import { sendSelected } from './list.js';
import { ALL, fieldParameter, listOptions, PATTERN } from './parameters.js';
import { parseQuery } from './query.js';
import { TOKEN_FIELDS, tokenStorage, tokenView } from './token-storage.js';

interface TokenRouteParts {
  readonly users: Users;
  readonly limits: NbiLimits;
  readonly reading: Reading;
}

const PATH = '/v1/dyn/TokenStorage/{pattern}';

/** What scripts log in by: listed without what is secret of them, made and shown once, revoked. */
export function tokenRoutes(parts: TokenRouteParts, dialect: DynDialect): Route[] {
  const { users, reading } = parts;
  return [
    listRoute(parts, dialect),
    countRoute({
      dialect,
      fields: TOKEN_FIELDS,
      role: 'admin',
      concerns: 'organizations',
      things: 'Tokens',
      reading,
      storage: (exchange) => tokenStorage(users, scopeOf(exchange)),
    }),
    postRoute(parts, dialect),
    ...deletionRoutes(deletionOf(parts, dialect)),
  ];
}

function listRoute({ users, limits, reading }: TokenRouteParts, dialect: DynDialect): Route {
  const options = listOptions(limits.storagePageItemsMax, TOKEN_FIELDS);
  return route({
    method: 'GET',
    path: PATH,
    parameters: [PATTERN],
    role: 'admin',
    concerns: 'organizations',
    operationId: 'listTokens',
    summary: 'Lists the tokens of all users, by id, never with their secret part',
    query: openQuery(...Object.values(options), fieldParameter(TOKEN_FIELDS)),
    answers: {
      '200': listAnswer('The tokens', 'Token'),
      ...failures('Answer'),
      '404': nothingAnswer(dialect),
    },
    async handle(exchange) {
      const storage = tokenStorage(users, scopeOf(exchange));
      const query = parseQuery(storage, exchange.parameters.pattern, exchange.query, options);
      await sendSelected(exchange, storage, query, dialect, { limits, reading });
    },
  });
}

function postRoute({ users }: TokenRouteParts, dialect: DynDialect): Route {
  return route({
    method: 'POST',
    path: PATH,
    parameters: [PATTERN],
    role: 'admin',
    concerns: 'organizations',
    operationId: 'createToken',
    summary: 'Makes a token, and shows it this once',
    description: `It is sent as \`Authorization: Bearer\`. What it lets its sender do is at most what its user may at that time. Without \`expiresAt\` it expires in ${TOKEN_DAYS_DEFAULT} days.`,
    query: closedQuery(),
    body: objectBody({
      required: ['name'],
      properties: {
        name: {
          type: 'string',
          minLength: 1,
          maxLength: TOKEN_NAME_CHARACTERS_MAX,
          expected: `what it is for, in 1 to ${TOKEN_NAME_CHARACTERS_MAX} characters that can be seen`,
        },
        user: {
          type: 'string',
          minLength: 1,
          maxLength: 64,
          description: 'Whose it is; else of whoever asks.',
          expected: 'the name of a user',
        },
        role: {
          enum: ROLES,
          description: "At most the user's own, which is the default.",
          expected: "viewer, operator or admin, at most the user's own",
        },
        expiresAt: {
          type: 'integer',
          description: 'In epoch seconds.',
          expected: `epoch seconds in the future, within ${TOKEN_DAYS_MAX} days`,
        },
        subnets: {
          type: 'array',
          maxItems: TOKEN_SUBNETS_MAX,
          items: {
            type: 'string',
            maxLength: SUBNET_CHARACTERS_MAX,
            expected: 'an address, or a subnet such as 192.0.2.0/24',
          },
          description: 'From where it may be used; else from anywhere.',
          expected: `at most ${TOKEN_SUBNETS_MAX} addresses and subnets, such as 192.0.2.0/24`,
        },
      },
      others: 'only name, user, role, expiresAt and subnets',
      taken: ['id', 'created', 'lastUsed', 'lastUsedFrom', 'organization'],
      example: { name: 'nightly job', user: 'oss', role: 'viewer', subnets: ['192.0.2.0/24'] },
    }),
    answers: {
      '200': jsonAnswer('The token, with all of its text', ref('TokenMade')),
      ...failures('Answer', '409', '413', '415', '507'),
    },
    async handle(exchange) {
      const { response, parameters, body, user, by } = exchange;
      const { expiresAt, user: owner = user?.name ?? '', ...wanted } = await body();
      if (!parseIdPattern(parameters.pattern).all) {
        throw invalid('pattern', '.*: the id of a token is made here', parameters.pattern);
      }
      const expiresAtMs = expiresAt === undefined ? undefined : expiresAt * SECOND_MS;
      const made = { ...wanted, user: owner, expiresAtMs };
      const { token, text } = await users.tokens.create(made, by, withinOf(exchange));
      response.json(dialect.answer(200, { ...tokenView(token, scopeOf(exchange)), token: text }));
    },
  });
}

function deletionOf({ users, reading }: TokenRouteParts, dialect: DynDialect): Deletion {
  const storageOf = (exchange: Deleting) => tokenStorage(users, scopeOf(exchange));
  return {
    dialect,
    role: 'admin',
    concerns: 'organizations',
    operationId: 'revokeTokens',
    summary: 'Revokes whatever tokens match: nobody gets in by them any more',
    description: 'What was revoked meanwhile is passed over.',
    options: { all: ALL },
    parameters: [fieldParameter(TOKEN_FIELDS)],
    example: { criteria: { user: 'oss' }, id: '0123456789abcdef0123' },
    done: doneAnswer('Revoked', dialect),
    refusals: ['507'],
    words: storageOf,
    async remove(exchange, { selection }) {
      const storage = storageOf(exchange);
      await changeSelected({ storage, selection, reading }, exchange, (turn) =>
        inBatches(storage, selection, turn, async (ids) => {
          for (const id of ids) await revokeOne(id);
        }),
      );
      exchange.response.json(dialect.answer(204, ''));

      /** One that somebody else has revoked meanwhile is what was asked for. */
      async function revokeOne(id: string): Promise<void> {
        try {
          await users.tokens.revoke(id, exchange.by, withinOf(exchange));
        } catch (error) {
          if (!(error instanceof TokenError)) throw error;
        }
      }
    },
  };
}
