import type { CpeId } from '../../common/index.js';
import { operationIdOf } from '../../rollout/index.js';
import {
  actorOf,
  announcedBody,
  closedQuery,
  failures,
  jsonAnswer,
  objectBody,
  type Route,
  ref,
  route,
  scopeOf,
} from '../http/index.js';
import { BATCH_PATH, type BatchParts, batchAnswer, detailedView, dialect, findBatch, ID } from './batch.js';

const TEXT_CHARACTERS_MAX = 512;
const text = (what: string, description: string) =>
  ({
    type: 'string',
    minLength: 1,
    maxLength: TEXT_CHARACTERS_MAX,
    untold: ['minLength', 'maxLength'],
    expected: `${what}, of at most ${TEXT_CHARACTERS_MAX} characters`,
    description,
  }) as const;

/** `POST /v1/batches/{id}/cancel` */
export function cancelRoute(parts: BatchParts): Route {
  return route({
    method: 'POST',
    path: `${BATCH_PATH}/cancel`,
    parameters: [ID],
    role: 'operator',
    concerns: 'organizations',
    operationId: 'cancelBatch',
    summary: 'Cancels a batch: nothing more of it is sent once this has answered',
    description:
      'CPEs that wait become `cancelled`, which may take a moment. What is under way goes on; CPEs that have not begun are asked to give it up (CancelTransfer) in their next session. Of one that is cancelled already nothing changes.',
    query: closedQuery(),
    answers: { '200': batchAnswer('Cancelled'), ...failures('Answer', '404', '507') },
    async handle(exchange) {
      const scope = scopeOf(exchange);
      const { id } = await findBatch(parts.batches, exchange.parameters.id, scope);
      const cancelled = await parts.batches.cancel(id, actorOf(exchange));
      exchange.response.json(dialect.answer(200, await detailedView(parts, cancelled, scope)));
    },
  });
}

const RETRY_BODY = objectBody({
  properties: {
    reason: text('a reason, as GET tells it', 'Only CPEs that ended for this reason.'),
    cpeid: text('the id of a CPE', 'Only this one.'),
  },
  others: 'only reason, cpeid',
  example: { reason: 'fault-9010' },
});

/** `POST /v1/batches/{id}/retry` */
export function retryRoute({ batches }: BatchParts): Route {
  return route({
    method: 'POST',
    path: `${BATCH_PATH}/retry`,
    parameters: [ID],
    role: 'operator',
    concerns: 'organizations',
    operationId: 'retryBatch',
    summary: 'Starts again what has failed, timed out or was cancelled',
    description:
      'All of it, or what ended for a reason, or one CPE; without a body all. What was verified, skipped, runs or waits stays as it is. A batch that was cancelled goes on for these.',
    query: closedQuery(),
    body: RETRY_BODY,
    answers: {
      '200': jsonAnswer(
        'How many CPEs wait again',
        {
          allOf: [
            ref('Answer'),
            { properties: { details: { type: 'object', properties: { retried: { type: 'integer' } } } } },
          ],
        },
        dialect.answer(200, { retried: 12 }),
      ),
      ...failures('Answer', '404', '409', '413', '415', '507'),
    },
    async handle(exchange) {
      const { request, response, parameters, body } = exchange;
      const by = actorOf(exchange);
      const announced = announcedBody(request);
      const { reason, cpeid } = announced === null || announced.bytes === 0 ? NOTHING_SAID : await body();
      const { id } = await findBatch(batches, parameters.id, scopeOf(exchange));
      const filter = {
        ...(reason !== undefined && { reason }),
        ...(cpeid !== undefined && { operation: operationIdOf(id, cpeid as CpeId) }),
      };
      response.json(dialect.answer(200, { retried: await batches.retry(id, filter, by) }));
    },
  });
}

const NOTHING_SAID = { reason: undefined, cpeid: undefined };

/** `DELETE /v1/batches/{id}` */
export function deleteRoute({ batches }: BatchParts): Route {
  return route({
    method: 'DELETE',
    path: BATCH_PATH,
    parameters: [ID],
    role: 'operator',
    concerns: 'organizations',
    operationId: 'deleteBatch',
    summary: 'Cancels a batch, and deletes it with its rules and operations; the results of upgrades stay',
    description: 'Nobody sees it any more once this has answered. What is under way goes on to its end.',
    query: closedQuery(),
    answers: {
      '200': jsonAnswer('Deleted', ref('Answer'), dialect.answer(204, '')),
      ...failures('Answer', '404', '507'),
    },
    async handle(exchange) {
      const { id } = await findBatch(batches, exchange.parameters.id, scopeOf(exchange));
      await batches.remove(id, actorOf(exchange));
      exchange.response.json(dialect.answer(204, ''));
    },
  });
}
