import {
  type CompiledCondition,
  EVALUATION_TIMEOUT_MS,
  type Evaluated,
  errorCode,
  type Isolate,
  type IsolateRequest,
  isLargerThan,
  meets,
  type Requirement,
  reach,
} from '../condition/index.js';
import {
  type Failure,
  failureOf,
  failureOfOutcome,
  isTrip,
  OUT_OF_MEMORY,
  OUT_OF_TIME,
  type RuleFailure,
  TIMED_OUT,
} from '../storage/index.js';
import {
  type DecisionInput,
  ITEMS_SHOWN_MAX,
  type Pauses,
  type StoredRule,
  shorten,
} from '../vocabulary/index.js';
import type { Refusal } from './gates.js';
import type { Probation } from './probation.js';

/** All conditions of one decision together may take so much processor time outside of this process. */
const DECISION_BUDGET_MS = EVALUATION_TIMEOUT_MS;
/**
 * One decision waits so long for others' evaluations, all its conditions together: as long as a burst of sessions takes, and not so
 * long that a CPE would notice.
 */
export const DECISION_WAIT_MS = 500;
/**
 * Steps that the closures of one decision take in this process, all together: some milliseconds, of which ordinary ones need a
 * thousandth. What needs more is evaluated elsewhere, like what is no closure.
 */
const STEPS_HERE_MAX = 100_000;
/** Each may take so many, however many were taken before it: an ordinary condition comes to its end whatever others are like. */
const STEPS_EACH_MIN = 4_000;
/** A data model of so many characters is copied to another process in some tens of milliseconds. */
const CONTEXT_CHARACTERS_MAX = 4 * 1_024 * 1_024;
/** How often an expression is evaluated anew because the machine stood still meanwhile. */
const STALLS_MAX = 3;

/** The conditions of one decision: they share what they see of the CPE, and one budget of time. */
export interface Evaluation {
  /**
   * What of the condition can be told at once to be unmet: most rules get no further, so nothing is awaited or put in words.
   * @param open  fields of which nothing is to be told, as the CPE was not asked for them
   */
  unmet(condition: CompiledCondition | string, open?: ReadonlySet<string>): Unmet | null;
  /** The same of all that it demands, of the data model too. */
  unmetOfAll(condition: CompiledCondition | string): Promise<Unmet | null>;
  /**
   * Null where the condition is true, else why not.
   * @param rule  whose it is: then a failure is held against it
   */
  conditionGate(
    condition: CompiledCondition | string,
    rule?: Pick<StoredRule, 'id' | 'updatedAtMs'>,
  ): Promise<Refusal | null>;
}

export interface Unmet {
  readonly wanted: Requirement;
  readonly found: unknown;
}

/** What became of a condition that needs JSONata itself; a fixed set, for metrics. */
export type IsolatedOutcome =
  | 'answered'
  | 'out-of-time'
  | 'out-of-memory'
  | 'crashed'
  /** It found no turn in time. */
  | 'busy'
  /** It tripped before, and was not tried now. */
  | 'on-probation'
  /** The conditions before it took all the time of its decision. */
  | 'over-budget';

/** What evaluations need of their process: one of each for all of them. */
export interface EvaluationMeans {
  readonly isolate: Isolate;
  readonly pauses: Pauses;
  readonly probation: Probation;
  /** How long one decision may wait for others' evaluations. */
  readonly waitMsMax: number;
  /** Called for every condition that needed JSONata itself. */
  readonly onIsolated: (outcome: IsolatedOutcome) => void;
  readonly onFailure: (failure: RuleFailure) => void;
}

/** What conditions see of a CPE; those that say to which organization it belongs do not see that. */
export interface Seen extends Pick<DecisionInput, 'readParameters'> {
  readonly context: Omit<DecisionInput['context'], 'organization'>;
}

