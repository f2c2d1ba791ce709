import { DAY_MS, stillHolds } from '../../common/index.js';
import type { FaultStruct } from '../soap/index.js';
import type { ReportMatch } from './command-key.js';
import { DOUBT_MS_MAX } from './deadlines.js';
import { hasArrived, isDisproof, isProof } from './proof.js';
import { repeatsOf, type Upgrade, type UpgradeState } from './upgrade.js';
import { answered, isWithdrawn, WITHDRAWN_MESSAGE, type WithdrawalOutcome } from './withdrawal.js';
import {
  faultMessage,
  otherVersionText,
  RUNNING,
  repeatsText,
  timeoutMessage,
  verifiedMessage,
  wrongVersionMessage,
} from './words.js';

/** A CPE that never answers, or a server that is killed every time, does not have its Download sent for ever. */
export const REPEATS_MAX = 5;
/**
 * For so long a version that is gone again says that the upgrade did not last: a device with two banks falls back in its first boots,
 * and every CPE has called by then. Later somebody has changed it, which makes no lie of the upgrade.
 */
export const FALLS_BACK_WITHIN_MS = DAY_MS;
/** A CPE that shows one version and then the other does not have its result rewritten for ever. */
export const CORRECTIONS_MAX = 8;

/** Something learnt about an upgrade, from its CPE, an operator or the passing of time. */
export type Evidence =
  | { readonly kind: 'download-response'; readonly status: 0 | 1 }
  /** `repeats`: which sending it answers. */
  | { readonly kind: 'download-fault'; readonly fault: FaultStruct; readonly repeats: number }
  | {
      readonly kind: 'transfer-complete';
      readonly fault: FaultStruct | null;
      readonly version: string | null;
      /** How its report was known to be this upgrade's; absent: by its CommandKey, as it was sent. */
      readonly matchedBy?: ReportMatch;
    }
  /**
   * The CPE has nothing more to say in this session: its TransferComplete, if it had one, has come. What its Inform said is judged only
   * now, so that a fault reported in the same session is not overlooked.
   */
  | {
      readonly kind: 'quiet';
      /** The session began with 1 BOOT. */
      readonly boot: boolean;
      /** The transfer had been reported before the session began, so that the boot came after it. */
      readonly applying: boolean;
      readonly version: string | null;
    }
  /** What the CPE has queued, asked because the Download may not have reached it. */
  | {
      readonly kind: 'queue';
      /** `untold`: the CPE supports none of the requests, or refused them. */
      readonly found: 'queued' | 'absent' | 'untold';
      /** The sending that was in doubt when the CPE was asked. */
      readonly repeats: number;
      readonly version: string | null;
      /** Whether the Download may be sent once more. */
      readonly repeat:
        | { readonly kind: 'allowed' | 'unwanted' }
        | { readonly kind: 'held' | 'void'; readonly reason: string };
      /** How long to wait for word of a CPE that does not tell; no longer than `periodicWaitMs` where it calls by its periodic Inform. */
      readonly waitMs: number;
      readonly periodicWaitMs: number;
      /** It came with its periodic Inform. */
      readonly periodic: boolean;
      /** Of the URL that it is sent again with. */
      readonly urlDigest?: string;
    }
  /** It is this late. `heardSince`: the CPE has informed since the upgrade last moved on. */
  | { readonly kind: 'deadline'; readonly version: string | null; readonly heardSince: boolean }
  /** The CPE was asked to give it up (TR-069 A.4.1.9), and has answered, or not. */
  | { readonly kind: 'withdrawal'; readonly outcome: WithdrawalOutcome }
  | { readonly kind: 'cancel'; readonly reason: string };

const ENDED: readonly UpgradeState[] = ['verified', 'failed', 'timed-out', 'cancelled'];

export function hasEnded(state: UpgradeState): boolean {
  return ENDED.includes(state);
}

