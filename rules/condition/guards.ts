import jsonata from 'jsonata';
import {
  ArgumentBoundError,
  bucket,
  compareVersions,
  FunctionArgumentError,
  inSubnet,
} from './functions/index.js';

/** Longest string a built-in function of JSONata takes in a condition; longer ones cost memory many times their size. */
const ARGUMENT_CHARACTERS_MAX = 64 * 1_024;
/** Most characters a list of strings may have together (`$join`). */
const ARGUMENT_LIST_CHARACTERS_MAX = 256 * 1_024;
const PICTURE_CHARACTERS_MAX = 256;
/** $distinct compares every item with every other one. */
const DISTINCT_ITEMS_MAX = 1_000;

/** Functions of JSONata that make no sense in a condition or could not be bounded: refused when the rule is written. */
export const FUNCTIONS_REFUSED: ReadonlyMap<string, string> = new Map([
  ['eval', 'write the expression itself instead'],
  // True of every CPE sooner or later, whatever share was meant.
  ['random', 'use $bucket(cpeid, "a name for this choice") < 5 for a lasting 5 percent of the CPEs'],
]);

const GUARDED = (
  'string substring substringBefore substringAfter lowercase uppercase length trim pad match contains replace split join ' +
  'number parseInteger formatNumber formatInteger formatBase base64encode base64decode encodeUrlComponent encodeUrl ' +
  'decodeUrlComponent decodeUrl fromMillis lookup distinct sort reverse'
).split(' ');
/** Ferry's, of which $toMillis takes the place of JSONata's. */
const OWN = ['toMillis', 'compareVersions', 'inSubnet', 'bucket'];
/** Their second argument is a picture whose width modifiers would otherwise be an amount of memory. */
const WITH_PICTURE: ReadonlySet<string> = new Set([
  'formatNumber',
  'formatInteger',
  'fromMillis',
  'parseInteger',
]);

/** Without a guard, as they cost next to nothing; closures call them too. */
const UNGUARDED = ['not', 'exists', 'count', 'boolean'];

/** A value as JSONata keeps a function: what `$name` evaluates to. */
export interface NativeFunction {
  readonly implementation: (this: unknown, ...args: unknown[]) => unknown;
  /** Checks the arguments against the function's signature, and puts the context in the place of a missing one. */
  readonly signature: {
    readonly validate: (args: readonly unknown[], context: unknown) => readonly unknown[];
  };
}

/** What {@link bindFunctions} binds and closures call; made once by {@link loadGuards}. */
export type Guards = ReadonlyMap<string, NativeFunction>;

/**
 * Wraps JSONata's string functions so that each refuses arguments beyond its bound: JSONata's own time limit is looked at
 * between calls, and does not stop a single long one.
 */
export async function loadGuards(): Promise<Guards> {
  const guards = new Map<string, NativeFunction>();
  for (const name of GUARDED) guards.set(name, guarded(name, await nativeFunction(name)));
  for (const name of [...UNGUARDED, ...OWN]) guards.set(name, await nativeFunction(name));
  return guards;
}

async function nativeFunction(name: string): Promise<NativeFunction> {
  const expression = jsonata(`$${name}`);
  // JSONata turns the picture of $toMillis into a backtracking regular expression; without one it reads ISO 8601.
  expression.registerFunction('toMillis', toMillis, '<s-:n>');
  expression.registerFunction('compareVersions', onBoth(compareVersions), '<ss:n>');
  expression.registerFunction('inSubnet', onBoth(inSubnet), '<ss:b>');
  expression.registerFunction('bucket', onBoth(bucket), '<ss:n>');
  const native: unknown = await expression.evaluate({});
  if (!isNativeFunction(native)) throw new Error(`This version of jsonata has no function $${name}`);
  return native;
}

function isNativeFunction(value: unknown): value is NativeFunction {
  return (
    typeof value === 'object' &&
    value !== null &&
    'implementation' in value &&
    typeof value.implementation === 'function' &&
    'signature' in value
  );
}

function guarded(name: string, native: NativeFunction): NativeFunction {
  const implementation = function (this: unknown, ...args: readonly unknown[]): unknown {
    checkSizes(name, args);
    if (WITH_PICTURE.has(name)) checkPicture(name, args[1]);
    if (name === 'pad') checkWidth(args[1]);
    if (name === 'distinct') checkItems(args[0]);
    return native.implementation.apply(this, [...args]);
  };
  // JSONata looks at the number of parameters when a function is handed to $map and the like.
  Object.defineProperty(implementation, 'length', { value: native.implementation.length });
  return { ...native, implementation };
}

/** @throws FunctionArgumentError for an argument that is too long for the function `name` */
export function checkSizes(name: string, args: readonly unknown[]): void {
  for (const argument of args) checkSize(name, argument);
}

function checkSize(name: string, argument: unknown): void {
  if (typeof argument === 'string' && argument.length > ARGUMENT_CHARACTERS_MAX) {
    throw new ArgumentBoundError(`$${name}: a string may have at most ${ARGUMENT_CHARACTERS_MAX} characters`);
  }
  if (!Array.isArray(argument)) return;
  let characters = 0;
  for (const item of argument) if (typeof item === 'string') characters += item.length;
  if (characters > ARGUMENT_LIST_CHARACTERS_MAX) {
    throw new ArgumentBoundError(
      `$${name}: the strings may have at most ${ARGUMENT_LIST_CHARACTERS_MAX} characters together`,
    );
  }
}

function checkPicture(name: string, picture: unknown): void {
  if (typeof picture !== 'string') return;
  if (picture.length > PICTURE_CHARACTERS_MAX || /[0-9]{4}/.test(picture)) {
    throw new ArgumentBoundError(`$${name}: the picture is too long or asks for more than 999 characters`);
  }
}

function checkWidth(width: unknown): void {
  if (typeof width === 'number' && !(Math.abs(width) <= ARGUMENT_CHARACTERS_MAX)) {
    throw new ArgumentBoundError(`$pad: the width may be at most ${ARGUMENT_CHARACTERS_MAX}`);
  }
}

function checkItems(items: unknown): void {
  if (Array.isArray(items) && items.length > DISTINCT_ITEMS_MAX) {
    throw new ArgumentBoundError(`$distinct: a list may have at most ${DISTINCT_ITEMS_MAX} items`);
  }
}

/** Gives an expression the functions of Ferry's conditions, and the guarded ones in place of JSONata's own. */
export function bindFunctions(expression: jsonata.Expression, guards: Guards): void {
  for (const [name, native] of guards) expression.assign(name, native);
}

function toMillis(timestamp: unknown): number | undefined {
  if (typeof timestamp !== 'string') return undefined;
  const iso8601 = /^[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?(?:T[0-9:.]{5,16}(?:Z|[-+][0-9]{2}:?[0-9]{2})?)?$/;
  const millis = iso8601.test(timestamp) ? Date.parse(timestamp) : Number.NaN;
  if (Number.isNaN(millis)) {
    throw new FunctionArgumentError('$toMillis: not an ISO 8601 time such as "2026-01-31T02:00:00Z"');
  }
  return millis;
}

/** A value that the CPE has not reported makes the call's result missing too, as with JSONata's own functions. */
function onBoth<Result>(
  call: (left: string, right: string) => Result,
): (left: unknown, right: unknown) => Result | undefined {
  return (left, right) =>
    typeof left === 'string' && typeof right === 'string' ? call(left, right) : undefined;
}
