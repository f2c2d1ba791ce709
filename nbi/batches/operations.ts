import type { CpeId } from '../../common/index.js';
import { OPERATION_STATES, type Operation, type OperationPlace, operationIdOf } from '../../rollout/index.js';
import {
  ApiError,
  actorOf,
  closedQuery,
  failures,
  type JsonObject,
  jsonAnswer,
  ownerShown,
  type Parameter,
  queryParameter,
  type Route,
  ref,
  route,
  type Scope,
  scopeOf,
} from '../http/index.js';
import { BATCH_PATH, type BatchParts, dialect, findBatch, ID, secondsOf } from './batch.js';
import { afterParameter, limitParameter, placeOf, tellNext } from './paging.js';

const CPEID = {
  name: 'cpeid',
  in: 'path',
  required: true,
  schema: { type: 'string' },
  example: '00A1B2-HGW-1',
} as const satisfies Parameter;

/** What became of a CPE of a batch. Times are in epoch seconds. */
export function operationView(operation: Operation, scope: Scope): JsonObject {
  const { id, cpeid, image, state, reason, detail, resultId, attempts, log, cancelAskedAtMs } = operation;
  return {
    id,
    cpeid,
    image: image?.name ?? null,
    state,
    reason,
    detail,
    result: resultId,
    attempts,
    log: log.map(({ atMs, text }) => ({ time: secondsOf(atMs), text })),
    ...(cancelAskedAtMs !== undefined && { cancelAsked: secondsOf(cancelAskedAtMs) }),
    created: secondsOf(operation.createdAtMs),
    modified: secondsOf(operation.updatedAtMs),
    ...ownerShown(scope, operation),
  };
}

/** `GET /v1/batches/{id}/operations` */
export function operationsRoute({ batches, operations, reading, limits }: BatchParts): Route {
  return route({
    method: 'GET',
    path: `${BATCH_PATH}/operations`,
    parameters: [ID],
    role: 'viewer',
    concerns: 'organizations',
    operationId: 'listBatchOperations',
    summary: 'Lists what became of the CPEs of a batch, one operation each',
    query: closedQuery(
      limitParameter('Operations', limits),
      afterParameter(),
      queryParameter('state', 'Only those in this state.', {
        type: 'string',
        enum: OPERATION_STATES,
        expected: `one of ${OPERATION_STATES.join(', ')}`,
      }),
      queryParameter('reason', 'Only those that ended for this reason.'),
      queryParameter('cpeid', 'Only this CPE.'),
    ),
    answers: {
      '200': jsonAnswer('The operations', {
        allOf: [ref('Answer'), { properties: { details: { type: 'array', items: ref('BatchOperation') } } }],
      }),
      ...failures('Answer', '404'),
    },
    async handle(exchange) {
      const { response, parameters, query } = exchange;
      const { limit, after, state, reason, cpeid } = query;
      const scope = scopeOf(exchange);
      const { id: batch } = await findBatch(batches, parameters.id, scope);
      const filter = {
        batch,
        ...(state !== undefined && { states: [state] }),
        ...(reason !== undefined && { reason }),
        ...(cpeid !== undefined && { cpeid: cpeid as CpeId }),
        ...(after !== undefined && { after: placeOf(after) }),
      };
      const views: JsonObject[] = [];
      let last: OperationPlace | null = null;
      for await (const operation of operations.scan(filter, reading.turn(exchange))) {
        if (views.length === limit && last !== null) {
          tellNext(exchange, last);
          break;
        }
        views.push(operationView(operation, scope));
        last = operation;
      }
      response.json(dialect.answer(200, views));
    },
  });
}

/** `POST /v1/batches/{id}/operations/{cpeid}/cancel` */
export function cancelOneRoute({ batches, operations }: BatchParts): Route {
  return route({
    method: 'POST',
    path: `${BATCH_PATH}/operations/{cpeid}/cancel`,
    parameters: [ID, CPEID],
    role: 'operator',
    concerns: 'organizations',
    operationId: 'cancelBatchOperation',
    summary: 'Cancels a batch for one CPE',
    description:
      'What waits is withdrawn. One whose Download was sent stays `running` and is asked to give it up (CancelTransfer) in its next session; refused (409) once it has the file, or where it has ended.',
    query: closedQuery(),
    answers: {
      '200': jsonAnswer('The operation', {
        allOf: [ref('Answer'), { properties: { details: ref('BatchOperation') } }],
      }),
      ...failures('Answer', '404', '409', '507'),
    },
    async handle(exchange) {
      const { response, parameters } = exchange;
      const scope = scopeOf(exchange);
      const batch = await findBatch(batches, parameters.id, scope);
      await batches.cancelOne(operationIdOf(batch.id, parameters.cpeid as CpeId), actorOf(exchange));
      const operation = await operations.of(batch.id, parameters.cpeid as CpeId);
      if (operation === null) throw new ApiError(404);
      response.json(dialect.answer(200, operationView(operation, scope)));
    },
  });
}
