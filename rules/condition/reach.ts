import { isFunction } from './closure-values.js';

/**
 * Everything a path of names leads to, as JSONata follows it: through arrays item by item, ending in the items of an array rather than
 * in the array.
 */
export function reach(from: unknown, path: readonly string[]): readonly unknown[] {
  const found: unknown[] = [];
  someReached(from, path, (value) => {
    found.push(value);
    return false;
  });
  return found;
}

/** Whether anything that the path leads to passes the test. */
export function someReached(
  from: unknown,
  path: readonly string[],
  test: (found: unknown) => boolean,
  depth = 0,
): boolean {
  const step = path[depth];
  if (step === undefined) return Array.isArray(from) ? from.some(test) : test(from);
  if (Array.isArray(from)) return from.some((item) => someReached(item, path, test, depth));
  // Only what is the object's own: `toString` is no field of any CPE.
  if (typeof from !== 'object' || from === null || !Object.hasOwn(from, step) || isFunction(from))
    return false;
  const inner = (from as Readonly<Record<string, unknown>>)[step];
  return inner !== undefined && someReached(inner, path, test, depth + 1);
}