export function beginEvaluation(input: Seen, means: EvaluationMeans): Evaluation {
  const { isolate, pauses, probation, onIsolated } = means;
  // No prototype, and lists of its own: nothing that an expression does to them reaches anyone else.
  const context: Readonly<Record<string, unknown>> = Object.assign(Object.create(null), input.context, {
    events: [...input.context.events],
    tags: [...input.context.tags],
  });
  let withParameters: Promise<object> | null = null;
  let leftMs = DECISION_BUDGET_MS;
  let waitMs = means.waitMsMax;
  let stepsLeft = STEPS_HERE_MAX;
  /** Whether its data model is more than is sent elsewhere; null where nobody asked yet. */
  let tooLarge: boolean | null = null;

  const readContext = (readsParameters: boolean): object | Promise<object> => {
    if (!readsParameters) return context;
    withParameters ??= input
      .readParameters()
      .then((parameters) => Object.assign(Object.create(null), context, { parameters }));
    return withParameters;
  };

  const run = async (request: Omit<IsolateRequest, 'waitMs'>): Promise<Evaluated> => {
    for (let stalls = 0; ; stalls++) {
      const evaluated = await isolate.evaluate({ ...request, waitMs });
      waitMs -= evaluated.waitedMs;
      if (evaluated.kind !== 'answer') {
        if (evaluated.kind === 'out-of-time') leftMs -= request.timeoutMs;
        return evaluated;
      }
      leftMs -= evaluated.cpuMs;
      const { outcome } = evaluated;
      // JSONata looks at the wall's clock: where the processor was elsewhere half of the time, the expression is not to blame. (What
      // has a name of its own is a closure's, which counts steps.)
      const stalled =
        outcome.kind === 'error' &&
        outcome.code === TIMED_OUT &&
        outcome.name === null &&
        evaluated.cpuMs < EVALUATION_TIMEOUT_MS / 2;
      if (!stalled || stalls >= STALLS_MAX || leftMs <= 0) return evaluated;
    }
  };

  /** By JSONata itself, elsewhere. A string says why it was not evaluated, or not to its end, through no fault of its own. */
  const isolated = async (condition: CompiledCondition): Promise<Refusal | Failure | string | null> => {
    const { text } = condition.source;
    const admitted = probation.admit(text, isolate.idle());
    if (admitted === 'wait') {
      onIsolated('on-probation');
      return ON_PROBATION;
    }
    // A trial is rare and is to be fair: it gets the time of a whole decision.
    const timeoutMs = admitted === 'trial' ? DECISION_BUDGET_MS : leftMs;
    if (timeoutMs <= 0) {
      onIsolated('over-budget');
      return OVER_BUDGET;
    }
    const seen = await readContext(condition.readsParameters);
    if (condition.readsParameters) {
      tooLarge ??= isLargerThan(seen, CONTEXT_CHARACTERS_MAX);
      if (tooLarge) return CONTEXT_TOO_LARGE;
    }
    // While it waited another decision may have found out what it is like.
    const isWanted = (): boolean => admitted === 'trial' || !probation.has(text);
    const evaluated = await run({ text, context: seen, timeoutMs, isWanted });
    onIsolated(OUTCOMES[evaluated.kind]);
    switch (evaluated.kind) {
      case 'busy':
        return 'other conditions are being evaluated; it is considered again in the next session';
      case 'unwanted':
        return ON_PROBATION;
      case 'out-of-time':
        if (timeoutMs >= DECISION_BUDGET_MS) return OUT_OF_TIME;
        // Not to blame for what others left it, but not to be ended like this in every decision either.
        probation.enter(text);
        return OVER_BUDGET;
      case 'out-of-memory':
        return OUT_OF_MEMORY;
      case 'crashed':
        return { kind: 'crash', code: 'crashed', message: evaluated.message };
      case 'answer': {
        const { outcome } = evaluated;
        if (outcome.kind === 'error') return failureOfOutcome(outcome);
        if (outcome.kind === 'true') return null;
        return refusalUnlessTrue(outcome.kind === 'other' ? outcome.text : undefined);
      }
      default:
        return evaluated satisfies never;
    }
  };

  const here = async (
    condition: CompiledCondition,
    closure: NonNullable<CompiledCondition['closure']>,
  ): Promise<Refusal | Failure | typeof TOO_MUCH_HERE | null> => {
    const seen = await readContext(condition.readsParameters);
    const pause = pauses.due();
    if (pause !== null) await pause;
    const most = Math.max(stepsLeft, STEPS_EACH_MIN);
    const steps = { left: most };
    try {
      const value = closure(seen, steps);
      if (value === true) return null;
      return refusalUnlessTrue(value === false || value === undefined ? undefined : shorten(value));
    } catch (error) {
      return errorCode(error) === TIMED_OUT ? TOO_MUCH_HERE : failureOf(error);
    } finally {
      stepsLeft -= most - steps.left;
    }
  };

  const unmet: Evaluation['unmet'] = (condition, open) =>
    typeof condition === 'string' ? null : unmetRequirement(condition, context, false, open);

  return {
    unmet,
    async unmetOfAll(condition) {
      if (typeof condition === 'string') return null;
      return unmetRequirement(condition, await readContext(condition.readsParameters), true);
    },
    async conditionGate(condition, rule) {
      if (typeof condition === 'string') return { verdict: 'condition-error', detail: condition };
      const early = unmet(condition);
      if (early !== null) return refusalOf(early);
      const { closure } = condition;
      const quick = closure === null ? TOO_MUCH_HERE : await here(condition, closure);
      const elsewhere = quick === TOO_MUCH_HERE;
      const result = elsewhere ? await isolated(condition) : quick;
      if (typeof result === 'string') return { verdict: 'condition-error', detail: result };
      if (result !== null && 'kind' in result) {
        if (isTrip(result) && elsewhere) probation.enter(condition.source.text);
        else if (result.kind !== 'skipped' && elsewhere) probation.leave(condition.source.text);
        if (rule !== undefined) {
          const { cpeid } = input.context;
          means.onFailure({ ...result, ruleId: rule.id, ruleUpdatedAtMs: rule.updatedAtMs, cpeid });
        }
        return { verdict: 'condition-error', detail: result.message };
      }
      if (elsewhere) probation.leave(condition.source.text);
      return result;
    },
  };
}