/**
 * The upgrade after one more piece of evidence. Pure; the same object where nothing changes.
 *
 * The order of evidence is the CPE's own: TransferComplete may come in the Download's session, in a later one, before or
 * after 1 BOOT, twice, or late. A final state stays, but for `timed-out`, which only says that nothing was heard, and for what was
 * concluded from a version, which a later version may correct (at most {@link CORRECTIONS_MAX} times).
 */
export function advance(upgrade: Upgrade, evidence: Evidence, nowMs: number): Upgrade {
  // Whoever found it due may have been overtaken by the CPE: the deadline is that of the state it is in now.
  if (evidence.kind === 'deadline' && !isDue(upgrade, nowMs)) return upgrade;
  const after = moved(upgrade, evidence, nowMs);
  if (after === upgrade) return upgrade;
  const matchedBy = evidence.kind === 'transfer-complete' ? evidence.matchedBy : undefined;
  const told = matchedBy === undefined ? after : { ...after, matchedBy };
  if (upgrade.state !== 'verified' && upgrade.state !== 'failed') return told;
  const { corrections = 0 } = upgrade;
  return corrections < CORRECTIONS_MAX ? { ...told, corrections: corrections + 1 } : upgrade;
}

function moved(upgrade: Upgrade, evidence: Evidence, nowMs: number): Upgrade {
  switch (upgrade.state) {
    case 'sent':
    case 'accepted':
      return whileTransferring(upgrade, evidence, nowMs);
    case 'transferred':
      return whileApplying(upgrade, evidence, nowMs);
    case 'timed-out':
      return afterTimeout(upgrade, evidence, nowMs);
    case 'verified':
      return afterSuccess(upgrade, evidence, nowMs);
    case 'failed':
      return afterFailure(upgrade, evidence, nowMs);
    case 'cancelled':
      return isWithdrawn(upgrade) ? afterWithdrawal(upgrade, evidence, nowMs) : upgrade;
    default:
      return upgrade.state satisfies never;
  }
}

function isDue({ deadlineAtMs }: Upgrade, nowMs: number): boolean {
  return deadlineAtMs !== undefined && deadlineAtMs <= nowMs;
}

function whileTransferring(upgrade: Upgrade, evidence: Evidence, nowMs: number): Upgrade {
  switch (evidence.kind) {
    case 'download-response':
      if (evidence.status === 0) return running(upgrade, 'transferred', nowMs);
      return upgrade.state === 'sent' ? running(upgrade, 'accepted', nowMs) : upgrade;
    case 'download-fault':
      // A fault that answers an earlier sending says nothing of the one that is under way.
      if (evidence.repeats !== repeatsOf(upgrade)) return upgrade;
      return failedBy(upgrade, evidence.fault, nowMs);
    case 'queue':
      // Whatever was heard of the upgrade since the CPE was asked has settled it.
      if (upgrade.state !== 'sent' || evidence.repeats !== repeatsOf(upgrade)) return upgrade;
      return inDoubt(upgrade, evidence, nowMs);
    case 'transfer-complete':
      if (evidence.fault !== null) return failedBy(upgrade, evidence.fault, nowMs);
      return isProof(upgrade, evidence.version)
        ? verified(upgrade, evidence.version, nowMs)
        : running(upgrade, 'transferred', nowMs);
    case 'quiet':
      // Some CPEs lose their TransferComplete in the reboot, and some the event that tells of it: showing the target says as much. Where it
      // is not known what they had before, only a boot says that it is new.
      return hasArrived(upgrade, evidence.version) && (evidence.boot || upgrade.fromVersion !== null)
        ? verified(upgrade, evidence.version, nowMs)
        : upgrade;
    case 'deadline':
      if (hasArrived(upgrade, evidence.version)) return verified(upgrade, evidence.version, nowMs);
      return ended(upgrade, 'timed-out', timeoutMessage(upgrade), nowMs);
    case 'withdrawal':
      return evidence.outcome === 'given-up'
        ? withdrawn(upgrade, nowMs)
        : answered(upgrade, evidence.outcome);
    case 'cancel':
      return ended(upgrade, 'cancelled', evidence.reason, nowMs);
    default:
      return evidence satisfies never;
  }
}

