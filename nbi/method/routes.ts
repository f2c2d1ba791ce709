import type { Response } from 'express';
import type { Rules } from '../../rules/index.js';
import { type MethodAnswer, methodDialect, type Route, readJsonObject } from '../http/index.js';
import { freezeAnswer, freezeUpgrades } from './freeze-upgrades.js';
import { restartRule } from './restart-rule.js';
import { type SendCnrParts, sendCnr } from './send-cnr.js';

export interface MethodParts extends SendCnrParts {
  readonly rules: Rules;
}

/** `/v1/method/{name}`: what is done rather than stored. */
export function methodRoutes(parts: MethodParts): Route[] {
  const { rules, limits } = parts;
  const dialect = methodDialect;
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
  ];
}

/** The HTTP status says the same as the body's code. */
function send(response: Response, answer: MethodAnswer): void {
  response.status(answer.code).json(methodDialect.answer(answer));
}
