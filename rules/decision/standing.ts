import {
  type CompiledCondition,
  type ConditionCompiler,
  ConditionError,
  type FieldsRead,
  fieldsReadBy,
  type Requirement,
} from '../condition/index.js';
import type { RuleValidator } from '../validation/index.js';
import type { Condition, RuleProblem } from '../vocabulary/index.js';
import { beginEvaluation, type EvaluationMeans, type Seen } from './evaluation.js';

/** A condition that is no rule's, ready to be evaluated. */
export interface StandingCondition {
  /** Each must be met, or it does not hold: what it can be indexed by. */
  readonly requirements: readonly Requirement[];
  readonly reads: FieldsRead;
  readonly compiled: CompiledCondition;
}

/** Conditions that stand by themselves, such as those by which a CPE belongs to an organization: written, bounded and evaluated as rules' are. */
export interface StandingConditions {
  /** What is wrong with one, each below `condition`; empty where it may be stored. */
  problems(condition: unknown): readonly RuleProblem[];
  /** Which fields it looks at. @throws ConditionError */
  reads(condition: Condition): FieldsRead;
  /** @returns why not, where it cannot be: it was stored by a version that took it */
  compile(condition: Condition): StandingCondition | string;
  /** For one CPE: all that are asked of it share one budget of time, as the conditions of one decision do. */
  about(cpe: Seen): Standing;
}

export interface Standing {
  /** A text says why that cannot be told: the condition failed, or took too much. */
  holds(condition: StandingCondition): Promise<boolean | string>;
}

export function createStandingConditions(parts: {
  readonly validator: RuleValidator;
  readonly compiler: ConditionCompiler;
  readonly means: EvaluationMeans;
}): StandingConditions {
  const { validator, compiler, means } = parts;
  return {
    problems: (condition) => validator.conditionProblems(condition).map(({ path: _, ...problem }) => problem),
    reads: fieldsReadBy,
    compile(condition) {
      try {
        const compiled = compiler.compile(condition);
        return { requirements: compiled.requirements, reads: fieldsReadBy(condition), compiled };
      } catch (error) {
        if (error instanceof ConditionError) return error.message;
        throw error;
      }
    },
    about(cpe) {
      const evaluation = beginEvaluation(cpe, means);
      return {
        async holds({ compiled }) {
          const refusal = await evaluation.conditionGate(compiled);
          if (refusal === null) return true;
          return refusal.verdict === 'condition-error' ? (refusal.detail ?? 'it failed') : false;
        },
      };
    },
  };
}
