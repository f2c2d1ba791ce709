import type { Devices } from '../../acs/index.js';
import {
  type Clock,
  type CpeId,
  type MonotonicClock,
  monotonicClock,
  SECOND_MS,
} from '../../common/index.js';
import type { Organization } from '../../organizations/index.js';
import { knownCpes, type MatchedCpe, matchDevices, ruleAskedFor } from '../../rollout/index.js';
import { type Rules, writtenId } from '../../rules/index.js';
import {
  type Exchange,
  failures,
  type JsonObject,
  jsonAnswer,
  objectBody,
  type Places,
  type Reading,
  type Route,
  ref,
  route,
  type Scope,
  scopeOf,
} from '../http/index.js';
import type { NbiLimits } from '../limits.js';
import { type MethodAnswer, methodDialect, sendAnswer } from './dialect.js';
import {
  detailsSchema,
  idSchema,
  MOMENT_PROPERTIES,
  momentOf,
  OPERATORS_ONLY,
  wholeNumber,
  within,
} from './rule-request.js';

export interface MatchParts {
  readonly rules: Rules;
  readonly devices: Devices;
  readonly clock: Clock;
  /** For how long a search has taken; this process's own unless told. */
  readonly monotonic?: MonotonicClock;
  readonly limits: NbiLimits;
  readonly reading: Reading;
}

const LISTED = 100;

/** The body, within the limits of this process. */
function bodyOf({ searchMsMax, cpesListedMax }: NbiLimits) {
  const secondsMax = Math.floor(searchMsMax / SECOND_MS);
  const properties = {
    rule_id: idSchema('the id of a rule'),
    rule: ref('Rule'),
    condition: { type: ['string', 'object'] },
    limit: {
      ...wholeNumber(cpesListedMax, Math.min(LISTED, cpesListedMax)),
      description: 'CPEs listed.',
    },
    after: { ...idSchema('the id of a CPE'), description: 'A cpeid: look only at those behind it.' },
    timeout: { ...wholeNumber(secondsMax, secondsMax), description: 'Seconds.' },
    ...MOMENT_PROPERTIES,
  } as const;
  return objectBody({
    oneOf: ['rule_id', 'rule', 'condition'],
    properties,
    checked: ['limit', 'timeout', 'after', 'requested', 'now', 'rule_id', 'rule', 'condition'],
    roles: { rule: OPERATORS_ONLY, condition: OPERATORS_ONLY },
    others: `only ${Object.keys(properties).join(', ')}`,
    example: { rule_id: 'UPGRADE_00A1B2-HGW-1' },
  });
}

type Request = Awaited<ReturnType<ReturnType<typeof bodyOf>['read']>>;

/** `POST /v1/method/MatchDevices` */
export function matchDevicesRoute(parts: MatchParts, places: Places): Route {
  return route({
    method: 'POST',
    path: '/v1/method/MatchDevices',
    role: 'viewer',
    concerns: 'organizations',
    operationId: 'matchDevices',
    summary: 'Counts and lists the known CPEs that a rule would upgrade now, as though it were enabled',
    description:
      'For a stored rule (rule_id), one that is not (rule), or a condition alone. Changes nothing. Of an organization it is held against its CPEs alone. Rules and conditions that are not stored take the role operator. A user may have one search under way.',
    body: bodyOf(parts.limits),
    answers: {
      '200': jsonAnswer('The CPEs', detailsSchema(ref('MatchReport')), EXAMPLE),
      ...failures('MethodAnswer', '404', '413', '415'),
    },
    async handle(exchange) {
      const { response, user, over, body } = exchange;
      const request = await body();
      const by = { user, over, scope: scopeOf(exchange) };
      sendAnswer(response, await places.run(user?.name ?? '', over, () => matchRule(request, parts, by)));
    },
  });
}

const EXAMPLE = methodDialect.answer({
  code: 200,
  message: 'OK',
  details: {
    id: 'UPGRADE_00A1B2-HGW-1',
    as_though_enabled: false,
    known: 0,
    looked_at: 0,
    matching: 0,
    would_upgrade_now: 0,
    verdicts: {},
    cpes: [],
    errors: [],
    next: null,
  },
});

/**
 * Counts and lists the known CPEs that a rule would upgrade, as though it were enabled. Changes nothing.
 * @param by  whose rule and CPEs it is about, and whose turn it is; once nobody waits for the answer no further CPE is looked at
 * @throws ApiError 400, 404 no such rule
 */
async function matchRule(
  request: Request,
  { rules, devices, clock, monotonic = monotonicClock, reading }: MatchParts,
  by: Pick<Exchange, 'user' | 'over'> & { readonly scope: Scope },
): Promise<MethodAnswer> {
  const { organization, organizations } = by.scope;
  const { limit: listedMax, after, timeout } = request;
  const moment = momentOf(request, clock);
  const match = await takeUp(request, rules, organization);
  const known = await knownCpes(devices, organization, organizations);
  const deadlineMs = monotonic() + timeout * SECOND_MS;
  const report = await matchDevices(devices, {
    match,
    organization,
    listedMax,
    ...moment,
    ...(after === undefined ? {} : { after: after as CpeId }),
    isOver: () => monotonic() >= deadlineMs || by.over.aborted,
    turn: reading.turn(by),
  });
  return {
    code: 200,
    message: 'OK',
    details: {
      id: match.rule === null ? null : writtenId(match.rule.id),
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

function takeUp(
  { rule_id: ruleId, rule: draft, condition }: Request,
  rules: Rules,
  organization: Organization | null,
) {
  const asking = organization === null ? {} : { organization: organization.id };
  if (ruleId !== undefined) return rules.match({ ruleId: ruleAskedFor(organization, ruleId), ...asking });
  if (draft !== undefined) return within('rule', () => rules.match({ draft, ...asking }));
  // A problem with a condition says itself that it is one.
  return within('', () => rules.match({ condition, ...asking }));
}

function cpeView({ cpeid, softwareVersion, verdict, detail }: MatchedCpe): JsonObject {
  return { cpeid, softwareVersion, verdict, detail };
}
