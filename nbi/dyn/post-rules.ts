import type { Devices, Upgrades } from '../../acs/index.js';
import type { Clock } from '../../common/index.js';
import type { ImageLibrary } from '../../firmware/index.js';
import { RuleRevisions } from '../../rollout/index.js';
import {
  InvalidRuleError,
  RuleConflictError,
  type RuleProblem,
  type Rules,
  writtenId,
} from '../../rules/index.js';
import { StoreError } from '../../store/index.js';
import {
  ApiError,
  actorOf,
  type DynDialect,
  type Exchange,
  invalid,
  isObject,
  NDJSON,
  type Parameter,
  type Problem,
  parameterValue,
  type Reading,
  type RecordsBody,
  scopeOf,
  shortJson,
} from '../http/index.js';
import type { NbiLimits } from '../limits.js';
import { type BatchSink, type ItemRefusal, storeInBatches } from './bulk.js';
import { type IdPattern, parseIdPattern } from './id-pattern.js';
import { ownerProblemOf, ruleOfRow } from './rule-rows.js';
import { WrittenWarnings } from './written-warnings.js';

export const MORE_RULES = `send it in several requests, or as NDJSON (Content-Type: ${NDJSON}), or ask for a report while it is stored (Accept: ${NDJSON}): then there may be any number of rules`;

export const IF_NONE_MATCH = {
  name: 'If-None-Match',
  in: 'header',
  description: 'Only create',
  schema: { enum: ['*'], expected: '* (only create) or nothing' },
} as const satisfies Parameter;

export interface PostRulesParts {
  readonly rules: Rules;
  readonly devices: Devices;
  readonly upgrades: Upgrades;
  readonly images: ImageLibrary;
  readonly limits: NbiLimits;
  readonly reading: Reading;
  readonly clock: Clock;
}

/**
 * POST of rules. One rule, or an array, is stored as a whole and answered as a whole. NDJSON, and an array whose sender accepts
 * NDJSON, is stored batch by batch while it comes.
 * @throws ApiError, and what `Rules.put` throws
 */
export async function postRules(
  exchange: Exchange<'pattern', unknown, RecordsBody>,
  parts: PostRulesParts,
  dialect: DynDialect,
): Promise<void> {
  const { rules, devices, limits, reading, clock } = parts;
  const { request, response, parameters, body: read } = exchange;
  const pattern = parseIdPattern(parameters.pattern);
  const onlyNew = isOnlyNew(request.headers['if-none-match']);
  const scope = scopeOf(exchange);
  const organization = scope.organization?.id;
  const revisions = new RuleRevisions({ ...parts, organization: scope.organization });
  const options = {
    by: actorOf(exchange),
    onlyNew,
    ...(organization !== undefined && { organization }),
    beginningAnew: revisions.posted.bind(revisions),
  };
  const itemProblem = (each: unknown) => idProblemOf(each, pattern) ?? ownerProblemOf(each, scope);
  const warnings = new WrittenWarnings({
    rules,
    devices,
    clock,
    scope,
    revisions,
    turn: reading.turn(exchange),
  });
  const body = await read();
  if (body.kind === 'records') {
    await storeInBatches(
      {
        sink: sinkOf(rules, options, warnings),
        dialect,
        limits,
        itemProblem,
        unit: body.unit,
        splitter: body.splitter,
      },
      request,
      response,
    );
    return;
  }
  const { value } = body;
  const bodies: readonly unknown[] = Array.isArray(value) ? value : [value];
  const expected = `a rule, or an array of 1 to ${limits.itemsMax}`;
  if (bodies.length === 0) throw invalid('', expected, value);
  if (bodies.length > limits.itemsMax) {
    throw new ApiError(413, [{ field: '', expected: `${expected}: ${MORE_RULES}`, found: shortJson(value) }]);
  }
  for (const [item, each] of bodies.entries()) {
    const problem = itemProblem(each);
    if (problem !== null) throw new ApiError(400, [{ ...problem, item }]);
  }
  const told = await warnings.of(await rules.put(bodies.map(ruleOfRow), options));
  response.json(dialect.answer(204, '', told));
}

function sinkOf(rules: Rules, options: Parameters<Rules['put']>[1], warnings: WrittenWarnings): BatchSink {
  return {
    what: 'rule',
    async put(bodies) {
      const { written, unchanged, ...told } = await rules.put(bodies.map(ruleOfRow), options);
      return { written, unchanged, warnings: await warnings.of(told) };
    },
    check: async (bodies) => refusalsOf(await rules.check(bodies.map(ruleOfRow), options.organization)),
    refusals(error, bodies) {
      if (error instanceof InvalidRuleError) return refusalsOf(error.problems);
      if (error instanceof RuleConflictError) return [conflictOf(error, bodies)];
      if (error instanceof StoreError && error.code === 'bad-document')
        return [{ item: null, code: 400, problem: notStorable(error) }];
      return null;
    },
  };
}

function refusalsOf(problems: readonly RuleProblem[]): ItemRefusal[] {
  return problems.map(({ item, ...problem }) => ({ item: item ?? 0, code: 400, problem }));
}

/** A rule may be right in itself and still be nothing that the store can hold; which of the batch it is, it does not say. */
function notStorable({ message }: StoreError): Problem {
  return { field: '', code: 'not-storable', expected: `rules that can be stored: ${message}` };
}

function conflictOf(conflict: RuleConflictError, bodies: readonly unknown[]): ItemRefusal {
  const index = bodies.findIndex((body) => isObject(body) && body['id'] === writtenId(conflict.ruleId));
  const problem = { field: 'id', code: conflict.reason, expected: conflict.message };
  return { item: index < 0 ? null : index, code: 409, problem };
}

/** A body without an id is for the rules to judge. */
function idProblemOf(body: unknown, pattern: IdPattern): Problem | null {
  const id = isObject(body) ? body['id'] : undefined;
  if (typeof id !== 'string' || pattern.matches(id)) return null;
  const expected = 'an id that matches the pattern in the path; .* takes every id';
  return { field: 'id', expected, found: JSON.stringify(id.slice(0, 100)) };
}

function isOnlyNew(header: string | undefined): boolean {
  return header !== undefined && parameterValue(IF_NONE_MATCH, header) === '*';
}
