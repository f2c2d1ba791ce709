import type { CpeId, RuleId } from '../../common/index.js';
import { describeError, errorCode, type Outcome } from '../condition/index.js';

/**
 * Why a condition came to no result. Most are trips: the expression went beyond what it may use up, and must not go on doing so. An
 * `error` (a text compared with a number, a malformed subnet) costs nothing and is this CPE's matter; one that was `skipped` is not
 * to blame for what the conditions before it have used up.
 */
export type FailureKind =
  | 'time'
  | 'memory'
  | 'stack'
  | 'sequence'
  | 'argument'
  | 'crash'
  | 'error'
  | 'skipped';

/** What a condition failed with. */
export interface Failure {
  readonly kind: FailureKind;
  /** JSONata's where it has one. */
  readonly code: string;
  readonly message: string;
}

/** A failure with the rule and the CPE it befell. */
export interface RuleFailure extends Failure {
  readonly ruleId: RuleId;
  /** Which of its editions it was. */
  readonly ruleUpdatedAtMs: number;
  readonly cpeid: CpeId;
}

export function isTrip({ kind }: Failure): boolean {
  return kind !== 'error' && kind !== 'skipped';
}

/** The code of a rule's last error where a CPE was to have an image that is not there. */
export const IMAGE_MISSING = 'image-missing';

export const OUT_OF_TIME: Failure = {
  kind: 'time',
  code: 'out-of-time',
  message: 'it was still computing when its time was up, and was ended',
};

export const OUT_OF_MEMORY: Failure = {
  kind: 'memory',
  code: 'out-of-memory',
  message: 'it needed more memory than a condition may use',
};

/** JSONata's code for an expression that took longer than its timeout. */
export const TIMED_OUT = 'D1012';

const KIND_OF_CODE: ReadonlyMap<string, FailureKind> = new Map([
  [TIMED_OUT, 'time'],
  ['D1011', 'stack'],
  ['D2014', 'sequence'],
  ['D2015', 'sequence'],
]);

/** What an error means that was thrown in this process. */
export function failureOf(error: unknown): Failure {
  const name = error instanceof Error ? error.name : null;
  return failureOfOutcome({ kind: 'error', name, code: errorCode(error), message: describeError(error) });
}

/** What an error means that was thrown elsewhere. */
export function failureOfOutcome({ name, code, message }: Extract<Outcome, { kind: 'error' }>): Failure {
  if (code !== null) return { kind: KIND_OF_CODE.get(code) ?? 'error', code, message };
  switch (name) {
    case 'ArgumentBoundError':
      return { kind: 'argument', code: 'argument-too-large', message };
    case 'FunctionArgumentError':
      return { kind: 'error', code: 'bad-argument', message };
    case 'RangeError':
      // Of V8: its stack, or the longest text there can be.
      return /stack/i.test(message)
        ? { kind: 'stack', code: 'stack-overflow', message }
        : { kind: 'memory', code: 'out-of-memory', message };
    default:
      return { kind: 'error', code: 'failed', message };
  }
}
