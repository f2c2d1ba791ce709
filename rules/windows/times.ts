import { epochMsOf } from '../../common/index.js';
import type { Rule } from '../vocabulary/index.js';

/** Between which times a rule may run. */
export type RuleTimes = Pick<Rule, 'notBefore' | 'notAfter'>;

/**
 * Whether a rule's time has not come, or is over; null within it. Half-open: from `notBefore` on, and from `notAfter` on no more. A time that
 * cannot be read, which another version may have stored, lets nothing run.
 */
export function outsideTimes(
  { notBefore, notAfter }: RuleTimes,
  nowMs: number,
): 'not-yet' | 'too-late' | null {
  if (notBefore !== undefined && nowMs < (epochMsOf(notBefore) ?? Number.POSITIVE_INFINITY)) return 'not-yet';
  if (notAfter !== undefined && nowMs >= (epochMsOf(notAfter) ?? Number.NEGATIVE_INFINITY)) return 'too-late';
  return null;
}
