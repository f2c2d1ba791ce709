import {
  CpeDescriptionError,
  type DescribedCpe,
  type Devices,
  describedCpe,
  type Moment,
} from '../../acs/index.js';
import type { Clock, CpeId } from '../../common/index.js';
import { explainFor, ruleNameOf, rulesAskedFor } from '../../rollout/index.js';
import { CPE_SCHEMA, type RuleExplanation, type Rules, writtenId } from '../../rules/index.js';
import { idsMeant } from '../dyn/index.js';
import {
  ApiError,
  failures,
  type JsonObject,
  jsonAnswer,
  objectBody,
  type Places,
  type Route,
  ref,
  route,
  type Scope,
  scopeOf,
  shortJson,
} from '../http/index.js';
import { type MethodAnswer, sendAnswer } from './dialect.js';
import {
  detailsSchema,
  idSchema,
  MOMENT_PROPERTIES,
  momentOf,
  OPERATORS_ONLY,
  wholeNumber,
  within,
} from './rule-request.js';

export interface ExplainParts {
  readonly rules: Rules;
  readonly devices: Devices;
  readonly clock: Clock;
}

const RULES_LISTED_MAX = 1_000;
const RULES_NAMED_MAX = 100;

const PROPERTIES = {
  cpe_id: idSchema('the id of a CPE, or a serial number'),
  cpe: CPE_SCHEMA,
  rules: {
    type: 'array',
    items: idSchema('the id of a rule'),
    minItems: 1,
    maxItems: RULES_NAMED_MAX,
    description: 'List these only; the winner is looked for among all.',
    expected: `an array of 1 to ${RULES_NAMED_MAX} ids`,
  },
  rule: { ...ref('Rule'), description: 'Considered as if it were stored.' },
  ...MOMENT_PROPERTIES,
  limit: wholeNumber(RULES_LISTED_MAX, RULES_LISTED_MAX),
} as const;

const BODY = objectBody({
  oneOf: ['cpe_id', 'cpe'],
  properties: PROPERTIES,
  checked: ['rule', 'rules', 'limit', 'requested', 'now', 'cpe_id'],
  roles: { rule: OPERATORS_ONLY },
  others: `only ${Object.keys(PROPERTIES).join(', ')}`,
  example: {
    cpe: {
      productClass: 'HGW',
      softwareVersion: '1.0.0',
      parameters: { 'Device.Users.UserNumberOfEntries': 1 },
    },
    rules: ['x'],
  },
});

type Request = Awaited<ReturnType<typeof BODY.read>>;

/** `POST /v1/method/ExplainRules` */
export function explainRulesRoute(parts: ExplainParts, places: Places): Route {
  return route({
    method: 'POST',
    path: '/v1/method/ExplainRules',
    role: 'viewer',
    concerns: 'organizations',
    operationId: 'explainRules',
    summary: 'Tells what would be decided for a CPE now, and what became of each rule',
    description:
      'For a CPE that is known (cpe_id), as if it sent a periodic Inform now, or for one that is described (cpe). Changes nothing. A rule that is not stored takes the role operator. An organization is told of its own rules, and which of the installation hold.',
    body: BODY,
    answers: {
      '200': jsonAnswer('The explanation', detailsSchema(ref('Explanation'))),
      ...failures('MethodAnswer', '404', '409', '413', '415'),
    },
    async handle(exchange) {
      const { response, user, over, body } = exchange;
      const request = await body();
      const scope = scopeOf(exchange);
      sendAnswer(
        response,
        await places.run(user?.name ?? '', over, () => explainRules(request, parts, scope)),
      );
    },
  });
}

/**
 * Tells what would be decided for a CPE, known or described, and what became of each rule. Changes nothing.
 * @throws ApiError 400, 404 no such CPE or rule
 */
async function explainRules(
  request: Request,
  { rules, devices, clock }: ExplainParts,
  scope: Scope,
): Promise<MethodAnswer> {
  const { rule: draft, rules: named, limit } = request;
  const { organization } = scope;
  const cpe = await describe(request, devices, momentOf(request, clock), scope);
  const ids = named && (await rulesAskedFor(rules, organization, named, cpe.input));
  const explanation = await within('rule', () =>
    explainFor(rules, cpe, {
      limit,
      ...(ids === undefined ? {} : { ids }),
      ...(draft === undefined ? {} : { draft }),
      ...(organization !== null && { organization: organization.id }),
    }),
  );
  const { cpeid, softwareVersion } = cpe.input.context;
  const { kind, winner, reason, reads, inFlight, omitted } = explanation;
  return {
    code: 200,
    message: 'OK',
    details: {
      cpeid,
      softwareVersion,
      kind,
      winner: winner === undefined ? null : writtenId(winner),
      reason,
      reads,
      upgrade: inFlight,
      rules: explanation.rules.map((rule) => ruleView(rule, scope)),
      omitted,
    },
  };
}

async function describe(
  { cpe_id: cpeid, cpe }: Pick<Request, 'cpe_id' | 'cpe'>,
  devices: Devices,
  moment: Moment,
  scope: Scope,
): Promise<DescribedCpe> {
  if (cpeid === undefined) return described(cpe, moment, scope, devices);
  const known = await knownAs(devices, scope, cpeid, moment);
  const isTheirs = scope.organization === null || known?.input.organization === scope.organization.id;
  if (known !== null && isTheirs) return known;
  const expected = 'a CPE that is known; describe one in cpe instead';
  throw new ApiError(404, [{ field: 'cpe_id', expected, found: shortJson(cpeid) }]);
}

async function knownAs(
  devices: Devices,
  scope: Scope,
  name: string,
  moment: Moment,
): Promise<DescribedCpe | null> {
  for (const id of await idsMeant(devices, scope, [name])) {
    const known = await devices.describe(id as CpeId, moment);
    if (known !== null) return known;
  }
  return null;
}

async function described(
  cpe: unknown,
  moment: Moment,
  belonging: Scope,
  { cpeIdentity }: Devices,
): Promise<DescribedCpe> {
  try {
    return await describedCpe({ cpe }, moment, { belonging, cpeIdentity });
  } catch (error) {
    if (!(error instanceof CpeDescriptionError)) throw error;
    throw new ApiError(
      400,
      error.problems.map(({ path: _, ...problem }) => problem),
    );
  }
}

function ruleView(
  { ruleId, verdict, detail, priority, conjuncts, warning }: RuleExplanation,
  { organization: asking, organizations }: Scope,
): JsonObject {
  const { id, organization, of } = ruleNameOf(ruleId, asking, organizations);
  return of === undefined
    ? { id, verdict, detail, priority, conjuncts, warning, organization }
    : { id, verdict, priority, of };
}
