import type { CpeCredentials } from '../../acs/index.js';
import { SECOND_MS } from '../../common/index.js';
import type { Rules } from '../../rules/index.js';
import { type Api, type Authentication, Places } from '../http/index.js';
import type { Users } from '../users/index.js';
import { type ApproveParts, approveDevicesRoute } from './approve-devices.js';
import { changePasswordRoute } from './change-password.js';
import { type CollectParts, collectImagesRoute } from './collect-images.js';
import { methodDialect } from './dialect.js';
import { type ExplainParts, explainRulesRoute } from './explain-rules.js';
import { freezeRoutes } from './freeze-upgrades.js';
import { matchDevicesRoute } from './match-devices.js';
import { readmitDeviceRoute } from './readmit-device.js';
import { restartRuleRoute } from './restart-rule.js';
import { type SendCnrParts, sendCnrRoute } from './send-cnr.js';

export interface MethodParts extends SendCnrParts, ExplainParts, ApproveParts, CollectParts {
  readonly rules: Rules;
  readonly credentials: CpeCredentials;
  readonly users: Users;
}

const RETRY_EXPLANATION_SECONDS = 1;
const RETRY_SEARCH_SECONDS = 10;
const RETRY_PASSWORD_SECONDS = 1;
const PASSWORDS_AT_A_TIME = 2;

/** `/v1/method/{name}`: what is done rather than stored. */
export function methodApi(parts: MethodParts, authentication: Authentication): Api {
  const { rules, users, limits } = parts;
  const explanations = new Places({
    what: 'explanations',
    // Half of them, so that nobody keeps everybody else waiting.
    perClientMax: Math.ceil(limits.explanationsAtATime / 2),
    totalMax: limits.explanationsAtATime,
    retryAfterSeconds: RETRY_EXPLANATION_SECONDS,
  });
  const searches = new Places({
    what: 'searches',
    perClientMax: 1,
    totalMax: limits.searchesAtATime,
    retryAfterSeconds: RETRY_SEARCH_SECONDS,
  });
  // Two hashes each, of a second's work together on a slow machine.
  const passwords = new Places({
    what: 'changes of passwords',
    perClientMax: 1,
    totalMax: PASSWORDS_AT_A_TIME,
    waiting: { perClientMax: limits.requestsPerClientMax, msMax: limits.waitSecondsMax * SECOND_MS },
    retryAfterSeconds: RETRY_PASSWORD_SECONDS,
  });
  const routes = [
    sendCnrRoute(parts),
    restartRuleRoute(rules),
    approveDevicesRoute(parts),
    ...freezeRoutes(rules),
    explainRulesRoute(parts, explanations),
    matchDevicesRoute(parts, searches),
    readmitDeviceRoute(parts),
    changePasswordRoute(users, passwords),
    collectImagesRoute(parts),
  ];
  return {
    name: 'method',
    description: 'What is done at once rather than stored: asking CPEs to come, explaining rules, the brake.',
    // A name that no method has is nobody's.
    prefixes: routes.map(({ path }) => path),
    slashes: 'either',
    authentication,
    dialect: methodDialect,
    routes,
    placesInUse: { explanations: () => explanations.taken, searches: () => searches.taken },
  };
}
