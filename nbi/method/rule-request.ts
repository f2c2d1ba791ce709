import { type Clock, epochMsOf } from '../../common/index.js';
import { InvalidRuleError } from '../../rules/index.js';
import { ApiError, type Schema } from '../http/index.js';

/** What ExplainRules and MatchDevices have in common: the fields of their bodies. */

const ID_CHARACTERS_MAX = 512;

/** @param what  is called so where there is none */
export function idSchema(what: string) {
  return {
    type: 'string',
    minLength: 1,
    maxLength: ID_CHARACTERS_MAX,
    untold: ['minLength', 'maxLength'],
    expected: `${what}, as a string of at most ${ID_CHARACTERS_MAX} characters`,
  } as const satisfies Schema;
}

export function wholeNumber(max: number, initial: number) {
  return {
    type: 'integer',
    minimum: 1,
    maximum: max,
    default: initial,
    expected: `a whole number from 1 to ${max}`,
  } as const satisfies Schema;
}

/** Whether as if SendCNR had asked for the session, and when. */
export const MOMENT_PROPERTIES = {
  requested: {
    type: 'boolean',
    description: 'As if SendCNR had asked for the session; without it, whether it has.',
    expected: 'true or false',
  },
  now: {
    type: 'string',
    format: 'date-time',
    description: 'Another time than the present.',
    expected: 'a time as in 2026-12-01T02:30:00Z',
  },
} as const satisfies Readonly<Record<string, Schema>>;

/** A condition that is tried is a program that runs here. */
export const OPERATORS_ONLY = {
  role: 'operator',
  expected: 'left out, or the role operator: whoever tries a rule that is not stored runs its condition',
} as const;

export function momentOf(
  { now, requested }: { readonly now: string | undefined; readonly requested: boolean | undefined },
  clock: Clock,
): { readonly nowMs: number; readonly requested?: boolean } {
  const nowMs = (now === undefined ? null : epochMsOf(now)) ?? clock();
  return { nowMs, ...(requested === undefined ? {} : { requested }) };
}

/** The answer's details, beside what every method answers. */
export function detailsSchema(details: Schema): Schema {
  return { allOf: [{ $ref: '#/components/schemas/MethodAnswer' }, { properties: { details } }] };
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
