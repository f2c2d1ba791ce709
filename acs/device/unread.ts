import { DAY_MS, stillHolds } from '../../common/index.js';
import { fieldOfParameter, isSecretParameter, type ParameterField } from '../../rules/index.js';
import type { AskLater, Device } from './device.js';
import { subtreeOf } from './parameter-bound.js';
import type { ParameterStore } from './parameter-store.js';

/** A GetParameterValues of this many names stays well within what small CPEs take. */
const READ_NAMES_MAX = 64;
/** Of the paths that a device document keeps of either kind. */
const ASKED_PATHS_MAX = 512;

type AskedDevice = Pick<
  Device,
  'id' | 'root' | 'askedPaths' | 'failedPaths' | 'unansweredPaths' | ParameterField
>;
type WaitingDevice = Pick<Device, 'failedPaths' | 'unansweredPaths'>;

/**
 * Which of the paths this CPE has neither reported nor been asked for since its last version, as many as are asked for at once. One that it
 * could not tell is asked for again after a boot or after a day, one that found no answer at all after a day. Secrets are asked for by
 * nobody: their values are not kept, and what is not sent is not overheard.
 */
export async function unreadPaths(
  device: AskedDevice,
  parameterStore: Pick<ParameterStore, 'flat'>,
  paths: readonly string[],
  nowMs: number,
): Promise<readonly string[]> {
  const asked = new Set([...(device.askedPaths ?? []), ...waitingPaths(device, nowMs)]);
  const unasked = paths.filter(
    (path) =>
      path.startsWith(`${device.root}.`) &&
      !asked.has(path) &&
      !isKnownField(device, path) &&
      !isSecretParameter(path),
  );
  if (unasked.length === 0) return [];
  const subtrees = new Set(unasked.map(subtreeOf));
  const known = await parameterStore.flat(device.id, [...subtrees]);
  // Of a partial path (TR-069 A.3.2.2: it ends in a dot) an Inform tells a few leaves at most.
  return unasked.filter((path) => !Object.hasOwn(known, path)).slice(0, READ_NAMES_MAX);
}

/**
 * {@link unreadPaths} for whoever explains what would be decided: what the CPE was asked for and has not answered is not known
 * either, though no session asks again before a day is over.
 */
export function unknownPaths(
  { unansweredPaths: _, ...device }: AskedDevice,
  parameterStore: Pick<ParameterStore, 'flat'>,
  paths: readonly string[],
  nowMs: number,
): Promise<readonly string[]> {
  return unreadPaths(device, parameterStore, paths, nowMs);
}

/** Whether the CPE was asked for one of these, and could not tell it or has not answered: nobody asks again yet, and it is not known. */
export function isUntold(device: WaitingDevice, paths: readonly string[], nowMs: number): boolean {
  const waiting = waitingPaths(device, nowMs);
  return paths.some((path) => waiting.includes(path));
}

/** What nobody asks for again yet. */
function waitingPaths({ failedPaths, unansweredPaths }: WaitingDevice, nowMs: number): readonly string[] {
  return [failedPaths, unansweredPaths].flatMap((later) => stillWaiting(later, nowMs)?.paths ?? []);
}

/**
 * The device as one that is about to be asked for these. It may hang up on it, and boot: reading must not stand before everything else in
 * each of its sessions.
 */
export function asking(
  { wantedPaths: _, ...device }: Device,
  paths: readonly string[],
  nowMs: number,
): Device {
  return { ...device, unansweredPaths: adding(device.unansweredPaths, paths, nowMs) };
}

/** The device after an answer. */
export function afterAnswer(
  device: Device,
  answer: { readonly settled: readonly string[]; readonly failed: readonly string[]; readonly nowMs: number },
): Device {
  const { settled, failed, nowMs } = answer;
  const { askedPaths = [], failedPaths, unansweredPaths, ...rest } = device;
  const nowFailed = without(failed.length > 0 ? adding(failedPaths, failed, nowMs) : failedPaths, settled);
  const unanswered = without(unansweredPaths, [...settled, ...failed]);
  return {
    ...rest,
    askedPaths: latest([...askedPaths, ...settled]),
    ...(nowFailed !== null && { failedPaths: nowFailed }),
    ...(unanswered !== null && { unansweredPaths: unanswered }),
  };
}

/** With those that wait already, so that none waits for longer than a day. */
function adding(later: AskLater | undefined, paths: readonly string[], nowMs: number): AskLater {
  const before = stillWaiting(later, nowMs);
  return { paths: latest([...(before?.paths ?? []), ...paths]), untilMs: before?.untilMs ?? nowMs + DAY_MS };
}

function stillWaiting(later: AskLater | undefined, nowMs: number): AskLater | null {
  return later !== undefined && stillHolds(later.untilMs, DAY_MS, nowMs) ? later : null;
}

function without(later: AskLater | undefined, paths: readonly string[]): AskLater | null {
  const left = later?.paths.filter((path) => !paths.includes(path)) ?? [];
  return later === undefined || left.length === 0 ? null : { ...later, paths: left };
}

function latest(paths: readonly string[]): readonly string[] {
  return [...new Set(paths)].slice(-ASKED_PATHS_MAX);
}

/** What the device document has a field for is known without a look at the data model: so it is in most sessions. */
function isKnownField(device: Pick<Device, ParameterField>, path: string): boolean {
  const field = fieldOfParameter(path);
  return field !== undefined && device[field] !== undefined;
}
