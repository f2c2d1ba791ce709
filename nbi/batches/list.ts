import { BATCH_STATES, type Batch, type BatchPlace, type BatchState } from '../../rollout/index.js';
import {
  closedQuery,
  type Exchange,
  failures,
  type JsonObject,
  jsonAnswer,
  queryParameter,
  type Route,
  ref,
  route,
  type Scope,
  scopeOf,
  withinOf,
} from '../http/index.js';
import {
  BATCH_PATH,
  type BatchParts,
  batchAnswer,
  batchView,
  detailedView,
  dialect,
  findBatch,
  ID,
  LIST_PATH,
} from './batch.js';
import { afterParameter, limitParameter, placeOf, tellNext } from './paging.js';

/** Most batches that one page is looked for among, where only those in one state are asked for. */
const LOOKED_AT_MAX = 1_000;

/** `GET /v1/batches` */
export function listRoute(parts: BatchParts): Route {
  const { reading } = parts;
  return route({
    method: 'GET',
    path: LIST_PATH,
    role: 'viewer',
    concerns: 'organizations',
    operationId: 'listBatches',
    summary: 'Lists the batches, newest first',
    description:
      "Users of an organization see its own; users of the installation see everybody's. Batches that were made for a single CPE by other APIs are not listed.",
    query: closedQuery(
      limitParameter('Batches', parts.limits),
      afterParameter(),
      queryParameter(
        'state',
        'Only those in this state. A page may then have fewer than asked for, and another follow.',
        { type: 'string', enum: BATCH_STATES, expected: `one of ${BATCH_STATES.join(', ')}` },
      ),
      queryParameter('build', 'The id of a build: only batches of it.'),
    ),
    answers: {
      '200': jsonAnswer('The batches', {
        allOf: [ref('Answer'), { properties: { details: { type: 'array', items: ref('Batch') } } }],
      }),
      ...failures('Answer'),
    },
    async handle(exchange) {
      const { query } = exchange;
      const scope = scopeOf(exchange);
      const { limit, after, state, build } = query;
      const asked = {
        limit,
        organization: withinOf(exchange),
        ...(after !== undefined && { after: placeOf(after) }),
        ...(state !== undefined && { state }),
        ...(build !== undefined && { build }),
      };
      const page = () => pageOf(parts, exchange, scope, asked);
      // To look for those in a state may mean to look at many.
      const { views, next } = await (state === undefined ? page() : reading.long(exchange, page));
      if (next !== null) tellNext(exchange, next);
      exchange.response.json(dialect.answer(200, views));
    },
  });
}

interface Asked {
  readonly limit: number;
  readonly state?: BatchState;
  readonly build?: string;
  readonly organization: string | null;
  readonly after?: BatchPlace;
}

async function pageOf(
  { batches, operations, reading }: BatchParts,
  exchange: Pick<Exchange, 'user' | 'over'>,
  scope: Scope,
  { limit, state: wanted, organization, ...asked }: Asked,
): Promise<{ readonly views: readonly JsonObject[]; readonly next: BatchPlace | null }> {
  const turn = reading.turn(exchange);
  const views: JsonObject[] = [];
  let last: Batch | null = null;
  let lookedAt = 0;
  // The list is everybody's unless it is one organization's: null would mean the installation's own.
  const filter = { ...asked, ...(organization !== null && { organization }) };
  for await (const batch of batches.scan(filter, turn)) {
    if (last !== null && (views.length === limit || lookedAt === LOOKED_AT_MAX)) return { views, next: last };
    last = batch;
    lookedAt++;
    const counts = await turn(() => operations.counts(batch.id));
    const state = batches.stateOf(batch, counts);
    if (wanted !== undefined && state !== wanted) continue;
    views.push(batchView(batch, { state, counts }, scope));
  }
  return { views, next: null };
}

/** `GET /v1/batches/{id}` */
export function batchRoute(parts: BatchParts): Route {
  return route({
    method: 'GET',
    path: BATCH_PATH,
    parameters: [ID],
    role: 'viewer',
    concerns: 'organizations',
    operationId: 'getBatch',
    summary: 'Tells how far a batch has come, and why CPEs of it were not upgraded',
    query: closedQuery(),
    answers: { '200': batchAnswer('The batch'), ...failures('Answer', '404') },
    async handle(exchange) {
      const scope = scopeOf(exchange);
      const batch = await findBatch(parts.batches, exchange.parameters.id, scope);
      exchange.response.json(dialect.answer(200, await detailedView(parts, batch, scope)));
    },
  });
}
