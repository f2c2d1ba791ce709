import type { FaultStruct } from '../soap/index.js';
import { isTarget, repeatsOf, type Upgrade, type UpgradeResult } from './upgrade.js';

/** What the results of upgrades say, in the words of the NBI document where that has some. */
export const RUNNING = {
  sent: { code: 202, message: 'Upgrade is running: the Download has been sent' },
  accepted: { code: 202, message: 'Upgrade is running: the device is downloading the file' },
  transferred: {
    code: 202,
    message: 'Upgrade is running: the file was transferred, the new version is awaited',
  },
} satisfies Record<string, UpgradeResult>;

export function verifiedMessage(upgrade: Upgrade, version: string | null): string {
  if (version === null || version === upgrade.fromVersion) {
    return upgrade.targetVersion === null
      ? `Upgrade has succeeded, but the software version has not changed: ${version ?? upgrade.fromVersion ?? 'unknown'}`
      : `Upgrade has succeeded: software version ${version ?? upgrade.targetVersion}`;
  }
  return upgrade.fromVersion === null
    ? `Upgrade has succeeded: software version ${version}`
    : `Upgrade has succeeded: software version ${version}, before ${upgrade.fromVersion}`;
}

/** Nobody has typed the version that the file tells: whether the CPE means the same by its own is for people to say. */
export function otherVersionText(upgrade: Upgrade, version: string | null): string {
  const { targetVersion } = upgrade;
  if (version === null || targetVersion === null || isTarget(upgrade, version)) return '';
  return `; the image's file says ${targetVersion}`;
}

export function faultMessage(fault: FaultStruct): string {
  return `Upgrade has failed with FaultCode ${fault.faultCode}. FaultString: ${fault.faultString}`;
}

export function wrongVersionMessage(upgrade: Upgrade, version: string | null): string {
  return `Upgrade has failed: the device reports software version ${version ?? 'unknown'} instead of ${upgrade.targetVersion}`;
}

export function timeoutMessage(upgrade: Upgrade): string {
  const waitedFor = {
    sent: 'the device did not answer the Download',
    accepted: 'the device did not report the end of the transfer',
    transferred: 'the device was not heard of after the transfer',
  };
  const state = upgrade.state;
  if (state !== 'sent' && state !== 'accepted' && state !== 'transferred') return 'Upgrade has timed out';
  return `Upgrade has timed out: ${waitedFor[state]} within ${durationText(upgrade.stateMsMax[state])}${repeatsText(upgrade)}`;
}

/** An execution is one CommandKey; that it was sent more than once is told beside it. */
export function repeatsText(upgrade: Upgrade): string {
  const repeats = repeatsOf(upgrade);
  if (repeats === 0) return '';
  return `; the Download was sent again ${repeats === 1 ? 'once' : `${repeats} times`}, as it did not seem to have reached the device`;
}

function durationText(durationMs: number): string {
  if (durationMs < 60_000) return `${Math.round(durationMs / 100) / 10} s`;
  if (durationMs < 3_600_000) return `${Math.round(durationMs / 6_000) / 10} min`;
  return `${Math.round(durationMs / 360_000) / 10} h`;
}
