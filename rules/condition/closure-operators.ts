import type { Evaluator } from './closure-path.js';
import { booleanOf, deepEqual, isNumeric, type Run, stringOf } from './closure-values.js';
import { blame, ConditionFault } from './fault.js';

type Operator = (left: unknown, right: unknown, run: Run) => unknown;

const OPERATORS: ReadonlyMap<string, Operator> = new Map([
  ['=', (left, right, run) => left !== undefined && right !== undefined && deepEqual(left, right, run)],
  ['!=', (left, right, run) => left !== undefined && right !== undefined && !deepEqual(left, right, run)],
  ['<', ordered((left, right) => left < right)],
  ['<=', ordered((left, right) => left <= right)],
  ['>', ordered((left, right) => left > right)],
  ['>=', ordered((left, right) => left >= right)],
  ['+', numeric((left, right) => left + right)],
  ['-', numeric((left, right) => left - right)],
  ['*', numeric((left, right) => left * right)],
  ['/', numeric((left, right) => left / right)],
  ['%', numeric((left, right) => left % right)],
  ['&', concatenated],
  ['in', included],
]);

/** `left operator right`; null for an operator outside the subset. */
export function binaryEvaluator(operator: string, left: Evaluator, right: Evaluator): Evaluator | null {
  if (operator === 'and') {
    return (input, run) => cast(left(input, run), operator, run) && secondOf(operator, right, input, run);
  }
  if (operator === 'or') {
    return (input, run) => cast(left(input, run), operator, run) || secondOf(operator, right, input, run);
  }
  const apply = OPERATORS.get(operator);
  if (apply === undefined) return null;
  return (input, run) => {
    const leftValue = left(input, run);
    const rightValue = right(input, run);
    try {
      return apply(leftValue, rightValue, run);
    } catch (error) {
      throw blame(error, operator);
    }
  };
}

/** JSONata blames the `and` or `or` for whatever goes wrong on its right side. */
function secondOf(operator: string, right: Evaluator, input: unknown, run: Run): boolean {
  try {
    return booleanOf(right(input, run), run) ?? false;
  } catch (error) {
    if (error instanceof ConditionFault) error.token = operator;
    throw error;
  }
}

function cast(value: unknown, operator: string, run: Run): boolean {
  try {
    return booleanOf(value, run) ?? false;
  } catch (error) {
    throw blame(error, operator);
  }
}

function ordered(compare: <Value extends string | number>(left: Value, right: Value) => boolean): Operator {
  return (left, right) => {
    if (typeof left === 'string' && typeof right === 'string') return compare(left, right);
    if (typeof left === 'number' && typeof right === 'number') return compare(left, right);
    if (!isComparable(left) || !isComparable(right)) throw new ConditionFault('T2010');
    if (left === undefined || right === undefined) return undefined;
    throw new ConditionFault('T2009', { value: left, value2: right });
  };
}

function isComparable(value: unknown): boolean {
  return value === undefined || typeof value === 'string' || typeof value === 'number';
}

function numeric(calculate: (left: number, right: number) => number): Operator {
  return (left, right) => {
    if (left !== undefined && !isNumeric(left)) throw new ConditionFault('T2001');
    if (right !== undefined && !isNumeric(right)) throw new ConditionFault('T2002');
    return left === undefined || right === undefined ? undefined : calculate(left, right);
  };
}

export function negated(value: unknown): unknown {
  if (value === undefined) return undefined;
  if (!isNumeric(value)) throw new ConditionFault('D1002', { value });
  return -value;
}

function concatenated(left: unknown, right: unknown, run: Run): string {
  const text =
    (left === undefined ? '' : stringOf(left, run)) + (right === undefined ? '' : stringOf(right, run));
  run.spendOnText(text);
  return text;
}

function included(left: unknown, right: unknown, run: Run): boolean {
  if (left === undefined || right === undefined) return false;
  if (!Array.isArray(right)) return left === right;
  run.spend(right.length / 8);
  // Not includes(): NaN is in no list.
  return right.indexOf(left) !== -1;
}
