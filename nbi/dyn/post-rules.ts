import type { Rules } from '../../rules/index.js';
import {
  ApiError,
  ArraySplitter,
  type DynDialect,
  type Exchange,
  invalid,
  isObject,
  LineSplitter,
  NDJSON,
  type Problem,
  prefersNdjson,
  readJson,
  requireMediaType,
  shortJson,
} from '../http/index.js';
import type { NbiLimits } from '../limits.js';
import { storeInBatches } from './bulk.js';
import { type IdPattern, parseIdPattern } from './id-pattern.js';

const MORE_RULES = `send it in several requests, or as NDJSON (Content-Type: ${NDJSON}), or ask for a report while it is stored (Accept: ${NDJSON}): then there may be any number of rules`;

/**
 * POST of rules. One rule, or an array, is stored as a whole and answered as a whole. NDJSON, and an array whose sender accepts
 * NDJSON, is stored batch by batch while it comes.
 * @throws ApiError, and what `Rules.put` throws
 */
export async function postRules(
  exchange: Exchange,
  rules: Rules,
  dialect: DynDialect,
  limits: NbiLimits,
): Promise<void> {
  const { request, response, user, parameter, query } = exchange;
  const [unknownParameter] = query.keys();
  if (unknownParameter !== undefined) throw invalid(unknownParameter.slice(0, 100), 'no query parameters');
  const pattern = parseIdPattern(parameter);
  const options = { author: user?.name ?? '', onlyNew: parseIfNoneMatch(request.headers['if-none-match']) };
  const mediaType = requireMediaType(request, ['application/json', NDJSON]);
  if (mediaType === NDJSON || prefersNdjson(request)) {
    const idProblem = (body: unknown) => idProblemOf(body, pattern);
    const source =
      mediaType === NDJSON
        ? ({ unit: 'line', splitter: new LineSplitter(limits.recordBytesMax) } as const)
        : ({ unit: 'item', splitter: new ArraySplitter(limits.recordBytesMax) } as const);
    await storeInBatches({ rules, dialect, limits, options, idProblem, ...source }, request, response);
    return;
  }
  const body = await readJson(request, limits, MORE_RULES);
  const bodies: readonly unknown[] = Array.isArray(body) ? body : [body];
  const expected = `a rule, or an array of 1 to ${limits.itemsMax}`;
  if (bodies.length === 0) throw invalid('', expected, body);
  if (bodies.length > limits.itemsMax) {
    throw new ApiError(413, [{ field: '', expected: `${expected}: ${MORE_RULES}`, found: shortJson(body) }]);
  }
  for (const [item, each] of bodies.entries()) {
    const problem = idProblemOf(each, pattern);
    if (problem !== null) throw new ApiError(400, [{ ...problem, item }]);
  }
  await rules.put(bodies, options);
  response.json(dialect.answer(204, ''));
}

/** A body without an id is for the rules to judge. */
function idProblemOf(body: unknown, pattern: IdPattern): Problem | null {
  const id = isObject(body) ? body['id'] : undefined;
  if (typeof id !== 'string' || pattern.matches(id)) return null;
  const expected = 'an id that matches the pattern in the path; .* takes every id';
  return { field: 'id', expected, found: JSON.stringify(id.slice(0, 100)) };
}

function parseIfNoneMatch(header: string | undefined): boolean {
  if (header === undefined) return false;
  if (header.trim() === '*') return true;
  throw invalid('If-None-Match', '* (only create) or nothing', header);
}
