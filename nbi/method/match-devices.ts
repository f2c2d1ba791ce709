import type { Devices } from '../../acs/index.js';
import { type Clock, type CpeId, type RuleId, SECOND_MS } from '../../common/index.js';
import { type MatchedCpe, matchDevices } from '../../rollout/index.js';
import type { MatchTarget, Rules } from '../../rules/index.js';
import type { JsonObject, MethodAnswer } from '../http/index.js';
import type { NbiLimits } from '../limits.js';
import type { User } from '../users/index.js';
import {
  checkFields,
  idOf,
  momentOf,
  onlyOneOf,
  requireOperator,
  wholeNumber,
  within,
} from './rule-request.js';

export interface MatchParts {
  readonly rules: Rules;
  readonly devices: Devices;
  readonly clock: Clock;
  readonly limits: NbiLimits;
}

const FIELDS = ['rule_id', 'rule', 'condition', 'limit', 'after', 'timeout', 'requested', 'now'];
const LISTED = 100;

/**
 * Counts and lists the known CPEs that a rule would upgrade, as though it were enabled. Changes nothing.
 * @param isWanted  false once nobody waits for the answer: then no further CPE is looked at
 * @throws ApiError 400, 403 a viewer's draft, 404 no such rule
 */
export async function matchRule(
  body: JsonObject,
  { rules, devices, clock, limits }: MatchParts,
  user: User | null,
  isWanted: () => boolean,
): Promise<MethodAnswer> {
  checkFields(body, FIELDS);
  const { searchMsMax, cpesListedMax } = limits;
  const listedMax = wholeNumber(body['limit'], 'limit', Math.min(LISTED, cpesListedMax), cpesListedMax);
  const secondsMax = Math.floor(searchMsMax / SECOND_MS);
  const timeoutMs = wholeNumber(body['timeout'], 'timeout', secondsMax, secondsMax) * SECOND_MS;
  const after = body['after'] === undefined ? null : idOf(body['after'], 'after', 'the id of a CPE');
  const moment = momentOf(body, clock);
  const match = await takeUp(body, rules, user);
  const known = await devices.count();
  const deadlineMs = clock() + timeoutMs;
  const report = await matchDevices(devices, {
    match,
    listedMax,
    ...moment,
    ...(after === null ? {} : { after: after as CpeId }),
    isOver: () => clock() >= deadlineMs || !isWanted(),
  });
  return {
    code: 200,
    message: 'OK',
    details: {
      id: match.rule?.id ?? null,
      as_though_enabled: match.rule === null ? undefined : !match.rule.enabled,
      limits: match.rule?.limits,
      known,
      looked_at: report.lookedAt,
      matching: report.matching,
      would_upgrade_now: match.rule === null ? undefined : report.wouldUpgradeNow,
      verdicts: report.verdicts,
      cpes: report.cpes.map(cpeView),
      errors: report.errors.map(cpeView),
      next: report.next,
    },
  };
}

async function takeUp(body: JsonObject, rules: Rules, user: User | null) {
  const field = onlyOneOf(body, ['rule_id', 'rule', 'condition']);
  if (field !== 'rule_id') requireOperator(user, field);
  // A problem with a condition says itself that it is one.
  return within(field === 'rule' ? field : '', () => rules.match(targetOf(field, body[field])));
}

function targetOf(field: 'rule_id' | 'rule' | 'condition', value: unknown): MatchTarget {
  if (field === 'rule_id') return { ruleId: idOf(value, field, 'the id of a rule') as RuleId };
  return field === 'rule' ? { draft: value } : { condition: value };
}

function cpeView({ cpeid, softwareVersion, verdict, detail }: MatchedCpe): JsonObject {
  return { cpeid, softwareVersion, verdict, detail };
}