/** A Download that may or may not have reached the CPE, which says what it has queued. */
function inDoubt(upgrade: Upgrade, queue: Extract<Evidence, { kind: 'queue' }>, nowMs: number): Upgrade {
  const { found, version, repeat } = queue;
  if (found === 'queued') return running(upgrade, 'accepted', nowMs);
  if (found === 'untold') {
    if (upgrade.doubtUntilMs === undefined) return waiting(upgrade, queue, nowMs);
    const untilMs = (queue.periodic ? upgrade.doubtUntilPeriodicMs : undefined) ?? upgrade.doubtUntilMs;
    if (stillHolds(untilMs, DOUBT_MS_MAX, nowMs)) return upgrade;
  }
  // Its TransferComplete, if it had one to send, has come before it was asked.
  if (version !== upgrade.fromVersion && isProof(upgrade, version)) {
    return running(upgrade, 'transferred', nowMs);
  }
  // Neither old nor new: somebody else has changed it, and what was decided on is no longer so.
  if (version !== null && upgrade.fromVersion !== null && version !== upgrade.fromVersion) {
    return wrongVersion(upgrade, version, nowMs);
  }
  // Whoever has withdrawn it wants no other sending.
  if (isWithdrawn(upgrade)) return withdrawn(upgrade, nowMs);
  switch (repeat.kind) {
    case 'allowed':
      return repeatsOf(upgrade) < REPEATS_MAX
        ? repeated(upgrade, queue.urlDigest, nowMs)
        : exhausted(upgrade, nowMs);
    case 'held':
      return held(upgrade, repeat.reason, nowMs);
    case 'unwanted':
      return unreached(upgrade, `Upgrade has failed: ${NOT_REACHED}`, nowMs);
    case 'void':
      return ended(
        upgrade,
        'cancelled',
        `Upgrade was cancelled: ${NOT_REACHED}, and ${repeat.reason}`,
        nowMs,
      );
    default:
      return repeat satisfies never;
  }
}

const NOT_REACHED = 'the Download does not seem to have reached the device';

/** Room for the CPE to come back twice: once may be too early. */
function waiting(
  upgrade: Upgrade,
  { waitMs, periodicWaitMs }: Extract<Evidence, { kind: 'queue' }>,
  nowMs: number,
): Upgrade {
  const message = 'Upgrade is running: the device does not tell whether the Download has reached it';
  const doubtUntilMs = nowMs + waitMs;
  const deadlineAtMs = doubtUntilMs + waitMs + upgrade.stateMsMax.sent;
  return {
    ...upgrade,
    doubtUntilMs,
    doubtUntilPeriodicMs: nowMs + periodicWaitMs,
    deadlineAtMs,
    result: { code: 202, message },
    updatedAtMs: nowMs,
  };
}

function withoutDoubt(upgrade: Upgrade): Upgrade {
  const { doubtUntilMs: _, doubtUntilPeriodicMs: _periodic, heldBack: _held, ...rest } = upgrade;
  return rest;
}

/** For no longer than an accepted upgrade may take; asked again in every session until then. */
function held(upgrade: Upgrade, reason: string, nowMs: number): Upgrade {
  const { sent, accepted } = upgrade.stateMsMax;
  // It may have been started by a clock that was ahead.
  const deadlineAtMs = Math.min(upgrade.startedAtMs, nowMs) + sent + accepted;
  if ((upgrade.deadlineAtMs ?? 0) >= deadlineAtMs) return upgrade;
  const message = `Upgrade is running: ${NOT_REACHED}; it is not sent again yet (${reason})`;
  return { ...upgrade, heldBack: true, deadlineAtMs, result: { code: 202, message }, updatedAtMs: nowMs };
}