const OUTCOMES: Readonly<Record<Evaluated['kind'], IsolatedOutcome>> = {
  answer: 'answered',
  'out-of-time': 'out-of-time',
  'out-of-memory': 'out-of-memory',
  crashed: 'crashed',
  busy: 'busy',
  unwanted: 'on-probation',
};

/** Not to be computed in this process. */
const TOO_MUCH_HERE = Symbol('too much here');

const ON_PROBATION = 'it took too much before, and is tried again only now and then; see lastError';
const CONTEXT_TOO_LARGE: Failure = {
  kind: 'error',
  code: 'context-too-large',
  message: `the CPE's data model has over ${CONTEXT_CHARACTERS_MAX} characters, too many for a condition that JSONata itself must evaluate; use what is compiled`,
};
const OVER_BUDGET: Failure = {
  kind: 'skipped',
  code: 'over-budget',
  message: `the decision's ${DECISION_BUDGET_MS} ms are used up`,
};

/** @param yields  what it came to, in short; undefined where that is false or nothing */
function refusalUnlessTrue(yields: string | undefined): Refusal {
  return yields === undefined
    ? { verdict: 'condition-false' }
    : { verdict: 'condition-false', detail: `it yields ${yields}, not true` };
}

function unmetRequirement(
  { requirements }: CompiledCondition,
  context: object,
  hasParameters = false,
  open?: ReadonlySet<string>,
): Unmet | null {
  for (const wanted of requirements) {
    const { path } = wanted;
    if (path.length === 1 && open?.has(path[0] ?? '') === true) continue;
    if ((path[0] === 'parameters' && !hasParameters) || meets(context, wanted)) continue;
    const [found, ...others] = reach(context, path);
    return { wanted, found: others.length === 0 ? found : [found, ...others] };
  }
  return null;
}

export function refusalOf({ wanted: { path, values, patterns = [] }, found }: Unmet): Refusal {
  const shown = [
    ...values.slice(0, ITEMS_SHOWN_MAX).map(shorten),
    ...patterns.slice(0, ITEMS_SHOWN_MAX).map(({ written }) => `like ${shorten(written)}`),
  ];
  const count = values.length + patterns.length;
  const some = shown.slice(0, ITEMS_SHOWN_MAX).join(', ');
  const list = count === 1 ? some : `one of ${some}${count > ITEMS_SHOWN_MAX ? ' …' : ''}`;
  const what = found === undefined ? 'unknown' : shorten(found);
  return { verdict: 'condition-false', detail: `${path.join('.')} is ${what}, not ${list}` };
}
