import type { Revision } from '../../store/index.js';
import { type CompiledCondition, type ConditionCompiler, ConditionError } from '../condition/index.js';
import { readingOf, type StoredRule } from '../vocabulary/index.js';

/** A rule ready to be decided on. */
export interface Candidate {
  readonly rule: StoredRule;
  readonly revision: Revision;
  /** A string where the condition does not compile (it was stored by another version): then what is wrong. */
  readonly condition: CompiledCondition | string;
}

export function candidateOf(rule: StoredRule, revision: Revision, compiler: ConditionCompiler): Candidate {
  try {
    return { rule, revision, condition: compiler.compile(rule.condition, readingOf(rule)) };
  } catch (error) {
    if (!(error instanceof ConditionError)) throw error;
    return { rule, revision, condition: error.message };
  }
}

/** The larger priority first, then the older rule, then the smaller id. */
export function inOrder({ rule: left }: Candidate, { rule: right }: Candidate): number {
  return (
    right.priority - left.priority ||
    left.createdAtMs - right.createdAtMs ||
    (left.id < right.id ? -1 : left.id > right.id ? 1 : 0)
  );
}

/** Two lists that are in order, as one. */
export function* mergeInOrder(left: readonly Candidate[], right: readonly Candidate[]): Generator<Candidate> {
  let [l, r] = [0, 0];
  for (;;) {
    const [fromLeft, fromRight] = [left[l], right[r]];
    if (fromLeft === undefined && fromRight === undefined) return;
    if (fromRight === undefined || (fromLeft !== undefined && inOrder(fromLeft, fromRight) <= 0)) {
      if (fromLeft !== undefined) yield fromLeft;
      l += 1;
    } else {
      yield fromRight;
      r += 1;
    }
  }
}
