import type { RuleId } from '../../common/index.js';

/** Rules were named that do not exist. */
export class UnknownRuleError extends Error {
  override readonly name = 'UnknownRuleError';
  constructor(readonly ids: readonly RuleId[]) {
    super(`There is no rule ${ids.slice(0, 3).join(', ')}${ids.length > 3 ? ' …' : ''}`);
  }
}

/** Something wrong with a rule: which field, what stood there and what should. */
export interface RuleProblem {
  /** Dotted path of the field (`limits.concurrent`); empty for the rule as a whole. */
  readonly field: string;
  readonly code: string;
  /** What it should be, with the remedy, as a sentence fit for a person. */
  readonly expected: string;
  /** The value found, as short JSON. */
  readonly found?: string;
  /** Which rule of an array, counted from 0. */
  readonly item?: number;
  readonly line?: number;
  readonly column?: number;
}

export class InvalidRuleError extends Error {
  override readonly name = 'InvalidRuleError';
  constructor(readonly problems: readonly RuleProblem[]) {
    super(problems.map((problem) => `${problem.field || 'rule'}: ${problem.expected}`).join('; '));
  }
}

/** A change that what is stored forbids: the rule exists, comes from a file, is somebody's own, or moved meanwhile. */
export class RuleConflictError extends Error {
  override readonly name = 'RuleConflictError';
  constructor(
    readonly ruleId: RuleId,
    readonly reason: 'exists' | 'from-file' | 'owned' | 'changed-meanwhile',
    message: string,
  ) {
    super(message);
  }
}
