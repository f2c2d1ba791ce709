import { cutText } from '../../common/index.js';
import {
  type CompiledCondition,
  type ConditionCompiler,
  ConditionError,
  type Conjunct,
  reach,
} from '../condition/index.js';
import type { Condition, ConjunctFinding } from '../vocabulary/index.js';
import type { Evaluation } from './evaluation.js';
import type { Refusal } from './gates.js';

/** Of a longer condition the beginning is shown, also of a text that a CPE reported. */
const TEXT_CHARACTERS_MAX = 1_000;
const CONJUNCTS_MAX = 100;
const PATHS_MAX = 50;
const ITEMS_SHOWN_MAX = 20;
const DEPTH_SHOWN_MAX = 2;

/** What a condition is explained with. */
export interface ConditionMeans {
  readonly compiler: Pick<ConditionCompiler, 'compile'>;
  /** Bounds what its conjuncts cost, as it does in a decision. */
  readonly evaluation: Pick<Evaluation, 'conditionGate'>;
  /** What conditions see of the CPE, with its parameters where `withParameters`. */
  readonly context: (withParameters: boolean) => Promise<object>;
}

/**
 * What became of each conjunct of a condition, each looked at for itself: also those after one that is false, unless they need
 * JSONata, which would not have come to them.
 * @param written  as the rule has it
 * @param condition  a string where it does not compile: then what is wrong
 * @param failure  what the condition as a whole failed with already: a condition of one piece is not evaluated to hear it again
 */
export async function findingsOf(
  written: Condition,
  condition: CompiledCondition | string,
  means: ConditionMeans,
  failure: Refusal | null = null,
): Promise<readonly ConjunctFinding[]> {
  if (typeof condition === 'string') {
    return [{ text: textOf(written), outcome: 'error', found: [], message: condition }];
  }
  const [only, ...others] = condition.conjuncts;
  if (only === undefined || others.length === 0) {
    const refusal = failure ?? (await means.evaluation.conditionGate(condition));
    const paths = only?.paths ?? pathsOf(condition);
    return [
      {
        text: only === undefined ? textOf(written) : cutText(only.text, TEXT_CHARACTERS_MAX),
        ...columnOf(only),
        ...outcomeOf(refusal),
        found: await foundOf(paths, only?.calls, condition, means),
      },
    ];
  }
  const findings: ConjunctFinding[] = [];
  for (const conjunct of condition.conjuncts.slice(0, CONJUNCTS_MAX)) {
    const decided = findings.some(({ outcome }) => outcome === 'false' || outcome === 'error');
    findings.push({
      text: cutText(conjunct.text, TEXT_CHARACTERS_MAX),
      ...columnOf(conjunct),
      ...(await evaluated(conjunct, condition, decided, means)),
      found: await foundOf(conjunct.paths, conjunct.calls, condition, means),
    });
  }
  return findings;
}

type Outcome = Pick<ConjunctFinding, 'outcome' | 'message'>;

async function evaluated(
  conjunct: Conjunct,
  whole: CompiledCondition,
  decided: boolean,
  { compiler, evaluation }: ConditionMeans,
): Promise<Outcome> {
  const { closure } = conjunct;
  if (closure !== null) {
    let result: unknown;
    const condition: CompiledCondition = {
      pin: null,
      name: null,
      isBySerialNumber: () => false,
      requirements: [],
      // Where it takes too many steps for this process, what is sent elsewhere must be this conjunct too.
      source: { text: alone(conjunct.text), bindings: {} },
      conjuncts: [],
      readsParameters: whole.readsParameters,
      parameterPaths: [],
      parameterSubtrees: whole.parameterSubtrees,
      closure: (context, steps) => {
        result = closure(context, steps);
        return result;
      },
    };
    const outcome = outcomeOf(await evaluation.conditionGate(condition));
    // Of an operand that is neither true nor false JSONata's `and` makes one, by rules of its own.
    const plain = typeof result === 'boolean' || result === undefined;
    if (plain || outcome.outcome === 'error') return outcome;
  } else if (decided) {
    return { outcome: 'not-evaluated' };
  }
  try {
    return outcomeOf(await evaluation.conditionGate(compiler.compile(alone(conjunct.text))));
  } catch (error) {
    if (!(error instanceof ConditionError)) throw error;
    return { outcome: 'not-evaluated', message: error.message };
  }
}