function repeated(upgrade: Upgrade, urlDigest: string | undefined, nowMs: number): Upgrade {
  return {
    ...withoutDoubt(upgrade),
    ...(urlDigest !== undefined && { urlDigest }),
    repeats: repeatsOf(upgrade) + 1,
    result: { code: 202, message: 'Upgrade is running: the Download has been sent again' },
    updatedAtMs: nowMs,
    deadlineAtMs: nowMs + upgrade.stateMsMax.sent,
  };
}

function exhausted(upgrade: Upgrade, nowMs: number): Upgrade {
  const message = `Upgrade has failed: the Download was sent ${repeatsOf(upgrade) + 1} times, and the device has none of them`;
  return unreached(upgrade, message, nowMs);
}

function unreached(upgrade: Upgrade, message: string, nowMs: number): Upgrade {
  return { ...ended(upgrade, 'failed', message, nowMs), notReached: true };
}

function whileApplying(upgrade: Upgrade, evidence: Evidence, nowMs: number): Upgrade {
  switch (evidence.kind) {
    case 'transfer-complete':
      return afterTransfer(upgrade, evidence, nowMs);
    case 'quiet':
      if (isProof(upgrade, evidence.version)) return verified(upgrade, evidence.version, nowMs);
      // Before a boot that came after the transfer an old version says nothing: many CPEs report before they reboot.
      if (!evidence.boot || !evidence.applying || evidence.version === null) return upgrade;
      return isDisproof(upgrade, evidence.version)
        ? wrongVersion(upgrade, evidence.version, nowMs)
        : verified(upgrade, evidence.version, nowMs);
    case 'deadline':
      // A CPE that has not been heard of since may yet come back with the new version; what is known of it is from before.
      if (!evidence.heardSince) return ended(upgrade, 'timed-out', timeoutMessage(upgrade), nowMs);
      return isDisproof(upgrade, evidence.version)
        ? wrongVersion(upgrade, evidence.version, nowMs)
        : verified(upgrade, evidence.version, nowMs);
    case 'cancel':
      return ended(upgrade, 'cancelled', evidence.reason, nowMs);
    case 'download-response':
    case 'download-fault':
    case 'queue':
    // Whatever it says of giving it up: it has the file, and its version will tell.
    case 'withdrawal':
      return upgrade;
    default:
      return evidence satisfies never;
  }
}

function afterTimeout(upgrade: Upgrade, evidence: Evidence, nowMs: number): Upgrade {
  switch (evidence.kind) {
    case 'transfer-complete':
      return afterTransfer(upgrade, evidence, nowMs);
    case 'quiet':
      return hasArrived(upgrade, evidence.version) ? verified(upgrade, evidence.version, nowMs) : upgrade;
    case 'download-fault':
      return failedBy(upgrade, evidence.fault, nowMs);
    case 'download-response':
    case 'queue':
    case 'deadline':
    case 'withdrawal':
    case 'cancel':
      return upgrade;
    default:
      return evidence satisfies never;
  }
}

/** Withdrawn: a CPE that had begun all the same shows it by the target. That it gave up, no later word of it says otherwise. */
function afterWithdrawal(upgrade: Upgrade, evidence: Evidence, nowMs: number): Upgrade {
  switch (evidence.kind) {
    case 'transfer-complete':
      return evidence.fault === null && isProof(upgrade, evidence.version)
        ? verified(upgrade, evidence.version, nowMs)
        : upgrade;
    case 'quiet':
      return hasArrived(upgrade, evidence.version) ? verified(upgrade, evidence.version, nowMs) : upgrade;
    case 'download-response':
    case 'download-fault':
    case 'queue':
    case 'deadline':
    case 'withdrawal':
    case 'cancel':
      return upgrade;
    default:
      return evidence satisfies never;
  }
}

function mayFallBack({ updatedAtMs }: Upgrade, nowMs: number): boolean {
  return stillHolds(updatedAtMs + FALLS_BACK_WITHIN_MS, FALLS_BACK_WITHIN_MS, nowMs);
}

