import {
  type CompiledCondition,
  describeError,
  EVALUATION_TIMEOUT_MS,
  errorCode,
  reach,
  reaches,
} from './condition/index.js';
import type { Refusal } from './gates.js';
import type { DecisionInput } from './rule.js';
import type { InTurn } from './turns.js';

/** All conditions of one decision together may take so much processor time. */
const DECISION_BUDGET_MS = EVALUATION_TIMEOUT_MS;
/** JSONata's code for an expression that took longer than its timeout. */
const TIMED_OUT = 'D1012';
/** How often an expression is evaluated anew because the machine stood still meanwhile. */
const STALLS_MAX = 3;
const FOUND_CHARACTERS_MAX = 120;
const WANTED_SHOWN_MAX = 5;

/** The conditions of one decision: they share what they see of the CPE, and one budget of time. */
export interface Evaluation {
  /** What of the condition can be told at once to be unmet: most rules get no further, so nothing is awaited or put in words. */
  unmet(condition: CompiledCondition | string): Unmet | null;
  /** Null where the condition is true, else why not. */
  conditionGate(condition: CompiledCondition | string): Promise<Refusal | null>;
}

export interface Unmet {
  readonly path: readonly string[];
  readonly found: unknown;
  readonly wanted: readonly unknown[];
}

/** What evaluations need of their process. */
export interface EvaluationMeans {
  /** Processor time spent by this process, in milliseconds. */
  readonly cpuMs: () => number;
  /** One for the whole process. */
  readonly inTurn: InTurn;
}

export function beginEvaluation(input: DecisionInput, { cpuMs, inTurn }: EvaluationMeans): Evaluation {
  // No prototype, and lists of its own: nothing that an expression does to them reaches anyone else.
  const context: Readonly<Record<string, unknown>> = Object.assign(Object.create(null), input.context, {
    events: [...input.context.events],
    tags: [...input.context.tags],
  });
  let withParameters: Promise<object> | null = null;
  let leftMs = DECISION_BUDGET_MS;

  const readContext = (readsParameters: boolean): object | Promise<object> => {
    if (!readsParameters) return context;
    withParameters ??= input
      .readParameters()
      .then((parameters) => Object.assign(Object.create(null), context, { parameters }));
    return withParameters;
  };

  const evaluate = async (condition: CompiledCondition, seen: object): Promise<unknown> => {
    for (let stalls = 0; ; stalls++) {
      const startedMs = cpuMs();
      try {
        return await condition.evaluate(seen);
      } catch (error) {
        // JSONata looks at the wall's clock: where the processor was elsewhere half of the time, the expression is not to blame.
        const stalled = errorCode(error) === TIMED_OUT && cpuMs() - startedMs < EVALUATION_TIMEOUT_MS / 2;
        if (!stalled || stalls >= STALLS_MAX) throw error;
      } finally {
        leftMs -= cpuMs() - startedMs;
      }
    }
  };

  const unmet: Evaluation['unmet'] = (condition) =>
    typeof condition === 'string' ? null : unmetRequirement(condition, context);

  return {
    unmet,
    async conditionGate(condition) {
      if (typeof condition === 'string') return { verdict: 'condition-error', detail: condition };
      const early = unmet(condition);
      if (early !== null) return refusalOf(early);
      if (condition.closure !== null) {
        const seen = await readContext(condition.readsParameters);
        try {
          return refusalUnlessTrue(condition.closure(seen));
        } catch (error) {
          return { verdict: 'condition-error', detail: describeError(error) };
        }
      }
      if (leftMs <= 0) {
        return { verdict: 'condition-error', detail: `the decision's ${DECISION_BUDGET_MS} ms are used up` };
      }
      const seen = await readContext(condition.readsParameters);
      try {
        return refusalUnlessTrue(await inTurn(() => evaluate(condition, seen)));
      } catch (error) {
        return { verdict: 'condition-error', detail: describeError(error) };
      }
    },
  };
}

function refusalUnlessTrue(result: unknown): Refusal | null {
  if (result === true) return null;
  return result === false || result === undefined
    ? { verdict: 'condition-false' }
    : { verdict: 'condition-false', detail: `it yields ${shorten(result)}, not true` };
}

/** Only of what a context has without reading the data model. */
function unmetRequirement({ requirements }: CompiledCondition, context: object): Unmet | null {
  for (const { path, values } of requirements) {
    if (path[0] === 'parameters' || reaches(context, path, values)) continue;
    const [found, ...others] = reach(context, path);
    return { path, found: others.length === 0 ? found : [found, ...others], wanted: values };
  }
  return null;
}

export function refusalOf({ path, found, wanted }: Unmet): Refusal {
  const some = wanted.slice(0, WANTED_SHOWN_MAX).map(shorten).join(', ');
  const list = wanted.length === 1 ? some : `one of ${some}${wanted.length > WANTED_SHOWN_MAX ? ' …' : ''}`;
  const what = found === undefined ? 'unknown' : shorten(found);
  return { verdict: 'condition-false', detail: `${path.join('.')} is ${what}, not ${list}` };
}

/** A value as short JSON. Only plain values and short lists of them: what an expression made may be of any size and shape. */
function shorten(value: unknown): string {
  if (typeof value === 'string') {
    const cut = value.length > FOUND_CHARACTERS_MAX;
    return JSON.stringify(cut ? `${value.slice(0, FOUND_CHARACTERS_MAX)}…` : value);
  }
  if (Array.isArray(value)) {
    const plain = value.length <= WANTED_SHOWN_MAX && value.every((item) => typeof item !== 'object');
    return plain ? `[${value.map(shorten).join(', ')}]` : `a list of ${value.length}`;
  }
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
