import { SECOND_MS } from '../../common/index.js';
import type { FreezeState, Rules } from '../../rules/index.js';
import { actorOf, failures, jsonAnswer, objectBody, type Route, ref, route } from '../http/index.js';
import { type MethodAnswer, sendAnswer } from './dialect.js';

const PATH = '/v1/method/FreezeUpgrades';
const REASON_CHARACTERS_MAX = 1_000;

/** `/v1/method/FreezeUpgrades`: the emergency brake. */
export function freezeRoutes(rules: Rules): Route[] {
  return [
    route({
      method: 'GET',
      path: PATH,
      role: 'viewer',
      concerns: 'organizations',
      reserved: true,
      operationId: 'freezeState',
      summary: 'Tells whether upgrades are frozen',
      answers: { '200': jsonAnswer('The state', ref('MethodAnswer')), ...failures('MethodAnswer') },
      async handle({ response }) {
        sendAnswer(response, freezeAnswer(await rules.freezeState()));
      },
    }),
    route({
      method: 'POST',
      path: PATH,
      role: 'operator',
      concerns: 'organizations',
      reserved: true,
      operationId: 'freezeUpgrades',
      summary: 'The emergency brake: while upgrades are frozen no Download is sent',
      body: objectBody({
        required: ['frozen'],
        properties: {
          frozen: { type: 'boolean', default: null, untold: ['default'], expected: 'true or false' },
          reason: {
            type: 'string',
            maxLength: REASON_CHARACTERS_MAX,
            expected: `a string of at most ${REASON_CHARACTERS_MAX} characters`,
          },
        },
        others: 'only frozen and reason',
        example: { frozen: true, reason: 'hgw-2.0.0 loses its configuration' },
      }),
      answers: {
        '200': jsonAnswer('The state from now on', ref('MethodAnswer')),
        ...failures('MethodAnswer', '413', '415', '507'),
      },
      async handle(exchange) {
        const { frozen, reason } = await exchange.body();
        const by = actorOf(exchange);
        const state = await rules.freeze({ frozen, by, ...(reason === undefined ? {} : { reason }) });
        sendAnswer(exchange.response, freezeAnswer(state));
      },
    }),
  ];
}

/** `since` is in epoch seconds. */
function freezeAnswer({ frozen, by, reason, sinceMs }: FreezeState): MethodAnswer {
  const since = sinceMs === undefined ? undefined : Math.floor(sinceMs / SECOND_MS);
  return { code: 200, message: 'OK', details: { frozen, by, reason, since } };
}
