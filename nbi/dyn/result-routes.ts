import type { ResultId, Turn } from '../../common/index.js';
import {
  actorOf,
  type DynDialect,
  failures,
  openQuery,
  queryParameter,
  type Reading,
  type Route,
  route,
  runningError,
  scopeOf,
} from '../http/index.js';
import { BATCH_ITEMS_MAX, type NbiLimits } from '../limits.js';
import { listAnswer, nothingAnswer } from './answers.js';
import { changeSelected, inBatches } from './changes.js';
import { countRoute } from './count-route.js';
import { type Deleting, type Deletion, deletionRoutes } from './deletion-routes.js';
import type { Entry } from './entry.js';
import { firmwareResultStorage, RESULT_FIELDS, type ResultParts } from './firmware-result-storage.js';
import { sendSelected } from './list.js';
import { ALL, fieldParameter, listOptions, PATTERN, REVISION } from './parameters.js';
import { parseQuery } from './query.js';
import { type Selection, type Storage, selectEntries } from './storage.js';

export interface ResultRouteParts extends ResultParts {
  readonly limits: NbiLimits;
  readonly reading: Reading;
}

const PATH = '/v1/dyn/FirmwareResultStorage/{pattern}';
const ID = queryParameter('id', 'The id of a result, or of the rule it is of, as its author calls that.');

/** The results of upgrades: they are listed, and deleted once they have ended. */
export function resultRoutes(parts: ResultRouteParts, dialect: DynDialect): Route[] {
  const { limits, reading } = parts;
  const options = listOptions(limits.storagePageItemsMax, RESULT_FIELDS);
  return [
    route({
      method: 'GET',
      path: PATH,
      parameters: [PATTERN],
      role: 'viewer',
      concerns: 'organizations',
      operationId: 'listResults',
      summary: 'Lists the results of upgrades, running and ended, the one begun last first',
      description:
        'A result belongs to the organization that its CPE belonged to when the upgrade began, and stays there where the CPE moves.',
      query: openQuery(...Object.values(options), fieldParameter(RESULT_FIELDS), ID, REVISION),
      answers: {
        '200': listAnswer('The results', 'Result', RESULTS_EXAMPLE),
        ...failures('Answer'),
        '404': nothingAnswer(dialect),
      },
      async handle(exchange) {
        const storage = firmwareResultStorage(parts, scopeOf(exchange));
        const query = parseQuery(storage, exchange.parameters.pattern, exchange.query, {
          ...options,
          revision: REVISION,
        });
        await sendSelected(exchange, storage, query, dialect, { limits, reading });
      },
    }),
    countRoute({
      dialect,
      fields: RESULT_FIELDS,
      role: 'viewer',
      concerns: 'organizations',
      things: 'Results',
      options: { revision: REVISION },
      parameters: [ID],
      reading,
      storage: (exchange) => firmwareResultStorage(parts, scopeOf(exchange)),
    }),
    ...deletionRoutes(deletionOf(parts, dialect)),
  ];
}

function deletionOf(parts: ResultRouteParts, dialect: DynDialect): Deletion {
  const { upgrades, reading } = parts;
  const storageOf = (exchange: Deleting) => firmwareResultStorage(parts, scopeOf(exchange));
  return {
    dialect,
    role: 'operator',
    concerns: 'organizations',
    operationId: 'deleteResults',
    summary: 'Deletes every result that matches',
    description: 'Refused (409) where an upgrade among them still runs.',
    options: { all: ALL, revision: REVISION },
    parameters: [ID],
    example: {
      criteria: { campaignid: 'UPGRADE_00A1B2-HGW-1', 'ts<': 1743412508 },
      id: RESULTS_EXAMPLE.details[0].id,
    },
    refusals: ['409', '507'],
    words: storageOf,
    async remove(exchange, { selection }) {
      const by = actorOf(exchange);
      const storage = storageOf(exchange);
      await changeSelected({ storage, selection, reading }, exchange, async (turn, meant) => {
        await refuseRunning(storage, meant, turn);
        await inBatches(storage, meant, turn, (ids) => upgrades.remove(ids.map(toResultId), by));
      });
      exchange.response.json(dialect.answer(204, ''));
    },
  };
}

const RESULTS_EXAMPLE = {
  code: 200,
  message: 'response from FirmwareResultStorage',
  details: [
    {
      id: 'cd3627cd-1908-4ff8-8fe3-f7078723a684',
      status: true,
      ts: 1743412508,
      cpeid: '00A1B2-HGW-1',
      rule_description: 'string',
      campaignid: 'UPGRADE_00A1B2-HGW-1',
      result: {
        code: 500,
        message: 'Upgrade has failed with FaultCode 9010. FaultString: Download failure. File not found.',
      },
    },
  ],
} as const;

/** Looks before anything is deleted, so that a refusal means nothing was. */
async function refuseRunning(storage: Storage, selection: Selection, turn: Turn): Promise<void> {
  const running: Entry[] = [];
  for await (const entry of selectEntries(storage, selection, { turn })) {
    if (entry.view['status'] === false) running.push(entry);
    if (running.length >= BATCH_ITEMS_MAX) break;
  }
  if (running.length > 0) throw runningError(running.map(({ id }) => id));
}

// The storage has just given these ids.
const toResultId = (id: string) => id as ResultId;
