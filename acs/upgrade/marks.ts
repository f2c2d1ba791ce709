import { stillHolds } from '../../common/index.js';
import { NO_COUNT, type RuleCount, type UpgradeEnd } from '../../rules/index.js';
import type { Conclusion, Device } from '../device/device.js';
import { type Evidence, FALLS_BACK_WITHIN_MS } from './life.js';
import type { Upgrade } from './upgrade.js';
import { isWithdrawn } from './withdrawal.js';

/** A Download refused as busy does not use up an execution, but not for ever. */
const GIVEN_BACK_MAX = 5;
const FAULT_RESOURCES_EXCEEDED = 9004;

/** What has a count of its own in a device: an upgrade, or what decided on one. */
type Counted = Pick<Upgrade, 'countKey'>;

/** The device with the upgrade that is about to be sent to it: its mark, and one more execution. */
export function deviceReserving(device: Device, upgrade: Upgrade): Device {
  const count = countOf(device, upgrade);
  // From here on a new version speaks for this upgrade: an earlier one is corrected by its own CommandKey only.
  const { late: _, concluded: _concluded, ...rest } = device;
  return { ...withCount(rest, upgrade, { ...count, started: count.started + 1 }), inFlight: upgrade.id };
}

/** The device with an upgrade that it did not need. */
export function deviceAtTarget(device: Device, upgrade: Upgrade): Device {
  return withCount(device, upgrade, { ...countOf(device, upgrade), verified: true });
}

/** The device to which a rule sends nothing, as its image does not fit; its owner knows. */
export function deviceUnfit(device: Device, upgrade: Counted): Device {
  return withCount(device, upgrade, { ...countOf(device, upgrade), refused: true });
}

/** How an upgrade that has ended is counted. */
export function endOf(upgrade: Upgrade, evidence: Evidence, device: Device, isLate: boolean): UpgradeEnd {
  const { givenBack } = countOf(device, upgrade);
  const busy = evidence.kind === 'download-fault' && evidence.fault.faultCode === FAULT_RESOURCES_EXCEEDED;
  return busy && !isLate && givenBack < GIVEN_BACK_MAX ? 'given-back' : countedAs(upgrade);
}

/** How it was counted when it ended, as long as it may still be corrected: what was given back may not. */
export function countedAs(upgrade: Upgrade): Exclude<UpgradeEnd, 'given-back'> {
  switch (upgrade.state) {
    case 'verified':
    case 'failed':
    case 'timed-out':
    case 'cancelled':
      return upgrade.state;
    default:
      throw new Error(`An upgrade in state ${upgrade.state} has not ended`);
  }
}

/** The device without its mark, with what the end means for further executions. */
export function deviceAfter(device: Device, upgrade: Upgrade, end: UpgradeEnd, isLate: boolean): Device {
  const count = countOf(device, upgrade);
  const { inFlight, late, concluded, ...rest } = device;
  const own = upgrade.id;
  const isLast = hasMark(device, own);
  const conclusion = isLast ? conclusionOf(upgrade) : null;
  return {
    // What is learnt late corrects the record; but whom a rule has upgraded once, it does not upgrade again.
    ...withCount(
      rest,
      upgrade,
      isLate && end !== 'verified' ? count : countAfter(count, end, upgrade.updatedAtMs),
    ),
    ...(inFlight !== undefined && inFlight !== own && { inFlight }),
    // Whatever is heard later may still say how it ended.
    ...(isHeardOfLate(upgrade, end) ? { late: own } : late !== undefined && late !== own && { late }),
    ...(conclusion !== null
      ? { concluded: conclusion }
      : concluded !== undefined && concluded.id !== own && { concluded }),
  };
}

/** Neither end is by the CPE's own word of what it runs. */
function isHeardOfLate(upgrade: Upgrade, end: UpgradeEnd): boolean {
  return end === 'timed-out' || (end === 'cancelled' && isWithdrawn(upgrade));
}

/** Whether the device waits for word of this upgrade. */
export function hasMark({ inFlight, late, concluded }: Device, id: Upgrade['id']): boolean {
  return inFlight === id || late === id || concluded?.id === id;
}

