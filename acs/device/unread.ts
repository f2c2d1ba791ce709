import { DAY_MS } from '../../common/index.js';
import type { Device } from './device.js';
import type { ParameterStore } from './parameter-store.js';

/** A GetParameterValues of this many names stays well within what small CPEs take. */
const READ_NAMES_MAX = 64;
/** Of the paths that a device document keeps of either kind. */
const ASKED_PATHS_MAX = 512;

/**
 * Which of the paths this CPE has neither reported nor been asked for since its last version, as many as are asked for at once. One that it
 * could not tell is asked for again after a boot, or after a day.
 */
export async function unreadPaths(
  device: Device,
  parameterStore: Pick<ParameterStore, 'flat'>,
  paths: readonly string[],
  nowMs: number,
): Promise<readonly string[]> {
  const { askedPaths = [], failedPaths } = device;
  const failed = failedPaths !== undefined && nowMs < failedPaths.untilMs ? failedPaths.paths : [];
  const asked = new Set([...askedPaths, ...failed]);
  const unasked = paths.filter((path) => path.startsWith(`${device.root}.`) && !asked.has(path));
  if (unasked.length === 0) return [];
  const known = new Set(Object.keys(await parameterStore.flat(device.id)));
  // Of a partial path (TR-069 A.3.2.2: it ends in a dot) an Inform tells a few leaves at most.
  return unasked.filter((path) => !known.has(path)).slice(0, READ_NAMES_MAX);
}

/** What becomes of the paths a CPE was asked for. */
export function pathsAfter(
  device: Pick<Device, 'askedPaths' | 'failedPaths'>,
  asked: { readonly settled: readonly string[]; readonly failed: readonly string[]; readonly nowMs: number },
): Pick<Device, 'askedPaths' | 'failedPaths'> {
  const { settled, failed, nowMs } = asked;
  const { failedPaths } = device;
  const before = failedPaths !== undefined && nowMs < failedPaths.untilMs ? failedPaths : null;
  const askedPaths = latest([...(device.askedPaths ?? []), ...settled]);
  const known = new Set(settled);
  const paths = latest([...(before?.paths ?? []), ...failed].filter((path) => !known.has(path)));
  // With those that failed before, so that none waits for longer.
  const untilMs = before?.untilMs ?? nowMs + DAY_MS;
  return { askedPaths, ...(paths.length > 0 && { failedPaths: { paths, untilMs } }) };
}

function latest(paths: readonly string[]): readonly string[] {
  return [...new Set(paths)].slice(-ASKED_PATHS_MAX);
}
