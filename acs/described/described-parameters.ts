import { isSecretParameter, keptOfSecret } from '../../rules/index.js';
import { isParameterName, PARAMETER_VALUE_CHARACTERS_MAX } from '../device/parameter-report.js';

const PARAMETERS_MAX = 10_000;
/** A step for each dot of the longest name. */
const STEPS_MAX = 128;

type Value = string | number | boolean;

/**
 * Parameters that someone wrote down, by full name. Names and trees may be mixed: `{ 'Device.A': { B: 1 } }` is `Device.A.B`.
 * Of secrets there is what there would be if the CPE had told them: that they are set.
 * @param problem  makes the error of what stands at a path
 * @throws what `problem` makes, for what no CPE could have reported
 */
export function flatParameters(
  parameters: Readonly<Record<string, unknown>>,
  problem: (path: readonly string[], expected: string) => Error,
): Record<string, Value> {
  const leaves: Record<string, Value> = Object.create(null);
  const open: { readonly path: readonly string[]; readonly value: unknown }[] = [
    { path: [], value: parameters },
  ];
  let count = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { path, value } = next;
    if (isBranch(value)) {
      if (path.length >= STEPS_MAX)
        throw problem(path, `a parameter; trees have at most ${STEPS_MAX} levels`);
      for (const [key, inner] of Object.entries(value)) open.push({ path: [...path, key], value: inner });
      continue;
    }
    const name = path.join('.');
    if (!isParameterName(name) || name.includes('..')) {
      throw problem(
        path,
        'the name of a parameter, as in Device.DeviceInfo.UpTime: at most 256 characters and 32 levels',
      );
    }
    if (!isValue(value)) {
      const most = PARAMETER_VALUE_CHARACTERS_MAX;
      throw problem(path, `a number, true, false or a text of at most ${most} characters`);
    }
    if (++count > PARAMETERS_MAX) throw problem([], `at most ${PARAMETERS_MAX} parameters`);
    leaves[name] = isSecretParameter(name) ? keptOfSecret(value) : value;
  }
  return leaves;
}

function isBranch(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isValue(value: unknown): value is Value {
  if (typeof value === 'string') return value.length <= PARAMETER_VALUE_CHARACTERS_MAX;
  return typeof value === 'number' || typeof value === 'boolean';
}