function conclusionOf(upgrade: Upgrade): Conclusion | null {
  const { id, state, concludedFrom, fromVersion, targetVersion, isTargetRead, updatedAtMs } = upgrade;
  if (concludedFrom === undefined) return null;
  if (state === 'failed') {
    return isTargetRead
      ? { id, correctedBy: null, otherThan: concludedFrom }
      : { id, correctedBy: targetVersion };
  }
  const untilMs = updatedAtMs + FALLS_BACK_WITHIN_MS;
  if (concludedFrom !== fromVersion) {
    return fromVersion === null ? null : { id, correctedBy: fromVersion, untilMs };
  }
  return targetVersion === null ? { id, correctedBy: null, untilMs } : null;
}

/** Whether what this device reports now is what would correct the result of its last upgrade. */
export function mayCorrect({ concluded, softwareVersion }: Device, nowMs: number): boolean {
  if (concluded === undefined) return false;
  const { untilMs, correctedBy, otherThan } = concluded;
  if (untilMs !== undefined && !stillHolds(untilMs, FALLS_BACK_WITHIN_MS, nowMs)) return false;
  if (correctedBy === null) return otherThan === undefined || softwareVersion !== otherThan;
  return softwareVersion === correctedBy;
}

/**
 * Another identity of the device, under which it came back from this upgrade: it takes over the mark, the new one points to the old,
 * and whatever rules have done to the old they have done to it.
 */
export function deviceContinuing(successor: Device, owner: Device, upgrade: Upgrade): Device {
  const { supersededBy, late: _, concluded: _concluded, ...rest } = successor;
  const { inFlight, late, concluded } = owner;
  const isKnown = successor.supersedes === owner.id || supersededBy === owner.id;
  return {
    ...rest,
    counts: joinedCounts(successor.counts, owner.counts, isKnown),
    supersedes: owner.id,
    ...(supersededBy !== undefined && supersededBy !== owner.id && { supersededBy }),
    ...(inFlight === upgrade.id && { inFlight }),
    ...(late === upgrade.id && { late }),
    ...(concluded?.id === upgrade.id && { concluded }),
    // What somebody has said of the device stays true of it.
    ...(owner.organization?.by === 'hand' &&
      successor.organization?.by !== 'hand' && { organization: owner.organization }),
  };
}

/** The old identity points to the new. */
export function deviceSuperseded(owner: Device, successor: Device): Device {
  const { supersedes, ...rest } = owner;
  return {
    ...rest,
    supersededBy: successor.id,
    ...(supersedes !== undefined && supersedes !== successor.id && { supersedes }),
  };
}

/** @param isKnown  they were joined before, so that each has the other's already, and a sum would count them twice */
function joinedCounts(left: Device['counts'], right: Device['counts'], isKnown: boolean): Device['counts'] {
  const join = isKnown ? Math.max : (a: number, b: number) => a + b;
  const joined = new Map(Object.entries(left));
  for (const [key, count] of Object.entries(right)) {
    const own = joined.get(key) ?? NO_COUNT;
    const lastEndedMs = Math.max(own.lastEndedMs ?? 0, count.lastEndedMs ?? 0);
    joined.set(key, {
      started: join(own.started, count.started),
      failures: join(own.failures, count.failures),
      verified: own.verified || count.verified,
      givenBack: join(own.givenBack, count.givenBack),
      ...(lastEndedMs > 0 && { lastEndedMs }),
      // The image was held against the one device, and not against the other.
      ...(own.refused === true && { refused: own.refused }),
    });
  }
  return Object.fromEntries(joined);
}

function countOf(device: Device, { countKey }: Counted): RuleCount {
  return device.counts[countKey] ?? NO_COUNT;
}

function countAfter(count: RuleCount, end: UpgradeEnd, nowMs: number): RuleCount {
  switch (end) {
    case 'verified':
      return { ...count, verified: true, failures: 0, lastEndedMs: nowMs };
    case 'given-back':
      return {
        ...count,
        started: Math.max(0, count.started - 1),
        givenBack: count.givenBack + 1,
        failures: count.failures + 1,
        lastEndedMs: nowMs,
      };
    case 'failed':
    case 'timed-out':
    case 'cancelled':
      return { ...count, failures: count.failures + 1, lastEndedMs: nowMs };
    default:
      return end satisfies never;
  }
}

function withCount(device: Device, { countKey }: Counted, count: RuleCount): Device {
  return { ...device, counts: { ...device.counts, [countKey]: count } };
}