/** A conjunct as a condition that is true, false or an error as it is under `and`. */
function alone(text: string): string {
  return `(${text}\n) and true`;
}

function outcomeOf(refusal: Refusal | null): Outcome {
  if (refusal === null) return { outcome: 'true' };
  const { verdict, detail } = refusal;
  if (verdict !== 'condition-error') return { outcome: 'false' };
  return { outcome: 'error', ...(detail === undefined ? {} : { message: detail }) };
}

function columnOf(conjunct: Conjunct | undefined): Pick<ConjunctFinding, 'column'> {
  const column = conjunct?.column ?? null;
  return column === null ? {} : { column };
}

function textOf(written: Condition): string {
  return cutText(typeof written === 'string' ? written : JSON.stringify(written), TEXT_CHARACTERS_MAX);
}

/** Where nothing says which fields a condition reads, what it demands of fields and parameters does. */
function pathsOf({ requirements, parameterPaths }: CompiledCondition): readonly string[] {
  const parameters = parameterPaths.filter((path) => !path.endsWith('.')).map((path) => `parameters.${path}`);
  return [...new Set([...requirements.map(({ path }) => path.join('.')), ...parameters])];
}

async function foundOf(
  paths: readonly string[],
  calls: Conjunct['calls'],
  { readsParameters }: CompiledCondition,
  means: ConditionMeans,
): Promise<ConjunctFinding['found']> {
  const found = await foundAt(paths, means);
  if (calls === undefined) return found;
  const seen = await means.context(readsParameters);
  return [...found, ...calls.flatMap((call) => comesTo(call, seen))];
}

/** What a call comes to; nothing where it fails, which its conjunct says, or where what it is called with is missing. */
function comesTo(
  { text, closure }: NonNullable<Conjunct['calls']>[number],
  seen: object,
): ConjunctFinding['found'] {
  try {
    const value = closure(seen);
    return value === undefined
      ? []
      : [{ path: cutText(text, TEXT_CHARACTERS_MAX), value: shortened(value, 0) }];
  } catch {
    return [];
  }
}

async function foundAt(
  paths: readonly string[],
  { context }: ConditionMeans,
): Promise<ConjunctFinding['found']> {
  const shown = paths.slice(0, PATHS_MAX).map((path) => ({ path, steps: path.split('.') }));
  const seen = await context(shown.some(({ steps }) => steps[0] === 'parameters'));
  return shown.map(({ path, steps }) => {
    const value = valueAt(seen, steps);
    return value === undefined ? { path } : { path, value: shortened(value, 0) };
  });
}

/** A list of the context is shown as one, also where it has one item: that it is one is what its reader may have overlooked. */
function valueAt(seen: object, steps: readonly string[]): unknown {
  const field = new Map<string, unknown>(Object.entries(seen)).get(steps.join('.'));
  if (Array.isArray(field)) return field;
  const [first, ...others] = reach(seen, steps);
  return others.length === 0 ? first : [first, ...others];
}

/** What stands there as it is, where that is short. */
function shortened(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return cutText(value, TEXT_CHARACTERS_MAX);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= DEPTH_SHOWN_MAX) return '…';
  if (Array.isArray(value)) {
    const items = value.slice(0, ITEMS_SHOWN_MAX).map((item) => shortened(item, depth + 1));
    return value.length > ITEMS_SHOWN_MAX ? [...items, '…'] : items;
  }
  const entries = Object.entries(value);
  const shown = entries
    .slice(0, ITEMS_SHOWN_MAX)
    .map(([name, inner]): [string, unknown] => [name, shortened(inner, depth + 1)]);
  return Object.fromEntries(entries.length > ITEMS_SHOWN_MAX ? [...shown, ['…', '…']] : shown);
}
