import { type CpeCredentials, CREDENTIALS_A_BATCH_MAX } from '../../acs/index.js';
import {
  actorOf,
  closedQuery,
  type DynDialect,
  failures,
  openQuery,
  type Reading,
  type Route,
  recordsBody,
  ref,
  route,
} from '../http/index.js';
import type { NbiLimits } from '../limits.js';
import { doneAnswer, listAnswer, nothingAnswer, storedAnswer } from './answers.js';
import { changeSelected, inBatches } from './changes.js';
import { countRoute } from './count-route.js';
import { CREDENTIAL_FIELDS, cpeAuthStorage } from './cpe-auth-storage.js';
import { type Deletion, deletionRoutes } from './deletion-routes.js';
import { sendSelected } from './list.js';
import { ALL, fieldParameter, listOptions, PATTERN } from './parameters.js';
import { MORE_LOGINS, postLogins } from './post-logins.js';
import { parseQuery } from './query.js';

export interface CpeAuthRouteParts {
  readonly credentials: CpeCredentials;
  readonly limits: NbiLimits;
  readonly reading: Reading;
}

const PATH = '/v1/dyn/CpeAuthStorage/{pattern}';
const LOGIN_EXAMPLE = { cpeid: '00A1B2-HGW-1', username: '00A1B2-HGW-1', password: 'as on its label' };

/** What single CPEs log in with: listed without passwords, given, and taken away. */
export function cpeAuthRoutes(parts: CpeAuthRouteParts, dialect: DynDialect): Route[] {
  const { credentials, reading } = parts;
  return [
    listRoute(parts, dialect),
    countRoute({
      dialect,
      fields: CREDENTIAL_FIELDS,
      role: 'operator',
      concerns: 'installation',
      things: 'CpeCredentials',
      reading,
      storage: () => cpeAuthStorage(credentials),
    }),
    postRoute(parts, dialect),
    ...deletionRoutes(deletionOf(parts, dialect)),
  ];
}

function listRoute({ credentials, limits, reading }: CpeAuthRouteParts, dialect: DynDialect): Route {
  const storage = cpeAuthStorage(credentials);
  const options = listOptions(limits.storagePageItemsMax, CREDENTIAL_FIELDS);
  return route({
    method: 'GET',
    path: PATH,
    parameters: [PATTERN],
    role: 'operator',
    concerns: 'installation',
    operationId: 'listCpeCredentials',
    summary: 'Lists what single CPEs log in as, by user name, never with a password',
    query: openQuery(...Object.values(options), fieldParameter(CREDENTIAL_FIELDS)),
    answers: {
      '200': listAnswer('The credentials', 'CpeCredential'),
      ...failures('Answer'),
      '404': nothingAnswer(dialect),
    },
    async handle(exchange) {
      const query = parseQuery(storage, exchange.parameters.pattern, exchange.query, options);
      await sendSelected(exchange, storage, query, dialect, { limits, reading });
    },
  });
}

function postRoute({ credentials, limits }: CpeAuthRouteParts, dialect: DynDialect): Route {
  return route({
    method: 'POST',
    path: PATH,
    parameters: [PATTERN],
    role: 'admin',
    concerns: 'installation',
    operationId: 'putCpeCredentials',
    summary: 'Gives CPEs credentials, all or none, or any number of them batch by batch',
    description: `What a CPE had before stays right until it has used these. The same again changes nothing; of the same user name twice the last counts; one that is another CPE's is a conflict (409). NDJSON (a CPE a line), and an array whose sender has \`Accept: application/x-ndjson\`, may be of any length: it is stored while it comes, in batches of ${CREDENTIALS_A_BATCH_MAX.toLocaleString('en')}, each all or none, and answered by a report in NDJSON, with HTTP status 200 whatever becomes of them.`,
    query: closedQuery(),
    body: recordsBody(ref('CpeLogin'), LOGIN_EXAMPLE, MORE_LOGINS),
    answers: {
      '200': storedAnswer(dialect),
      ...failures('Answer', '409', '413', '415', '507'),
    },
    handle: (exchange) => postLogins(exchange, credentials, dialect, limits),
  });
}

function deletionOf({ credentials, reading }: CpeAuthRouteParts, dialect: DynDialect): Deletion {
  const storage = cpeAuthStorage(credentials);
  return {
    dialect,
    role: 'admin',
    concerns: 'installation',
    operationId: 'deleteCpeCredentials',
    summary: 'Takes away whatever credentials match',
    description: 'A CPE that has none left may log in with the shared pair again.',
    options: { all: ALL },
    parameters: [fieldParameter(CREDENTIAL_FIELDS)],
    example: { criteria: { cpeid: LOGIN_EXAMPLE.cpeid }, id: LOGIN_EXAMPLE.username },
    done: doneAnswer('Taken away', dialect),
    refusals: ['507'],
    words: () => storage,
    async remove(exchange, { selection }) {
      const by = actorOf(exchange);
      await changeSelected({ storage, selection, reading }, exchange, (turn) =>
        inBatches(storage, selection, turn, (usernames) => credentials.removeNames(usernames, by)),
      );
      exchange.response.json(dialect.answer(204, ''));
    },
  };
}
