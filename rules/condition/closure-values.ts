import type { Steps } from './compiled.js';
import { ConditionFault } from './fault.js';

/** Items in one sequence: what JSONata is told too (`[1..1e7]` is refused). */
export const SEQUENCE_ITEMS_MAX = 10_000;
/**
 * Steps of one run of a closure, each some tens of nanoseconds: an item looked at, a character read. Only the product of a long text
 * and a large data model comes near, and JSONata, far slower, would be out of time much earlier.
 */
export const CLOSURE_STEPS_MAX = 1_000_000;
/** Copying text costs little for a character. */
const CHARACTERS_A_STEP = 16;

/** One evaluation: the context as a whole (`$$`), and the steps that are left. */
export class Run {
  constructor(
    readonly root: unknown,
    private readonly steps: Steps = { left: CLOSURE_STEPS_MAX },
  ) {}

  /** @throws ConditionFault D1012 once they are used up */
  spend(steps: number): void {
    this.steps.left -= steps;
    if (this.steps.left < 0) throw new ConditionFault('D1012', { value: CLOSURE_STEPS_MAX });
  }

  spendOnText(text: string): void {
    this.spend(1 + text.length / CHARACTERS_A_STEP);
  }
}

/**
 * What JSONata marks with `sequence: true`: results gathered along a path, of which one is as good as that one by itself and none is
 * nothing. An array of the data is none, and stays an array.
 */
export class Sequence extends Array<unknown> {
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  /** @throws ConditionFault D2015 beyond {@link SEQUENCE_ITEMS_MAX} */
  add(item: unknown): void {
    if (this.length >= SEQUENCE_ITEMS_MAX) throw new ConditionFault('D2015', { value: SEQUENCE_ITEMS_MAX });
    this.push(item);
  }
}

export function sequenceOf(item: unknown): Sequence {
  const sequence = new Sequence();
  sequence.push(item);
  return sequence;
}

/** What JSONata's evaluate() does last: a sequence of one is its item, an empty one is missing. */
export function unwrapped(value: unknown): unknown {
  if (!(value instanceof Sequence) || value.length > 1) return value;
  return value[0];
}

/** JSONata takes anything with these marks for a function, also an object that a CPE named so. */
export function isFunction(value: unknown): boolean {
  if (typeof value === 'function') return true;
  if (typeof value !== 'object' || value === null) return false;
  const marked = value as { readonly _jsonata_function?: unknown; readonly _jsonata_lambda?: unknown };
  return marked._jsonata_function === true || marked._jsonata_lambda === true;
}

/** @throws ConditionFault D1001 for an infinite number */
export function isNumeric(value: unknown): value is number {
  if (typeof value !== 'number' || Number.isNaN(value)) return false;
  if (!Number.isFinite(value)) throw new ConditionFault('D1001', { value });
  return true;
}

export function isArrayOfNumbers(value: unknown): value is readonly number[] {
  // Every item is looked at: an infinite one throws wherever it stands.
  return Array.isArray(value) && value.filter((item) => !isNumeric(item)).length === 0;
}

/** JSONata's cast: undefined stays undefined. */
export function booleanOf(value: unknown, run: Run): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (value === undefined) return undefined;
  if (typeof value === 'string') return value.length > 0;
  if (Array.isArray(value)) {
    run.spend(value.length);
    if (value.length === 1) return booleanOf(value[0], run);
    // All of them are cast, as one that throws may come after one that is true.
    return value.filter((item) => booleanOf(item, run)).length > 0;
  }
  if (isNumeric(value)) return value !== 0;
  if (typeof value !== 'object' || value === null || isFunction(value)) return false;
  const keys = Object.keys(value).length;
  run.spend(keys);
  return keys > 0;
}

/** The value of a field: through arrays item by item, only what an object has of its own. */
export function lookUp(input: unknown, name: string, run: Run): unknown {
  if (Array.isArray(input)) {
    const found = new Sequence();
    run.spend(1 + input.length);
    for (const item of input) {
      const inner = lookUp(item, name, run);
      if (Array.isArray(inner)) for (const value of inner) found.add(value);
      else if (inner !== undefined) found.add(inner);
    }
    return found;
  }
  return isRecord(input) && Object.hasOwn(input, name) && !isFunction(input) ? input[name] : undefined;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

export function deepEqual(left: unknown, right: unknown, run: Run): boolean {
  if (left === right) return true;
  if (!isRecord(left) || !isRecord(right)) return false;
  run.spend(1);
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((item, index) => deepEqual(item, right[index], run));
  }
  // JSONata's sequences carry a method of their own, so that no object has the same fields.
  if (left instanceof Sequence || right instanceof Sequence) return false;
  const names = Object.getOwnPropertyNames(left).sort();
  const others = Object.getOwnPropertyNames(right).sort();
  run.spend(names.length);
  return (
    names.length === others.length &&
    names.every((name, index) => name === others[index]) &&
    names.every((name) => deepEqual(left[name], right[name], run))
  );
}

/** JSONata's $string, without its guard. @throws ConditionFault D3001, D1001 */
export function stringOf(value: unknown, run: Run): string {
  if (typeof value === 'string') return value;
  if (isFunction(value)) return '';
  if (typeof value === 'number' && !Number.isFinite(value)) throw new ConditionFault('D3001', { value });
  const text = JSON.stringify(value, (_, inner: unknown) => {
    run.spend(1);
    if (isNumeric(inner)) return Number.isInteger(inner) ? inner : Number(inner.toPrecision(15));
    return isFunction(inner) ? '' : inner;
  });
  run.spendOnText(text);
  return text;
}
