import { type Clock, epochMsOf } from '../../common/index.js';
import { InvalidRuleError } from '../../rules/index.js';
import { ApiError, invalid, type JsonObject } from '../http/index.js';
import { mayActAs, type User } from '../users/index.js';

/** What ExplainRules and MatchDevices have in common: the parts of their bodies. */

const ID_CHARACTERS_MAX = 512;

/** @throws ApiError 400 naming the first field that is not among them */
export function checkFields(body: JsonObject, names: readonly string[]): void {
  const unknown = Object.keys(body).find((name) => !names.includes(name));
  if (unknown !== undefined) throw invalid(unknown.slice(0, 100), `only ${names.join(', ')}`);
}

/** @returns which of the fields the body has. @throws ApiError 400 unless it has just one of them */
export function onlyOneOf<Name extends string>(body: JsonObject, names: readonly Name[]): Name {
  const [name, ...others] = names.filter((each) => body[each] !== undefined);
  if (name !== undefined && others.length === 0) return name;
  const field = others[0] ?? names[0] ?? '';
  throw invalid(field, `one of ${names.join(', ')}, and only one`);
}

export function idOf(value: unknown, field: string, what: string): string {
  const isId =
    typeof value === 'string' &&
    value !== '' &&
    value.length <= ID_CHARACTERS_MAX &&
    !/\p{Surrogate}/u.test(value);
  if (!isId) throw invalid(field, `${what}, as a string of at most ${ID_CHARACTERS_MAX} characters`, value);
  return value;
}

/** When, and whether as if SendCNR had asked for the session. */
export function momentOf(
  { now, requested }: JsonObject,
  clock: Clock,
): { readonly nowMs: number; readonly requested?: boolean } {
  if (requested !== undefined && typeof requested !== 'boolean') {
    throw invalid('requested', 'true or false', requested);
  }
  return { nowMs: timeOf(now, clock), ...(requested === undefined ? {} : { requested }) };
}

function timeOf(now: unknown, clock: Clock): number {
  if (now === undefined) return clock();
  const epochMs = typeof now === 'string' ? epochMsOf(now) : null;
  if (epochMs === null) throw invalid('now', 'a time as in 2026-12-01T02:30:00Z', now);
  return epochMs;
}

export function wholeNumber(value: unknown, field: string, fallback: number, max: number): number {
  if (value === undefined) return fallback;
  if (!Number.isInteger(value) || Number(value) < 1 || Number(value) > max) {
    throw invalid(field, `a whole number from 1 to ${max}`, value);
  }
  return Number(value);
}

/** @throws ApiError 403 for a viewer: a condition that is tried is a program that runs here */
export function requireOperator(user: User | null, field: string): void {
  if (user !== null && mayActAs(user.role, 'operator')) return;
  const expected =
    'left out, or the role operator: whoever tries a rule that is not stored runs its condition';
  throw new ApiError(403, [{ field, expected }]);
}

/** Says of what is wrong with a rule in the body where in the body that stands. */
export async function within<T>(field: string, run: () => Promise<T> | T): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof InvalidRuleError)) throw error;
    const { problems } = error;
    throw new ApiError(
      400,
      problems.map((problem) => ({ ...problem, field: [field, problem.field].filter(Boolean).join('.') })),
    );
  }
}