/** Failed: what a version said, a later one takes back. What the CPE itself or an operator said stays. */
function afterFailure(upgrade: Upgrade, evidence: Evidence, nowMs: number): Upgrade {
  if (upgrade.concludedFrom === undefined) return upgrade;
  switch (evidence.kind) {
    case 'transfer-complete':
      return afterTransfer(upgrade, evidence, nowMs);
    case 'quiet':
      return isProof(upgrade, evidence.version) ? verified(upgrade, evidence.version, nowMs) : upgrade;
    case 'download-response':
    case 'download-fault':
    case 'queue':
    case 'deadline':
    case 'withdrawal':
    case 'cancel':
      return upgrade;
    default:
      return evidence satisfies never;
  }
}

/** Verified: only the version can take back what the version said. */
function afterSuccess(upgrade: Upgrade, evidence: Evidence, nowMs: number): Upgrade {
  const { concludedFrom, fromVersion } = upgrade;
  if (evidence.kind !== 'quiet' || concludedFrom === undefined) return upgrade;
  const { version } = evidence;
  if (version === null || version === concludedFrom || !mayFallBack(upgrade, nowMs)) {
    return upgrade;
  }
  // "It has not changed" is no longer so.
  if (concludedFrom === fromVersion) {
    return upgrade.targetVersion === null ? verified(upgrade, version, nowMs) : upgrade;
  }
  return version === fromVersion ? fallenBack(upgrade, version, nowMs) : upgrade;
}

/** The CPE has told of the transfer: a fault ends the upgrade, and so does a version that proves it. */
function afterTransfer(
  upgrade: Upgrade,
  { fault, version }: Extract<Evidence, { kind: 'transfer-complete' }>,
  nowMs: number,
): Upgrade {
  if (fault !== null) return failedBy(upgrade, fault, nowMs);
  return isProof(upgrade, version) ? verified(upgrade, version, nowMs) : upgrade;
}

function running(upgrade: Upgrade, state: 'accepted' | 'transferred', nowMs: number): Upgrade {
  return {
    ...withoutDoubt(upgrade),
    state,
    result: RUNNING[state],
    updatedAtMs: nowMs,
    deadlineAtMs: nowMs + upgrade.stateMsMax[state],
  };
}

const RESULT_CODE = { verified: 200, failed: 500, 'timed-out': 408, cancelled: 499 } as const;

function ended(upgrade: Upgrade, state: keyof typeof RESULT_CODE, message: string, nowMs: number): Upgrade {
  const {
    deadlineAtMs: _,
    concludedFrom: _from,
    fault: _fault,
    notReached: _reached,
    ...rest
  } = withoutDoubt(upgrade);
  return { ...rest, state, status: true, result: { code: RESULT_CODE[state], message }, updatedAtMs: nowMs };
}

function withdrawn(upgrade: Upgrade, nowMs: number): Upgrade {
  return ended(upgrade, 'cancelled', `${WITHDRAWN_MESSAGE}${repeatsText(upgrade)}`, nowMs);
}

/** Of what the CPE itself says. */
function failedBy(upgrade: Upgrade, fault: FaultStruct, nowMs: number): Upgrade {
  return { ...ended(upgrade, 'failed', faultMessage(fault), nowMs), fault: fault.faultCode };
}

function verified(upgrade: Upgrade, version: string | null, nowMs: number): Upgrade {
  const told = `${verifiedMessage(upgrade, version)}${otherVersionText(upgrade, version)}`;
  const after = ended(upgrade, 'verified', `${told}${repeatsText(upgrade)}`, nowMs);
  return version === null ? after : { ...after, concludedFrom: version };
}

function wrongVersion(upgrade: Upgrade, version: string | null, nowMs: number): Upgrade {
  const after = ended(upgrade, 'failed', wrongVersionMessage(upgrade, version), nowMs);
  return version === null ? after : { ...after, concludedFrom: version };
}

function fallenBack(upgrade: Upgrade, version: string, nowMs: number): Upgrade {
  const message = `Upgrade has failed: the device has gone back to software version ${version}, after it had reported ${upgrade.concludedFrom}`;
  return { ...ended(upgrade, 'failed', message, nowMs), concludedFrom: version };
}
