import type { Response } from 'express';
import type { Rules } from '../../rules/index.js';
import { type MethodAnswer, methodDialect, type Route, readJsonObject } from '../http/index.js';
import { type ExplainParts, explainRules } from './explain-rules.js';
import { freezeAnswer, freezeUpgrades } from './freeze-upgrades.js';
import { matchRule } from './match-devices.js';
import { restartRule } from './restart-rule.js';
import { type SendCnrParts, sendCnr } from './send-cnr.js';
import { Slots } from './slots.js';

export interface MethodParts extends SendCnrParts, ExplainParts {
  readonly rules: Rules;
}

const RETRY_EXPLANATION_SECONDS = 1;
const RETRY_SEARCH_SECONDS = 10;

/** `/v1/method/{name}`: what is done rather than stored. */
export function methodRoutes(parts: MethodParts): Route[] {
  const { rules, limits } = parts;
  const dialect = methodDialect;
  const explanations = new Slots({
    what: 'explanations',
    perUserMax: limits.explanationsAtATime,
    totalMax: limits.explanationsAtATime,
    retryAfterSeconds: RETRY_EXPLANATION_SECONDS,
  });
  const searches = new Slots({
    what: 'searches',
    perUserMax: 1,
    totalMax: limits.searchesAtATime,
    retryAfterSeconds: RETRY_SEARCH_SECONDS,
  });
  return [
    {
      method: 'post',
      path: '/v1/method/SendCNR',
      role: 'operator',
      dialect,
      async handle({ request, response }) {
        const body = await readJsonObject(request, limits);
        send(response, await sendCnr(body, parts, () => !response.closed));
      },
    },
    {
      method: 'post',
      path: '/v1/method/RestartRule',
      role: 'operator',
      dialect,
      async handle({ request, response }) {
        send(response, await restartRule(await readJsonObject(request, limits), rules));
      },
    },
    {
      method: 'get',
      path: '/v1/method/FreezeUpgrades',
      role: 'viewer',
      dialect,
      async handle({ response }) {
        send(response, freezeAnswer(await rules.freezeState()));
      },
    },
    {
      method: 'post',
      path: '/v1/method/FreezeUpgrades',
      role: 'operator',
      dialect,
      async handle({ request, response, user }) {
        send(response, await freezeUpgrades(await readJsonObject(request, limits), rules, user?.name ?? ''));
      },
    },
    {
      method: 'post',
      path: '/v1/method/ExplainRules',
      role: 'viewer',
      dialect,
      async handle({ request, response, user }) {
        const body = await readJsonObject(request, limits);
        send(response, await explanations.run(user?.name ?? '', () => explainRules(body, parts, user)));
      },
    },
    {
      method: 'post',
      path: '/v1/method/MatchDevices',
      role: 'viewer',
      dialect,
      async handle({ request, response, user }) {
        const body = await readJsonObject(request, limits);
        const isWanted = () => !response.closed;
        send(response, await searches.run(user?.name ?? '', () => matchRule(body, parts, user, isWanted)));
      },
    },
  ];
}

/** The HTTP status says the same as the body's code. */
function send(response: Response, answer: MethodAnswer): void {
  response.status(answer.code).json(methodDialect.answer(answer));
}
