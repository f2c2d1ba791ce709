/**
 * Everything a path of names leads to, as JSONata follows it: through arrays item by item, ending in the items of an array rather than
 * in the array.
 */
export function reach(from: unknown, path: readonly string[]): readonly unknown[] {
  let found: readonly unknown[] = [from];
  for (const step of path) {
    const next: unknown[] = [];
    for (const value of found) follow(value, step, next);
    if (next.length === 0) return next;
    found = next;
  }
  return found.flat();
}

function follow(value: unknown, step: string, into: unknown[]): void {
  if (Array.isArray(value)) {
    for (const item of value) follow(item, step, into);
  } else if (typeof value === 'object' && value !== null) {
    const inner = (value as Readonly<Record<string, unknown>>)[step];
    if (inner !== undefined) into.push(inner);
  }
}

/** Whether one of `values` is among what the path leads to. */
export function reaches(context: object, path: readonly string[], values: readonly unknown[]): boolean {
  return reach(context, path).some((found) => values.includes(found));
}
