import type { RuleId } from '../../common/index.js';
import type { Actor } from '../../events/index.js';
import { askedIdIn, type Rules } from '../../rules/index.js';
import {
  actorOf,
  failures,
  invalid,
  isObject,
  type JsonObject,
  jsonAnswer,
  noSuchRules,
  objectBody,
  type Route,
  ref,
  route,
  scopeOf,
} from '../http/index.js';
import { FILTER_VALUES_MAX } from '../limits.js';
import { type MethodAnswer, OK, sendAnswer } from './dialect.js';

/** `POST /v1/method/RestartRule` */
export function restartRuleRoute(rules: Rules): Route {
  return route({
    method: 'POST',
    path: '/v1/method/RestartRule',
    role: 'operator',
    concerns: 'organizations',
    operationId: 'restartRule',
    summary: 'Forgets what was counted against rules, so that they upgrade their CPEs again',
    body: objectBody({
      properties: {
        id: { oneOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
        search_options: { type: 'object' },
      },
      example: { id: 'UPGRADE_00A1B2-HGW-1' },
    }),
    answers: {
      '200': jsonAnswer('Restarted', ref('MethodAnswer'), OK),
      ...failures('MethodAnswer', '404', '413', '415', '507'),
    },
    async handle(exchange) {
      const organization = scopeOf(exchange).organization?.id;
      const options = { by: actorOf(exchange), organization };
      sendAnswer(exchange.response, await restartRule(await exchange.body(), rules, options));
    },
  });
}

/**
 * Forgets what was counted against rules, so that they upgrade their CPEs again.
 * @param options  `organization`: whose rules they are; undefined: the installation's own
 * @throws ApiError 400 without an id, 404 where any of them does not exist (then none is restarted)
 */
async function restartRule(
  body: JsonObject,
  rules: Rules,
  { by, organization }: { readonly by: Actor; readonly organization: string | undefined },
): Promise<MethodAnswer> {
  const ids: RuleId[] = [];
  const missing: string[] = [];
  for (const asked of ruleIds(body)) {
    const id = askedIdIn(organization, asked);
    if (id === null || (await rules.get(id)) === null) missing.push(asked);
    else ids.push(id);
  }
  if (missing.length > 0) throw noSuchRules(missing);
  await rules.restart(ids, by);
  return { code: 200, message: 'OK' };
}

/** The ids come by one of two names, and stand in the body or in its search_options: what is wrong depends on which. */
function ruleIds(body: JsonObject): readonly string[] {
  const { search_options: options, ...direct } = body;
  if (options !== undefined && (!isObject(options) || Object.keys(direct).length > 0)) {
    throw invalid('search_options', 'an object with id, and nothing beside it', options);
  }
  const named = isObject(options) ? options : direct;
  for (const name of Object.keys(named)) {
    if (name !== 'id' && name !== 'campaignid') throw invalid(name.slice(0, 100), 'only id (or campaignid)');
  }
  const id = named['id'] ?? named['campaignid'];
  const ids: readonly unknown[] = Array.isArray(id) ? id : [id];
  const strings = ids.filter((each) => typeof each === 'string' && each !== '');
  if (
    ids.length === 0 ||
    strings.length < ids.length ||
    ids.length > FILTER_VALUES_MAX ||
    Object.keys(named).length > 1
  ) {
    throw invalid('id', `the id of a rule, or an array of 1 to ${FILTER_VALUES_MAX}`, id ?? null);
  }
  return [...new Set(strings)].map(String);
}
