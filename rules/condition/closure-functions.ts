import { LinearRegExp } from '../../common/linear-regexp.js';
import type { Evaluator } from './closure-path.js';
import { booleanOf, isFunction, type Run, Sequence, stringOf } from './closure-values.js';
import { blame, ConditionFault, faultOf } from './fault.js';
import { checkSizes, type Guards, type NativeFunction } from './guards.js';

/** An argument as it is compiled: a pattern is no value, it only stands where one is searched for. */
export type Argument = Evaluator | LinearRegExp;

/** A function whose arguments are checked already. */
type Call = (values: readonly unknown[], run: Run) => unknown;

/**
 * Functions whose own code closures run, since it is synchronous and linear in its arguments, with the types (`x`: any) for which
 * their signature has nothing to object or to add. How many of them may be left out is in {@link OPTIONAL}.
 */
const NATIVE: ReadonlyMap<string, readonly string[]> = new Map([
  ['exists', ['x']],
  // Its signature makes a list of anything else.
  ['count', []],
  ['lowercase', ['string']],
  ['uppercase', ['string']],
  ['length', ['string']],
  ['trim', ['string']],
  ['number', ['string']],
  ['substring', ['string', 'number', 'number']],
  ['substringBefore', ['string', 'string']],
  ['substringAfter', ['string', 'string']],
  ['compareVersions', ['string', 'string']],
  ['inSubnet', ['string', 'string']],
  ['bucket', ['string', 'string']],
]);
/** The same of those which closures have code of their own for. */
const OWN_CODE: ReadonlyMap<string, readonly string[]> = new Map([
  ['not', ['x']],
  ['boolean', ['x']],
  ['string', ['x']],
  ['contains', ['string', 'string']],
  ['match', []],
]);
const OPTIONAL: ReadonlyMap<string, number> = new Map([['substring', 1]]);
/** More than any of them takes. */
const ARGUMENTS_MAX = 8;
/** A digest or a subnet costs about as much as so many steps. */
const CALL_STEPS = 20;
/** What the linear-time engine takes for a character, and again for each instruction of a pattern that makes it slow. */
const PATTERN_STEPS = 40;

/** Stands for a pattern where the signature is checked. */
const aFunction = (): undefined => undefined;

/** `$name(args)`, not unwrapped; null for a function outside the subset. */
export function callEvaluator(name: string, args: readonly Argument[], functions: Guards): Evaluator | null {
  const native = functions.get(name);
  const plainTypes = NATIVE.get(name) ?? OWN_CODE.get(name);
  if (native === undefined || plainTypes === undefined || args.length > ARGUMENTS_MAX) return null;
  const call = callOf(name, args, native);
  if (call === null) return null;
  const required = plainTypes.length - (OPTIONAL.get(name) ?? 0);
  return (input, run) => {
    const values = args.map((argument) => argumentOf(argument, input, run));
    try {
      const plain = values.length >= required && isPlain(values, plainTypes);
      const valid = plain ? values : native.signature.validate(values, input);
      for (const value of valid) run.spend(CALL_STEPS + (typeof value === 'string' ? value.length : 0));
      return call(valid, run);
    } catch (error) {
      throw blame(faultOf(error), name);
    }
  };
}

function argumentOf(argument: Argument, input: unknown, run: Run): unknown {
  if (argument instanceof LinearRegExp) return aFunction;
  const value = argument(input, run);
  if (!isFunction(value)) return value;
  // No expression of the subset makes a function: this is what a CPE named like one, and JSONata fails on it, too.
  throw new TypeError('an argument has the marks of a function, and is none');
}

function isPlain(values: readonly unknown[], types: readonly string[]): boolean {
  if (values.length === 0 || values.length > types.length) return false;
  return values.every((value, index) => types[index] === 'x' || types[index] === typeof value);
}

function callOf(name: string, args: readonly Argument[], native: NativeFunction): Call | null {
  const [pattern, ...otherPatterns] = args.filter((argument) => argument instanceof LinearRegExp);
  if (name === 'match') {
    return pattern === undefined || otherPatterns.length > 0 ? null : matchCall(pattern);
  }
  if (name === 'contains' && otherPatterns.length === 0) return containsCall(pattern);
  if (pattern !== undefined) return null;
  if (name === 'string') return stringCall(native);
  if (name === 'boolean') return ([value], run) => booleanOf(value, run);
  if (name === 'not') return ([value], run) => negation(booleanOf(value, run));
  return (values) => native.implementation.apply(undefined, [...values]);
}

function negation(value: boolean | undefined): boolean | undefined {
  return value === undefined ? undefined : !value;
}

function stringCall(native: NativeFunction): Call {
  return (values, run) => {
    const [value, prettify] = values;
    checkSizes('string', values);
    if (value === undefined) return undefined;
    const text = stringOf(value, run);
    return prettify === true ? native.implementation.apply(undefined, [...values]) : text;
  };
}

function containsCall(pattern: LinearRegExp | undefined): Call {
  return (values, run) => {
    const [text, wanted] = values;
    checkSizes('contains', values);
    if (typeof text !== 'string' || wanted === undefined) return undefined;
    if (typeof wanted === 'string') return text.includes(wanted);
    return pattern !== undefined && search(pattern, text, 0, run) !== null;
  };
}

function matchCall(pattern: LinearRegExp): Call {
  return (values, run) => {
    const [text, , limit] = values;
    checkSizes('match', values);
    if (typeof text !== 'string') return undefined;
    const most = typeof limit === 'number' ? limit : Number.POSITIVE_INFINITY;
    if (most < 0) throw new ConditionFault('D3040', { value: limit, index: 3 });
    const found = new Sequence();
    if (!(most > 0)) return found;
    let match = search(pattern, text, 0, run);
    while (match !== null && found.length < most) {
      const [whole, ...groups] = match;
      found.add({ match: whole, index: match.index, groups });
      // Looked for even where the limit is reached: JSONata would find the empty match then, too.
      match = pattern.lastIndex >= text.length ? null : search(pattern, text, pattern.lastIndex, run);
      if (match?.[0] === '') throw new ConditionFault('D1004');
    }
    return found;
  };
}

function search(pattern: LinearRegExp, text: string, from: number, run: Run): RegExpExecArray | null {
  // How far it will look is not known before: as far as it may, even where it finds a match at once.
  run.spend((text.length - from + 1) * (PATTERN_STEPS + pattern.programSize));
  pattern.lastIndex = from;
  return pattern.exec(text);
}
