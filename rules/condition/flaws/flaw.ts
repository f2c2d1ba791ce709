/** What is wrong with a condition that can be evaluated. */
export type FlawCode =
  /** A constant as operand of `and` or `or`: it decides alone, or decides nothing. */
  | 'constant-operand'
  /** A part of the condition that rules out no CPE. */
  | 'always-true'
  /** A part of it that holds for no CPE. */
  | 'never-true'
  /** `$bucket(…) < 100`: every CPE, as in the last step of a canary that is widened. */
  | 'every-bucket';

export interface ConditionFlaw {
  readonly code: FlawCode;
  /** What was found and what to write instead, as a sentence without a full stop. */
  readonly message: string;
  /** Where in the condition's text, counted from 0. */
  readonly character: number;
}

/** A condition with one of these is true for more CPEs than its author meant, so that it is not taken. */
const REFUSED: ReadonlySet<FlawCode> = new Set(['constant-operand', 'always-true']);

export function isRefused({ code }: ConditionFlaw): boolean {
  return REFUSED.has(code);
}
