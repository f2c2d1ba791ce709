import {
  booleanOf,
  isArrayOfNumbers,
  isFunction,
  isNumeric,
  isRecord,
  lookUp,
  type Run,
  SEQUENCE_ITEMS_MAX,
  Sequence,
  sequenceOf,
  unwrapped,
} from './closure-values.js';
import { ConditionFault } from './fault.js';

/** A node of the syntax tree as a function of what `$` is there. */
export type Evaluator = (input: unknown, run: Run) => unknown;

/** What stands in brackets: a position that is known beforehand, or an expression asked of each item. */
export type Filter =
  | { readonly position: number }
  | { readonly position: null; readonly evaluate: Evaluator; readonly weight: number };

/** What the sequences of one step of a path cost, however few items are in them. */
const STEP_STEPS = 8;
const FILTER_STEPS = 4;

/** One step of a path with its filters. */
export interface Step {
  /** Where it is nothing but a name. */
  readonly name: string | null;
  readonly evaluate: Evaluator;
  readonly filters: readonly Filter[];
  /** How many nodes it has: what evaluating it once costs. */
  readonly weight: number;
}

/** JSONata's evaluateFilter. */
export function applyFilter(filter: Filter, input: unknown, run: Run): unknown {
  const items: readonly unknown[] = Array.isArray(input) ? input : [input];
  run.spend(FILTER_STEPS);
  const kept = new Sequence();
  if (filter.position !== null) {
    const item = items[positionIn(items, filter.position)];
    if (Array.isArray(item)) return item;
    if (item !== undefined) kept.add(item);
    return kept;
  }
  for (const [index, item] of items.entries()) {
    run.spend(filter.weight);
    const result = filter.evaluate(item, run);
    const positions = isNumeric(result) ? [result] : result;
    if (isArrayOfNumbers(positions)) {
      run.spend(positions.length);
      for (const position of positions) if (positionIn(items, position) === index) kept.add(item);
    } else if (booleanOf(result, run) === true) {
      kept.add(item);
    }
  }
  return kept;
}

function positionIn(items: readonly unknown[], position: number): number {
  const index = Math.floor(position);
  return index < 0 ? items.length + index : index;
}

/**
 * JSONata's evaluatePath, without what tuples (`@`, `#`, `%`) and grouping need. As long as plain names lead from object to object, as
 * they do in most paths, no sequences are made.
 */
export function pathEvaluator(steps: readonly Step[], fromVariable: boolean): Evaluator {
  const [first] = steps;
  const begins = fromVariable && first !== undefined && first.filters.length === 0 ? first.evaluate : null;
  return (input, run) => {
    if (!fromVariable && Array.isArray(input)) return takeSteps(steps, 0, input, run);
    let value = begins === null ? input : begins(input, run);
    let taken = begins === null ? 0 : 1;
    for (; taken < steps.length; taken++) {
      const name = steps[taken]?.name ?? null;
      if (name === null || Array.isArray(value)) break;
      if (!isRecord(value) || !Object.hasOwn(value, name) || isFunction(value)) return undefined;
      value = value[name];
    }
    run.spend(1 + taken);
    if (taken === 0) return takeSteps(steps, 0, sequenceOf(value), run);
    // An array of the data at the path's end stays what it is.
    if (value === undefined || (taken === steps.length && !(value instanceof Sequence))) return value;
    const within = Array.isArray(value) ? flattened([value], run) : sequenceOf(value);
    return takeSteps(steps, taken, within, run);
  };
}

function takeSteps(steps: readonly Step[], from: number, given: readonly unknown[], run: Run): unknown {
  let items = given;
  for (const [index, step] of steps.entries()) {
    if (index < from) continue;
    items = takeStep(step, items, index === steps.length - 1, run);
    if (items.length === 0) break;
  }
  return unwrapped(items);
}

function takeStep(step: Step, items: readonly unknown[], last: boolean, run: Run): readonly unknown[] {
  const results = new Sequence();
  run.spend(STEP_STEPS);
  for (const item of items) {
    run.spend(step.weight);
    let result = step.evaluate(item, run);
    for (const filter of step.filters) result = applyFilter(filter, result, run);
    if (result !== undefined) results.add(result);
  }
  const only = results[0];
  if (last && results.length === 1 && Array.isArray(only) && !(only instanceof Sequence)) return only;
  return flattened(results, run);
}

function flattened(values: readonly unknown[], run: Run): Sequence {
  const flat = new Sequence();
  for (const value of values) {
    if (Array.isArray(value)) for (const inner of value) flat.add(inner);
    else flat.add(value);
  }
  run.spend(flat.length);
  return flat;
}

/** A step by itself. */
export function nameEvaluator(name: string): Evaluator {
  return (input, run) => lookUp(input, name, run);
}

/** `*`; what it yields is unwrapped only after the predicates that hang on it, and so with all that yields sequences. */
export const wildcard: Evaluator = (input, run) => {
  run.spend(STEP_STEPS);
  let found: unknown[] = new Sequence();
  if (!isRecord(input) || isFunction(input)) return found;
  for (const value of Object.values(input)) {
    if (Array.isArray(value)) {
      const flat = value.flat(Number.POSITIVE_INFINITY);
      run.spend(found.length + flat.length);
      if (found.length + flat.length > SEQUENCE_ITEMS_MAX) {
        throw new ConditionFault('D2015', { value: found.length + flat.length });
      }
      // No sequence any more, as with JSONata: what follows is not counted, and one item stays a list of one.
      found = found.concat(flat);
    } else if (found instanceof Sequence) {
      found.add(value);
    } else {
      found.push(value);
    }
    run.spend(1);
  }
  return found;
};

/** `**` */
export const descendants: Evaluator = (input, run) => {
  if (input === undefined) return undefined;
  const found = new Sequence();
  descend(input, found, run);
  return found;
};

function descend(value: unknown, into: Sequence, run: Run): void {
  run.spend(1);
  if (Array.isArray(value)) {
    for (const item of value) descend(item, into, run);
    return;
  }
  into.add(value);
  if (isRecord(value) && !isFunction(value))
    for (const inner of Object.values(value)) descend(inner, into, run);
}
