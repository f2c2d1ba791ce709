import { SECOND_MS } from '../../common/index.js';
import type { FreezeState, Rules } from '../../rules/index.js';
import { actorOf, failures, jsonAnswer, objectBody, type Route, ref, route, scopeOf } from '../http/index.js';
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
      description:
        'Of an organization: whether those of its CPEs are, by the installation, which goes first, or by itself.',
      answers: { '200': jsonAnswer('The state', ref('MethodAnswer')), ...failures('MethodAnswer') },
      async handle(exchange) {
        const { organization } = scopeOf(exchange);
        sendAnswer(exchange.response, freezeAnswer(await rules.freezeState(organization?.id)));
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
      description:
        'An organization pulls and lifts a brake of its own, for its CPEs; it is answered by what holds for these then. That of the installation is for all.',
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
        const { organization } = scopeOf(exchange);
        const state = await rules.freeze({
          frozen,
          by: actorOf(exchange),
          ...(reason === undefined ? {} : { reason }),
          ...(organization !== null && { organization: organization.id }),
        });
        // While the installation brakes for all, what an organization says of its own changes nothing yet.
        const holds = organization === null ? state : await rules.freezeState(organization.id);
        sendAnswer(exchange.response, freezeAnswer(holds));
      },
    }),
  ];
}

/** `since` is in epoch seconds. */
function freezeAnswer({ frozen, by, reason, sinceMs }: FreezeState): MethodAnswer {
  const since = sinceMs === undefined ? undefined : Math.floor(sinceMs / SECOND_MS);
  return { code: 200, message: 'OK', details: { frozen, by, reason, since } };
}
