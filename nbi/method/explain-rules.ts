import {
  CpeDescriptionError,
  type DescribedCpe,
  type Devices,
  describedCpe,
  type Moment,
} from '../../acs/index.js';
import type { Clock, CpeId, RuleId } from '../../common/index.js';
import { explainFor } from '../../rollout/index.js';
import type { RuleExplanation, Rules } from '../../rules/index.js';
import { ApiError, invalid, type JsonObject, type MethodAnswer, shortJson } from '../http/index.js';
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

export interface ExplainParts {
  readonly rules: Rules;
  readonly devices: Devices;
  readonly clock: Clock;
}

const FIELDS = ['cpe_id', 'cpe', 'rules', 'rule', 'requested', 'now', 'limit'];
const RULES_LISTED_MAX = 1_000;
const RULES_NAMED_MAX = 100;

/**
 * Tells what would be decided for a CPE, known or described, and what became of each rule. Changes nothing.
 * @throws ApiError 400, 403 a viewer's draft, 404 no such CPE or rule
 */
export async function explainRules(
  body: JsonObject,
  { rules, devices, clock }: ExplainParts,
  user: User | null,
): Promise<MethodAnswer> {
  checkFields(body, FIELDS);
  const { rule: draft } = body;
  if (draft !== undefined) requireOperator(user, 'rule');
  const ids = namedRules(body['rules']);
  const limit = wholeNumber(body['limit'], 'limit', RULES_LISTED_MAX, RULES_LISTED_MAX);
  const cpe = await describe(body, devices, momentOf(body, clock));
  const explanation = await within('rule', () =>
    explainFor(rules, cpe, {
      limit,
      ...(ids === null ? {} : { ids }),
      ...(draft === undefined ? {} : { draft }),
    }),
  );
  const { cpeid, softwareVersion } = cpe.input.context;
  const { kind, winner = null, reason, reads, inFlight, omitted } = explanation;
  return {
    code: 200,
    message: 'OK',
    details: {
      cpeid,
      softwareVersion,
      kind,
      winner,
      reason,
      reads,
      upgrade: inFlight,
      rules: explanation.rules.map(ruleView),
      omitted,
    },
  };
}

async function describe(body: JsonObject, devices: Devices, moment: Moment): Promise<DescribedCpe> {
  if (onlyOneOf(body, ['cpe_id', 'cpe']) === 'cpe') {
    return described(body['cpe'], moment);
  }
  const cpeid = idOf(body['cpe_id'], 'cpe_id', 'the id of a CPE');
  const known = await devices.describe(cpeid as CpeId, moment);
  if (known !== null) return known;
  const expected = 'a CPE that is known; describe one in cpe instead';
  throw new ApiError(404, [{ field: 'cpe_id', expected, found: shortJson(cpeid) }]);
}

async function described(cpe: unknown, moment: Moment): Promise<DescribedCpe> {
  try {
    return await describedCpe({ cpe }, moment);
  } catch (error) {
    if (!(error instanceof CpeDescriptionError)) throw error;
    throw new ApiError(
      400,
      error.problems.map(({ path: _, ...problem }) => problem),
    );
  }
}

function namedRules(named: unknown): readonly RuleId[] | null {
  if (named === undefined) return null;
  if (!Array.isArray(named) || named.length === 0 || named.length > RULES_NAMED_MAX) {
    throw invalid('rules', `an array of 1 to ${RULES_NAMED_MAX} ids`, named);
  }
  const ids: readonly unknown[] = named;
  return ids.map((id) => idOf(id, 'rules', 'the id of a rule') as RuleId);
}

function ruleView({ ruleId, verdict, detail, priority, conjuncts }: RuleExplanation): JsonObject {
  return { id: ruleId, verdict, detail, priority, conjuncts };
}
