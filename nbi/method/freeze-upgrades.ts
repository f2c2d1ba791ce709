import { SECOND_MS } from '../../common/index.js';
import type { FreezeState, Rules } from '../../rules/index.js';
import { invalid, type JsonObject, type MethodAnswer } from '../http/index.js';

const REASON_CHARACTERS_MAX = 1_000;

/**
 * The emergency brake: while upgrades are frozen no Download leaves any node.
 * @throws ApiError 400
 */
export async function freezeUpgrades(body: JsonObject, rules: Rules, by: string): Promise<MethodAnswer> {
  const { frozen, reason, ...others } = body;
  const [unknownField] = Object.keys(others);
  if (unknownField !== undefined) throw invalid(unknownField.slice(0, 100), 'only frozen and reason');
  if (typeof frozen !== 'boolean') throw invalid('frozen', 'true or false', frozen ?? null);
  if (reason !== undefined && (typeof reason !== 'string' || reason.length > REASON_CHARACTERS_MAX)) {
    throw invalid('reason', `a string of at most ${REASON_CHARACTERS_MAX} characters`, reason);
  }
  return freezeAnswer(await rules.freeze({ frozen, by, ...(reason === undefined ? {} : { reason }) }));
}

/** `since` is in epoch seconds. */
export function freezeAnswer({ frozen, by, reason, sinceMs }: FreezeState): MethodAnswer {
  const since = sinceMs === undefined ? undefined : Math.floor(sinceMs / SECOND_MS);
  return { code: 200, message: 'OK', details: { frozen, by, reason, since } };
}
