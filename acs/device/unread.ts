import { fieldOfParameter, type ParameterField } from '../../rules/index.js';
import type { Device } from './device.js';
import type { ParameterStore } from './parameter-store.js';

/** A GetParameterValues of this many names stays well within what small CPEs take. */
const READ_NAMES_MAX = 64;

/** Which of the paths this CPE has neither reported nor been asked for since its last version, as many as are asked for at once. */
export async function unreadPaths(
  device: Pick<Device, 'id' | 'root' | 'askedPaths' | ParameterField>,
  parameterStore: Pick<ParameterStore, 'flat'>,
  paths: readonly string[],
): Promise<readonly string[]> {
  const asked = new Set(device.askedPaths);
  const unasked = paths.filter(
    (path) => path.startsWith(`${device.root}.`) && !asked.has(path) && !isKnownField(device, path),
  );
  if (unasked.length === 0) return [];
  const known = new Set(Object.keys(await parameterStore.flat(device.id)));
  // Of a partial path (TR-069 A.3.2.2: it ends in a dot) an Inform tells a few leaves at most.
  return unasked.filter((path) => !known.has(path)).slice(0, READ_NAMES_MAX);
}

/** What the device document has a field for is known without a look at the data model: so it is in most sessions. */
function isKnownField(device: Pick<Device, ParameterField>, path: string): boolean {
  const field = fieldOfParameter(path);
  return field !== undefined && device[field] !== undefined;
}
