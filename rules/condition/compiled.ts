import type { CpeId } from '../../common/index.js';
import type { Subtrees } from '../vocabulary/index.js';
import type { Pattern } from './pattern.js';

/**
 * Some value found at `path` must be one of `values`, or the condition is not true: necessary, not sufficient. It is what rules are
 * indexed by, and what passes over most of them without evaluating anything.
 */
export interface Requirement {
  readonly path: readonly string[];
  readonly values: readonly unknown[];
  /** Or a text that may match one of these; none where left out. */
  readonly patterns?: readonly Pattern[];
  /** Or it is so of a value found there. */
  readonly orPath?: readonly string[];
}

/**
 * A condition, or a part of one, as a plain function of the context. It gives what JSONata gives and throws what JSONata throws, or
 * D1012 where it would take more steps than it may.
 * @param steps  how many it may take; CLOSURE_STEPS_MAX where left out
 */
export type Closure = (context: object, steps?: Steps) => unknown;

/** What a closure may use up, counted down as it does: a step takes some tens of nanoseconds. */
export interface Steps {
  left: number;
}

/** What evaluates a condition anywhere else: it can be sent to another process. */
export interface ConditionSource {
  readonly text: string;
  /** Variables (`v0` is `$v0`) that the text reads. */
  readonly bindings: Readonly<Record<string, unknown>>;
}

/** One operand of a condition's outermost `and`s, or one key of its object form: what an explanation names. */
export interface Conjunct {
  /** As its author wrote it. */
  readonly text: string;
  /** Where it begins in the condition's text, from 1; null in object form. */
  readonly column: number | null;
  /** Null where it needs JSONata itself. */
  readonly closure: Closure | null;
  /** The field paths it reads, dotted, for showing the values found there. */
  readonly paths: readonly string[];
  /** Calls that it compares with something, such as `$bucket(cpeid, "r1")`, for showing what they come to. */
  readonly calls?: readonly { readonly text: string; readonly closure: Closure }[];
}

/** A condition ready to be evaluated, and what its syntax tree tells without evaluating it. */
export interface CompiledCondition {
  readonly pin: CpeId | null;
  /** The one name by which a CPE must go for this to hold: its cpeid, or a serial number that no other has. */
  readonly name: string | null;
  /** Whether it holds of a CPE, if it does, only as that goes by its serial number. */
  readonly isBySerialNumber: (context: object) => boolean;
  readonly requirements: readonly Requirement[];
  /** Null where the expression is outside the compiled subset: then only JSONata itself decides, in a process of its own. */
  readonly closure: Closure | null;
  readonly source: ConditionSource;
  readonly conjuncts: readonly Conjunct[];
  readonly readsParameters: boolean;
  /**
   * `Device.X.Y`, or `Device.X.` (a partial path) where only the beginning is fixed; and of a field that is a parameter, such as
   * `modelName`, its name below either root.
   */
  readonly parameterPaths: readonly string[];
  /** Outside of these parts of the data model nothing is looked at. */
  readonly parameterSubtrees: Subtrees;
}
