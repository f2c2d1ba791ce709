/** What stands in the place of a secret. */
const MASK = '***';
/** Names of fields that hold what nobody is to read, however deep. */
const SECRET = /^(?:.*password|.*secret|sealed|key|token|cookie|hash)$/i;
const DEPTH_MAX = 16;

/**
 * Without the values of fields that are called like secrets: whoever tells of an event leaves out what he knows to be one, and this what he
 * forgot.
 * @example masked({ id: 'R', password: 'p' }) // { id: 'R', password: '***' }
 */
export function masked(values: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return maskedObject(values, 0);
}

function maskedObject(
  values: Readonly<Record<string, unknown>>,
  depth: number,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(values)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, SECRET.test(name) && value !== null ? MASK : maskedValue(value, depth)]),
  );
}

function maskedValue(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= DEPTH_MAX) return MASK;
  if (Array.isArray(value)) return value.map((element: unknown) => maskedValue(element, depth + 1));
  return maskedObject(value as Readonly<Record<string, unknown>>, depth + 1);
}
